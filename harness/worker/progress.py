"""Progress of a run for displays and `status`."""

import time
from pathlib import Path

from harness.store.records import Progress
from harness.training.distributed import Communicator

PROGRESS_SECONDS = 1.0


class ProgressFile:
    """Writes `progress.json` on the first rank, at most once a second and at the end of each phase."""

    def __init__(self, path: Path, comm: Communicator) -> None:
        self._path = path
        self._writes = comm.is_main
        self._last_written = 0.0

    def show(self, phase: str, step: int, total: int, *, epochs: int = 0, rate: float | None = None) -> None:
        """Show that `step` of `total` steps or items of a phase are done; `rate` is in steps per second."""
        now = time.monotonic()
        if self._writes and (now - self._last_written >= PROGRESS_SECONDS or step == total):
            Progress(phase=phase, step=step, total=total, epochs=epochs, rate=rate).save(self._path)
            self._last_written = now
