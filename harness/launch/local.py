"""The executor of this machine: runs side by side, each started by a launcher.

It keeps no state of its own. A worker that dies leaves a run directory that the next one continues; a run that
somebody else's worker holds is watched until it is done or free.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from harness.launch.launchers import Launcher, WorkerOutcome
from harness.launch.plan import PlannedRun
from harness.store.lease import is_leased
from harness.store.run_directory import RunState

POLL_SECONDS = 0.2


class Evicted(KeyboardInterrupt):
    """Somebody asked for this machine back, by SIGUSR2: the state of all runs is saved, and they want to come back."""


@dataclass
class ExecutorState:
    """What the executor is doing, for displays."""

    waiting: list[PlannedRun]
    active: dict[str, PlannedRun] = field(default_factory=dict)
    elsewhere: dict[str, PlannedRun] = field(default_factory=dict)
    done: dict[str, PlannedRun] = field(default_factory=dict)
    failed: dict[str, PlannedRun] = field(default_factory=dict)
    cancelled: dict[str, PlannedRun] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """The number of runs for which nothing more will be done."""
        return len(self.done) + len(self.failed) + len(self.cancelled)

    def record(self, planned: PlannedRun, fate: WorkerOutcome) -> None:
        """Put a run that this executor is not at any more where its fate says."""
        if fate is WorkerOutcome.AGAIN:
            self.waiting.insert(0, planned)
            return
        groups = {
            WorkerOutcome.DONE: self.done,
            WorkerOutcome.FAILED: self.failed,
            WorkerOutcome.CANCELLED: self.cancelled,
            WorkerOutcome.ELSEWHERE: self.elsewhere,
        }
        groups[fate][planned.run.id] = planned


class LocalExecutor:
    """Keeps `workers` runs at work at a time, on the slots 0 to `workers - 1`."""

    def __init__(self, launcher: Launcher, workers: int, fail_fast: bool) -> None:
        self._launcher = launcher
        self._workers = workers
        self._fail_fast = fail_fast
        self._children: dict[int, tuple[subprocess.Popen[bytes], PlannedRun]] = {}

    def execute(self, runs: Sequence[PlannedRun], show: Callable[[ExecutorState], None]) -> ExecutorState:
        """Bring every run to its end, or to its failure, and return what became of each.

        One failed or cancelled run does not stop the others, unless `fail_fast`. Raises `KeyboardInterrupt` when
        interrupted and `Evicted` when asked to make room, after the workers have saved their state.
        """
        board = ExecutorState(waiting=list(runs))
        previous = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler),
            signal.SIGUSR2: signal.signal(signal.SIGUSR2, _make_room),
        }
        try:
            while board.waiting or board.active or board.elsewhere:
                self._collect(board)
                if board.failed and self._fail_fast:
                    break
                self._revisit(board)
                for slot, planned in self._next_runs(board):
                    self._children[slot] = (self._launcher.start(planned, slot), planned)
                    board.active[planned.run.id] = planned
                show(board)
                time.sleep(POLL_SECONDS)
        finally:
            self._stop_children()
            for number, handler in previous.items():
                signal.signal(number, handler)
        show(board)
        return board

    def _next_runs(self, board: ExecutorState) -> Iterator[tuple[int, PlannedRun]]:
        """Yield runs to start in free slots, except those that were cancelled or finished elsewhere meanwhile."""
        while board.waiting and len(self._children) < self._workers:
            if self._launcher.in_order and board.elsewhere:
                return
            planned = board.waiting.pop(0)
            if is_leased(planned.directory.path):
                board.elsewhere[planned.run.id] = planned
            elif planned.state in (RunState.DONE, RunState.CANCELLED):
                board.record(planned, _outcome_of(planned.state))
            else:
                yield next(slot for slot in range(self._workers) if slot not in self._children), planned

    def _collect(self, board: ExecutorState) -> None:
        """Take note of the workers that have ended.

        Raises `KeyboardInterrupt` when one was interrupted: a signal to the whole group can reach it first.
        """
        for slot, (child, planned) in list(self._children.items()):
            if child.poll() is None:
                continue
            del self._children[slot], board.active[planned.run.id]
            fate = self._launcher.outcome(planned, slot, child.returncode)
            if fate is WorkerOutcome.INTERRUPTED:
                raise KeyboardInterrupt
            if fate is WorkerOutcome.EVICTED:
                raise Evicted
            board.record(planned, fate)
            if fate is WorkerOutcome.FAILED:
                board.exit_codes[planned.run.id] = child.returncode

    def _revisit(self, board: ExecutorState) -> None:
        """Look after the runs that other processes hold: done, failed, cancelled, or free to be taken."""
        for id, planned in list(board.elsewhere.items()):
            if planned.state is not RunState.RUNNING:
                del board.elsewhere[id]
                board.record(planned, _outcome_of(planned.state))

    def _stop_children(self) -> None:
        """Ask the workers to save and leave; end those that do not within the grace period, with their own children."""
        for child, _ in self._children.values():
            child.terminate()
        deadline = time.monotonic() + self._launcher.grace_seconds
        for child, _ in self._children.values():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                _kill(child.pid)
                child.wait()
        self._children.clear()


def _outcome_of(state: RunState) -> WorkerOutcome:
    """Return what became of a run that nobody is at; what is not at its end waits for its turn."""
    ends = {
        RunState.DONE: WorkerOutcome.DONE,
        RunState.FAILED: WorkerOutcome.FAILED,
        RunState.CANCELLED: WorkerOutcome.CANCELLED,
    }
    return ends.get(state, WorkerOutcome.AGAIN)


def _make_room(*_: object) -> None:
    raise Evicted


def _kill(pid: int) -> None:
    """End a process and its descendants: the ranks of a torchrun are in process groups of their own."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                one.kill()
