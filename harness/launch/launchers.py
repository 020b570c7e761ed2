"""How an executor starts the worker of a run: as one process, or by torchrun (torchrun.py).

A launcher says what to start and what an ended process means. The run directory decides; exit codes only tell what a
directory cannot: that somebody interrupted the worker, or that another one is at the run.
"""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from harness.config.execution import Execution
from harness.exit_codes import ExitCode
from harness.launch.machine import default_workers, gpu_ids
from harness.launch.plan import PlannedRun
from harness.launch.rank_env import without_rank_variables
from harness.store.files import writing
from harness.store.results import Results
from harness.store.run_directory import RunState

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerOutcome(Enum):
    """What became of a run when the process that was started for it has ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ELSEWHERE = "another worker is at it"
    INTERRUPTED = "somebody interrupted the worker; its state is saved"
    EVICTED = "the worker was asked to make room; its state is saved"
    AGAIN = "it has not started; to be tried again"


class Launcher(ABC):
    """Starts workers. `grace_seconds` is how long one may take to save its state when it is asked to leave.

    With `in_order`, runs are taken strictly one after the other, for nodes that have to agree on them.
    """

    grace_seconds = 20.0
    in_order = False

    def __init__(self, results: Results, data_root: Path, execution: Execution) -> None:
        self._results = results
        self._data_root = data_root
        self._execution = execution
        self.gpus = gpu_ids()

    @property
    @abstractmethod
    def default_workers(self) -> int:
        """The number of runs that this machine has room for side by side."""

    @abstractmethod
    def command(self, planned: PlannedRun, slot: int) -> list[str]:
        """Return the command that brings a run to its end."""

    @abstractmethod
    def variables(self, slot: int) -> Mapping[str, str]:
        """Return what the environment of a slot's workers has besides this process's own."""

    @abstractmethod
    def outcome(self, planned: PlannedRun, slot: int, exit_code: int) -> WorkerOutcome:
        """Tell what became of a run whose process has ended."""

    def exit_reason(self, planned: PlannedRun, exit_code: int) -> str:
        """Say how a worker ended that left no record."""
        if exit_code < 0:
            return f"the worker was killed by signal {-exit_code}; the same command goes on"
        lines = planned.directory.log.read_text(errors="replace").splitlines() if planned.directory.log.exists() else []
        return lines[-1] if lines else f"the worker left no record (exit code {exit_code})"

    def start(self, planned: PlannedRun, slot: int) -> subprocess.Popen[bytes]:
        """Start the process of a run; what it prints goes to the log of the run."""
        environment = (
            without_rank_variables(os.environ) | dict.fromkeys(THREAD_VARIABLES, "1") | dict(self.variables(slot))
        )
        with writing(planned.directory.log), open(planned.directory.log, "ab") as log:
            command = self.command(planned, slot)
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def worker(self, planned: PlannedRun) -> list[str]:
        """Return the module that is the worker of a run, with its arguments."""
        command = ["harness", "--results", str(self._results.root), "--data", str(self._data_root)]
        return [*command, planned.worker_command, planned.run.id, *self._execution.arguments()]


class SingleProcess(Launcher):
    """One process a run, on one GPU or on one thread, so that a result does not depend on the number of cores."""

    @property
    def default_workers(self) -> int:
        """One run per GPU, or one per core."""
        return default_workers()

    def command(self, planned: PlannedRun, slot: int) -> list[str]:
        """Return the worker itself."""
        return [sys.executable, "-m", *self.worker(planned)]

    def variables(self, slot: int) -> Mapping[str, str]:
        """Return the one GPU of the slot."""
        return {"CUDA_VISIBLE_DEVICES": self.gpus[slot % len(self.gpus)]} if self.gpus else {}

    def outcome(self, planned: PlannedRun, slot: int, exit_code: int) -> WorkerOutcome:
        """Tell what became of a run by its directory and its worker's exit code."""
        state = planned.state
        if state is RunState.CANCELLED:
            return WorkerOutcome.CANCELLED
        if exit_code == ExitCode.INTERRUPTED:
            return WorkerOutcome.INTERRUPTED
        if exit_code == ExitCode.EVICTED:
            return WorkerOutcome.EVICTED
        if state is RunState.DONE:
            return WorkerOutcome.DONE
        return (
            WorkerOutcome.ELSEWHERE if exit_code == ExitCode.BUSY or state is RunState.RUNNING else WorkerOutcome.FAILED
        )
