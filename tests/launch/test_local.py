"""The local executor, with shell scripts in place of workers."""

import signal

import gpus
import pytest
from toy_paper import HYBRID

from harness.config.execution import Execution
from harness.exit_codes import ExitCode
from harness.launch import local
from harness.launch.launchers import SingleProcess
from harness.launch.local import Evicted, LocalExecutor
from harness.launch.plan import PlannedRun
from harness.store.lease import Lease
from harness.store.records import Outcome, TrainingRecord
from harness.store.results import Results

pytestmark = pytest.mark.timeout(30)  # an executor that loses a run waits forever
TRAINED = TrainingRecord(iterations=1, parameters=1, weights_sha256="0" * 64, data_sha256="0" * 64).model_dump_json()
ENDS = f"echo '{TRAINED}' > \"$RUN/training.json\""
"""What the worker of a finished run without evaluations leaves behind."""
STAYS = "exec sleep 60"


class Shell(SingleProcess):
    """Starts a script for each run and records its slot; no slot may have two workers at a time."""

    grace_seconds = 5.0

    def __init__(self, results, scripts):
        super().__init__(results, results.root, Execution())
        self.scripts, self.started, self.children, self.taken = scripts, [], [], set()

    def command(self, planned, slot):
        script = self.scripts[planned.run.config.seed]
        return ["sh", "-c", f'RUN="{planned.directory.path}"; ALL="{self._results.root}"; {script}']

    def start(self, planned, slot):
        assert slot not in self.taken
        self.taken.add(slot)
        self.started.append((planned.run.config.seed, slot))
        self.children.append(super().start(planned, slot))
        return self.children[-1]

    def outcome(self, planned, slot, exit_code):
        self.taken.remove(slot)
        return super().outcome(planned, slot, exit_code)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(local, "POLL_SECONDS", 0.01)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.fixture
def launcher_of(tmp_path):
    return lambda *scripts: Shell(Results(tmp_path), scripts)


@pytest.fixture
def runs(tmp_path):
    """Three requested runs, each with its index as seed."""
    made = []
    for seed in range(3):
        run = HYBRID.but(seed=seed)
        made.append(PlannedRun(run, Results(tmp_path).directory(run), None))
        made[-1].request()
    return made


def execute(launcher, runs, workers=1, fail_fast=False, show=lambda state: None):
    """Return the outcome of each run or the type of the interruption, so that none ends the tests themselves."""
    try:
        return LocalExecutor(launcher, workers, fail_fast).execute(runs, show)
    except KeyboardInterrupt as error:
        return type(error)


def seeds(group):
    return sorted(planned.run.config.seed for planned in group.values())


def test_slots_are_distinct_and_taken_again_when_they_are_free(launcher_of, runs):
    """The worker of slot 1 keeps running until the third run, which has to wait for slot 0, is running."""
    launcher = launcher_of(
        ENDS, f'until [ -e "$ALL/third" ]; do sleep 0.01; done; {ENDS}', f'touch "$ALL/third"; {ENDS}'
    )
    most = []
    state = execute(launcher, runs, workers=2, show=lambda state: most.append(len(state.active)))
    assert launcher.started == [(0, 0), (1, 1), (2, 0)]
    assert max(most) == 2
    assert seeds(state.done) == [0, 1, 2]
    assert not (state.waiting or state.active or state.elsewhere or state.failed or state.cancelled)
    assert state.ended == 3


def test_a_worker_sees_the_gpu_of_its_slot_and_has_one_thread(launcher_of, runs, monkeypatch):
    gpus.pretend(monkeypatch, gpus.listing(8))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    launcher = launcher_of(*[f'echo "$CUDA_VISIBLE_DEVICES $OMP_NUM_THREADS"; {ENDS}'] * 3)
    assert launcher.default_workers == 2
    execute(launcher, runs, workers=3)
    assert launcher.started == [(0, 0), (1, 1), (2, 2)]
    assert [planned.directory.log.read_text() for planned in runs] == ["4 1\n", "7 1\n", "4 1\n"]


def test_a_failed_run_does_not_stop_the_others_and_its_exit_code_is_kept(launcher_of, runs):
    launcher = launcher_of("exit 7", ENDS, "kill -9 $$")
    state = execute(launcher, runs)
    assert [seed for seed, _ in launcher.started] == [0, 1, 2]
    assert (seeds(state.failed), seeds(state.done)) == ([0, 2], [1])
    assert state.exit_codes == {runs[0].run.id: 7, runs[2].run.id: -9}


def test_the_first_failure_ends_the_workers_where_that_is_asked_for(launcher_of, runs):
    launcher = launcher_of("false", STAYS, ENDS)
    state = execute(launcher, runs, workers=2, fail_fast=True)
    assert [seed for seed, _ in launcher.started] == [0, 1]
    assert seeds(state.failed) == [0]
    assert state.waiting == runs[2:]
    assert [child.returncode for child in launcher.children] == [1, -signal.SIGTERM]


def test_a_worker_that_does_not_leave_is_killed(launcher_of, runs):
    launcher = launcher_of(
        'until [ -e "$ALL/deaf" ]; do sleep 0.01; done; false', f'trap "" TERM; touch "$ALL/deaf"; {STAYS}'
    )
    launcher.grace_seconds = 0.1
    execute(launcher, runs[:2], workers=2, fail_fast=True)
    assert [child.returncode for child in launcher.children] == [1, -signal.SIGKILL]


@pytest.mark.parametrize("leaves", ["done", "cancelled", "failed", "free"])
def test_a_run_that_is_held_elsewhere_is_waited_for(launcher_of, runs, leaves):
    """A run is taken over only if its holder leaves it unfinished."""
    launcher, held, boards = launcher_of(ENDS, ENDS, ENDS), runs[0].directory, []
    lease = Lease.acquire(held.path)

    def show(state):
        boards.append((seeds(state.elsewhere), seeds(state.done)))
        if len(boards) == 10:
            if leaves == "done":
                held.training.write_text(TRAINED)
            elif leaves != "free":
                Outcome.now(leaves).save(held.outcome)
            lease.__exit__()

    with lease:
        state = execute(launcher, runs, show=show)
    assert boards[9] == ([0], [1, 2])
    assert [seed for seed, _ in launcher.started] == [1, 2] + [0] * (leaves == "free")
    assert seeds(getattr(state, "done" if leaves == "free" else leaves)) == [0] + [1, 2] * (leaves in ("done", "free"))
    assert not state.elsewhere


def test_cancelled_and_finished_runs_are_not_started(launcher_of, runs):
    launcher = launcher_of(ENDS, ENDS, ENDS)
    Outcome.now("cancelled").save(runs[0].directory.outcome)
    runs[1].directory.training.write_text(TRAINED)
    state = execute(launcher, runs)
    assert launcher.started == [(2, 0)]
    assert (seeds(state.cancelled), seeds(state.done)) == ([0], [1, 2])


def test_a_run_that_is_cancelled_under_its_worker_has_not_failed(launcher_of, runs):
    launcher = launcher_of(f'until [ -e "$RUN/outcome.json" ]; do sleep 0.01; done; exit {ExitCode.INTERRUPTED:d}')

    def show(state):
        if state.active:
            Outcome.now("cancelled").save(runs[0].directory.outcome)

    state = execute(launcher, runs[:1], show=show)
    assert seeds(state.cancelled) == [0]
    assert not state.failed
    assert not state.exit_codes


@pytest.mark.parametrize(("code", "error"), [(ExitCode.INTERRUPTED, KeyboardInterrupt), (ExitCode.EVICTED, Evicted)])
def test_a_worker_that_was_asked_to_leave_takes_the_executor_along(launcher_of, runs, code, error):
    launcher = launcher_of(f"exit {code:d}", STAYS)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR2)]
    assert execute(launcher, runs, workers=2) is error
    assert [child.returncode for child in launcher.children] == [code, -signal.SIGTERM]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR2)] == before


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, KeyboardInterrupt), (signal.SIGUSR2, Evicted)])
def test_signals_to_the_executor_end_its_workers(launcher_of, runs, number, error):
    launcher = launcher_of(STAYS)
    assert execute(launcher, runs, show=lambda state: signal.raise_signal(number)) is error
    assert [child.returncode for child in launcher.children] == [-signal.SIGTERM]
