"""The local executor: worker processes side by side on this machine.

It keeps no state of its own. A worker that dies leaves a run directory that the next one continues; a run that
somebody else's worker holds is watched until it is done or free. Every CPU worker computes on one thread, so that a
result does not depend on the number of cores.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.launch.devices import gpu_ids
from harness.launch.plan import PlannedRun
from harness.spec.execution import Execution
from harness.store.files import writing
from harness.store.lease import is_leased
from harness.store.run_directory import Results, State

POLL_SECONDS = 0.2
GRACE_SECONDS = 20.0
BUSY_EXIT_CODE, INTERRUPTED_EXIT_CODE = 3, 130
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass
class Board:
    """What the executor is doing, for displays."""

    waiting: list[PlannedRun]
    active: dict[str, PlannedRun] = field(default_factory=dict)
    elsewhere: dict[str, PlannedRun] = field(default_factory=dict)
    done: dict[str, PlannedRun] = field(default_factory=dict)
    failed: dict[str, PlannedRun] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)


class LocalExecutor:
    """Runs workers as child processes, `workers` at a time."""

    def __init__(self, results: Results, data_root: Path, workers: int, fail_fast: bool, execution: Execution) -> None:
        self._results = results
        self._data_root = data_root
        self._workers = workers
        self._fail_fast = fail_fast
        self._execution = execution
        self._gpus = gpu_ids()
        self._children: dict[int, tuple[subprocess.Popen[bytes], PlannedRun]] = {}

    def execute(self, runs: Sequence[PlannedRun], show: Callable[[Board], None]) -> Board:
        """Bring every run to its end, or to its failure, and return what became of each.

        One failed run does not stop the others, unless `fail_fast`. Raises `KeyboardInterrupt` when interrupted,
        after the workers have saved their state.
        """
        board = Board(waiting=list(runs))
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while board.waiting or board.active or board.elsewhere:
                self._collect(board)
                if board.failed and self._fail_fast:
                    break
                self._revisit(board)
                self._start(board)
                show(board)
                time.sleep(POLL_SECONDS)
        finally:
            self._stop_children()
            signal.signal(signal.SIGTERM, previous)
        show(board)
        return board

    def _start(self, board: Board) -> None:
        while board.waiting and len(self._children) < self._workers:
            planned = board.waiting.pop(0)
            if is_leased(planned.directory.path):
                board.elsewhere[planned.run.id] = planned
                continue
            slot = next(slot for slot in range(self._workers) if slot not in self._children)
            self._children[slot] = (self._spawn(planned, slot), planned)
            board.active[planned.run.id] = planned

    def _collect(self, board: Board) -> None:
        """Take note of the workers that have ended.

        Raises `KeyboardInterrupt` when one was interrupted: a signal to the whole group can reach it first.
        """
        for slot, (child, planned) in list(self._children.items()):
            if child.poll() is None:
                continue
            del self._children[slot], board.active[planned.run.id]
            if child.returncode == INTERRUPTED_EXIT_CODE:
                raise KeyboardInterrupt
            if child.returncode == BUSY_EXIT_CODE:
                board.elsewhere[planned.run.id] = planned
            elif planned.state is State.DONE:
                board.done[planned.run.id] = planned
            else:
                board.failed[planned.run.id] = planned
                board.exit_codes[planned.run.id] = child.returncode

    def _revisit(self, board: Board) -> None:
        """Look after the runs that other processes hold: done, failed, or free to be taken."""
        for id, planned in list(board.elsewhere.items()):
            state = planned.state
            if state is State.RUNNING:
                continue
            del board.elsewhere[id]
            if state is State.DONE:
                board.done[id] = planned
            elif state is State.FAILED:
                board.failed[id] = planned
            else:
                board.waiting.append(planned)

    def _spawn(self, planned: PlannedRun, slot: int) -> subprocess.Popen[bytes]:
        environment = dict(os.environ) | dict.fromkeys(THREAD_VARIABLES, "1")
        if self._gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self._gpus[slot % len(self._gpus)]
        command = [sys.executable, "-m", "harness", "--results", str(self._results.root)]
        command += ["--data", str(self._data_root), "worker", planned.run.id, *self._execution.arguments()]
        with writing(planned.directory.log), open(planned.directory.log, "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def _stop_children(self) -> None:
        """Ask the workers to save and leave; end those that do not within the grace period."""
        for child, _ in self._children.values():
            child.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child, _ in self._children.values():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
        self._children.clear()
