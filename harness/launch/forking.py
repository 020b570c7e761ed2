"""The forking launcher: one process per run, forked from a server that has imported torch."""

from pathlib import Path
from typing import IO

from harness.config.execution import Execution
from harness.launch.children import Child
from harness.launch.forks.client import ForkServer
from harness.launch.launchers import SingleProcess
from harness.launch.plan import PlannedRun
from harness.store.results import Results


class Forking(SingleProcess):
    """One process per run on one thread, forked where no GPU is used, because CUDA does not survive a fork.

    Where the server cannot fork, workers are started as new processes; their results are the same.
    """

    def __init__(self, results: Results, data_root: Path, execution: Execution) -> None:
        super().__init__(results, data_root, execution)
        self._server = ForkServer()

    def close(self) -> None:
        """End the fork server."""
        self._server.close()

    def _begin(self, planned: PlannedRun, slot: int, log: IO[bytes]) -> Child:
        forked = None
        if not self.gpus:
            _, *arguments = self.worker(planned)
            forked = self._server.fork(arguments, log.fileno(), self.environment(slot))
        return forked or super()._begin(planned, slot, log)
