"""Launchers start the worker of a run for an executor, as one process or with torchrun (torchrun.py).

A launcher builds the command and interprets the end of the process. The run directory is authoritative; exit codes
only add what it cannot show: that the worker was interrupted, or that another worker holds the run.
"""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import IO

from harness.config.execution import Execution
from harness.exit_codes import ExitCode
from harness.launch.children import Child
from harness.launch.machine import default_workers, gpu_ids
from harness.launch.plan import PlannedRun
from harness.launch.rank_env import without_rank_variables
from harness.regular_files import append_regular
from harness.store.files import writing
from harness.store.logs import tail_of
from harness.store.results import Results
from harness.store.run_directory import RunState

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerOutcome(Enum):
    """The outcome of a run after its process has ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ELSEWHERE = "another worker holds the run"
    INTERRUPTED = "the worker was interrupted; its state is saved"
    EVICTED = "the worker was preempted; its state is saved"
    AGAIN = "the run has not started; try again"


class Launcher(ABC):
    """Starts workers. `grace_seconds` is the time that a worker has to save its state after SIGTERM.

    With `in_order`, runs start strictly one after the other, so that several nodes agree on the current run.
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
        """The number of runs that fit on this machine concurrently."""

    @abstractmethod
    def command(self, planned: PlannedRun, slot: int) -> list[str]:
        """Return the command that completes a run."""

    @abstractmethod
    def variables(self, slot: int) -> Mapping[str, str]:
        """Return the additional environment variables of a slot's workers."""

    @abstractmethod
    def outcome(self, planned: PlannedRun, slot: int, exit_code: int) -> WorkerOutcome:
        """Return the outcome of a run after its process has ended."""

    def exit_reason(self, planned: PlannedRun, exit_code: int) -> str:
        """Describe the end of a worker that left no record."""
        if exit_code < 0:
            return f"the worker was killed by signal {-exit_code}; run the same command again to resume"
        lines = tail_of(planned.directory.log).splitlines()
        return lines[-1] if lines else f"the worker left no record (exit code {exit_code})"

    def start(self, planned: PlannedRun, slot: int) -> Child:
        """Start the process of a run, with its output appended to the run's log."""
        with writing(planned.directory.log), append_regular(planned.directory.log) as log:
            return self._begin(planned, slot, log)

    def environment(self, slot: int) -> dict[str, str]:
        """Return the environment of a slot's workers."""
        return without_rank_variables(os.environ) | dict.fromkeys(THREAD_VARIABLES, "1") | dict(self.variables(slot))

    def close(self) -> None:  # noqa: B027 - most launchers have nothing to release
        """Release what the launcher needs to start workers, after the last one has ended."""

    def _begin(self, planned: PlannedRun, slot: int, log: IO[bytes]) -> Child:
        command = self.command(planned, slot)
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(slot))

    def worker(self, planned: PlannedRun) -> list[str]:
        """Return the module and arguments of a run's worker."""
        command = ["harness", "--results", str(self._results.root), "--data", str(self._data_root)]
        return [*command, planned.worker_command, planned.run.id, *self._execution.arguments()]


class SingleProcess(Launcher):
    """One process per run, on one GPU or one thread, so that results do not depend on the number of cores."""

    @property
    def default_workers(self) -> int:
        """One run per GPU, or one per core."""
        return default_workers()

    def command(self, planned: PlannedRun, slot: int) -> list[str]:
        """Return the command of the worker."""
        return [sys.executable, "-m", *self.worker(planned)]

    def variables(self, slot: int) -> Mapping[str, str]:
        """Return the GPU of the slot."""
        return {"CUDA_VISIBLE_DEVICES": self.gpus[slot % len(self.gpus)]} if self.gpus else {}

    def outcome(self, planned: PlannedRun, slot: int, exit_code: int) -> WorkerOutcome:
        """Return the outcome of a run from its directory and its worker's exit code."""
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
