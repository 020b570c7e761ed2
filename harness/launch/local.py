"""The local executor: concurrent runs on this machine, each started by a launcher.

It is stateless. If a worker dies, the next one resumes from the run directory. A run held by a worker of another
process is polled until it is done or free.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from harness.launch.children import Child, wait_for_an_end
from harness.launch.launchers import Launcher, WorkerOutcome
from harness.launch.plan import PlannedRun
from harness.store.lease import is_leased
from harness.store.run_directory import RunState

POLL_SECONDS = 0.2


class Evicted(KeyboardInterrupt):
    """SIGUSR2 preempted this process: the state of all runs is saved, and they should be requeued."""


@dataclass
class ExecutorState:
    """The state of the executor, for displays."""

    waiting: list[PlannedRun]
    active: dict[str, PlannedRun] = field(default_factory=dict)
    elsewhere: dict[str, PlannedRun] = field(default_factory=dict)
    done: dict[str, PlannedRun] = field(default_factory=dict)
    failed: dict[str, PlannedRun] = field(default_factory=dict)
    cancelled: dict[str, PlannedRun] = field(default_factory=dict)
    exit_codes: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """The number of finished runs, whatever their outcome."""
        return len(self.done) + len(self.failed) + len(self.cancelled)

    def record(self, planned: PlannedRun, outcome: WorkerOutcome) -> None:
        """Move a run that is no longer active to the group of its outcome."""
        if outcome is WorkerOutcome.AGAIN:
            self.waiting.insert(0, planned)
            return
        groups = {
            WorkerOutcome.DONE: self.done,
            WorkerOutcome.FAILED: self.failed,
            WorkerOutcome.CANCELLED: self.cancelled,
            WorkerOutcome.ELSEWHERE: self.elsewhere,
        }
        groups[outcome][planned.run.id] = planned


class LocalExecutor:
    """Executes up to `workers` runs concurrently, on slots 0 to `workers - 1`."""

    def __init__(self, launcher: Launcher, workers: int, fail_fast: bool) -> None:
        self._launcher = launcher
        self._workers = workers
        self._fail_fast = fail_fast
        self._children: dict[int, tuple[Child, PlannedRun]] = {}

    def execute(self, runs: Sequence[PlannedRun], show: Callable[[ExecutorState], None]) -> ExecutorState:
        """Execute all runs and return their outcomes.

        A failed run does not stop the others unless `fail_fast`. Raises `KeyboardInterrupt` on SIGINT or SIGTERM and
        `Evicted` on SIGUSR2, after the workers have saved their state.
        """
        state = ExecutorState(waiting=list(runs))
        previous = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler),
            signal.SIGUSR2: signal.signal(signal.SIGUSR2, _raise_evicted),
        }
        try:
            while state.waiting or state.active or state.elsewhere:
                self._collect(state)
                if state.failed and self._fail_fast:
                    break
                self._revisit(state)
                for slot, planned in self._next_runs(state):
                    self._children[slot] = (self._launcher.start(planned, slot), planned)
                    state.active[planned.run.id] = planned
                show(state)
                wait_for_an_end([child for child, _ in self._children.values()], POLL_SECONDS)
        finally:
            self._stop_children()
            self._launcher.close()
            for number, handler in previous.items():
                signal.signal(number, handler)
        show(state)
        return state

    def _next_runs(self, state: ExecutorState) -> Iterator[tuple[int, PlannedRun]]:
        """Yield runs to start in free slots, except runs that were cancelled or finished elsewhere."""
        while state.waiting and len(self._children) < self._workers:
            if self._launcher.in_order and state.elsewhere:
                return
            planned = state.waiting.pop(0)
            if is_leased(planned.directory.path):
                state.elsewhere[planned.run.id] = planned
            elif planned.state in (RunState.DONE, RunState.CANCELLED):
                state.record(planned, _outcome_of(planned.state))
            else:
                yield next(slot for slot in range(self._workers) if slot not in self._children), planned

    def _collect(self, state: ExecutorState) -> None:
        """Record the workers that have ended.

        Raises `KeyboardInterrupt` if one was interrupted, since a signal to the process group may reach it first.
        """
        for slot, (child, planned) in list(self._children.items()):
            if (code := child.poll()) is None:
                continue
            del self._children[slot], state.active[planned.run.id]
            outcome = self._launcher.outcome(planned, slot, code)
            if outcome is WorkerOutcome.INTERRUPTED:
                raise KeyboardInterrupt
            if outcome is WorkerOutcome.EVICTED:
                raise Evicted
            state.record(planned, outcome)
            if outcome is WorkerOutcome.FAILED:
                state.exit_codes[planned.run.id] = code

    def _revisit(self, state: ExecutorState) -> None:
        """Check the runs held by other processes: done, failed, cancelled, or free again."""
        for id, planned in list(state.elsewhere.items()):
            if planned.state is not RunState.RUNNING:
                del state.elsewhere[id]
                state.record(planned, _outcome_of(planned.state))

    def _stop_children(self) -> None:
        """Terminate the workers, which save their state; after the grace period, kill them and their descendants."""
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
    """Return the outcome of a run without a worker; unfinished runs are queued again."""
    ends = {
        RunState.DONE: WorkerOutcome.DONE,
        RunState.FAILED: WorkerOutcome.FAILED,
        RunState.CANCELLED: WorkerOutcome.CANCELLED,
    }
    return ends.get(state, WorkerOutcome.AGAIN)


def _raise_evicted(*_: object) -> None:
    raise Evicted


def _kill(pid: int) -> None:
    """Kill a process and its descendants, since the ranks of torchrun are in separate process groups."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in [*process.children(recursive=True), process]:
            with suppress(psutil.Error):
                member.kill()
