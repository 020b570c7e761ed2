"""Writes checkpoints, snapshots and curves while the training loop runs."""

import logging
import time
from collections.abc import Callable

from harness.environment import checkpoint_seconds
from harness.store.curves import append_point
from harness.store.run_directory import RunDirectory
from harness.training.checkpoints import save_checkpoint, save_tensors
from harness.training.distributed import Communicator
from harness.training.loop import Trainer
from harness.worker.resuming import Snapshots, notes_of
from harness.worker.segment_recorder import SegmentRecorder

log = logging.getLogger("harness.worker")

CHECKPOINT_SHARE = 0.02
"""The maximum fraction of the time that writing checkpoints may take."""


class Checkpointer:
    """Writes checkpoints, snapshots, curves and progress after steps and epochs, on the first rank only.

    `snapshots` holds the hashes of the snapshots by tenths, beginning with the `resumed` ones.
    """

    def __init__(
        self,
        directory: RunDirectory,
        trainer: Trainer,
        recorder: SegmentRecorder,
        comm: Communicator,
        show: Callable[[int, int, float], None],
        resumed: Snapshots,
    ) -> None:
        self._directory = directory
        self._trainer = trainer
        self._recorder = recorder
        self._writes = comm.is_main
        self._show = show
        self._last_save = time.monotonic()
        self._interval = self._least_interval = checkpoint_seconds()
        self.snapshots = dict(resumed)
        self._snapshot_steps = {round(trainer.iterations * tenths / 10): tenths for tenths in range(1, 10)}
        self.begin()

    def begin(self) -> None:
        """Measure the training rate from the current step on."""
        self._first_step = self._trainer.step
        self._begun = time.monotonic()

    def after_step(self, step: int) -> None:
        """Show progress, save a snapshot after each tenth of the training, and save a checkpoint if one is due."""
        if not self._writes:
            return
        if step in self._snapshot_steps:
            tenths = self._snapshot_steps[step]
            path = self._directory.snapshot(tenths)
            self.snapshots[tenths] = save_tensors(path, self._trainer.kept_weights())
        self._recorder.trained_to(step)
        now = time.monotonic()
        rate = (step - self._first_step) / (now - self._begun)
        self._show(step, self._trainer.iterations, round(rate, 2))
        if now - self._last_save >= self._interval:
            self.save()

    def after_epoch(self, step: int, values: dict[str, float]) -> None:
        """Append the epoch's means and the validation values of the EMA weights to the curves and the log."""
        if not self._writes:
            return
        epoch = step // self._trainer.iterations_per_epoch
        append_point(self._directory.metrics, {"epoch": epoch, "step": step, **values})
        log.info("epoch %d: %s", epoch, ", ".join(f"{key} {value:.4g}" for key, value in values.items()))

    def save(self) -> None:
        """Save the segment, then a checkpoint, so that the cost of every saved step is recorded."""
        begun = time.monotonic()
        self._recorder.keep()
        step = self._trainer.step
        notes = notes_of(self._directory, self.snapshots, step)
        save_checkpoint(self._directory.checkpoints, step, self._trainer.state(), notes)
        self._last_save = time.monotonic()
        self._interval = max(self._least_interval, (self._last_save - begun) / CHECKPOINT_SHARE)
