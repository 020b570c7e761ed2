"""The policy for every job state, on real manifests and run directories."""

import re
from pathlib import Path

import pytest
from toy_paper import HYBRID

from harness.launch.slurm.manifest import RunProgress, entries
from harness.launch.slurm.policy import POLICIES, Action, decide_resubmission, progress_of
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.scheduler import Job, JobState
from harness.store.files import write_json
from harness.store.lease import Lease
from harness.store.records import Outcome
from harness.store.run_directory import RunState

PROFILE = Profile(memory="8G", time=60, max_attempts=3, max_memory="16G", max_time=200)


@pytest.fixture
def verdict(results, planned):
    """Return the decision on a run whose newest job is in a given state."""

    def ask(state, profile=PROFILE, by_hand=False):
        found = entries(results).get(HYBRID.id, [])
        chain = frozenset(entry.submission.id for entry in found)
        jobs = {entry.job: Job(entry.job, state) for entry in found}
        mark = progress_of(planned.directory)
        return decide_resubmission(HYBRID, planned.state, mark, found, jobs, profile, None if by_hand else chain)

    return ask


AGAIN, LATER, NEVER = Action.SUBMIT, Action.WAIT, Action.LEAVE


@pytest.mark.parametrize(
    ("state", "action", "time", "memory"),
    [
        (JobState.QUEUED, LATER, 60, 8192),
        (JobState.RUNNING, LATER, 60, 8192),
        (JobState.SILENT, LATER, 60, 8192),
        (JobState.COMPLETED, AGAIN, 60, 8192),
        (JobState.FAILED, AGAIN, 60, 8192),
        (JobState.PREEMPTED, AGAIN, 60, 8192),
        (JobState.NODE_FAIL, AGAIN, 60, 8192),
        (JobState.BOOT_FAIL, AGAIN, 60, 8192),
        (JobState.UNKNOWN, AGAIN, 60, 8192),
        (JobState.TIMEOUT, AGAIN, 120, 8192),
        (JobState.STALLED, AGAIN, 120, 8192),
        (JobState.OUT_OF_MEMORY, AGAIN, 60, 12288),
        (JobState.CANCELLED, NEVER, 60, 8192),
        (JobState.DEADLINE, NEVER, 60, 8192),
    ],
)
def test_every_state_has_its_policy(state, action, time, memory, submitted, verdict):
    submitted(HYBRID, PROFILE)
    found = verdict(state)
    assert (found.action, found.resources.time, found.resources.memory) == (action, time, memory), found.says


def test_the_table_in_the_documentation_is_that_of_the_code():
    text = (Path(__file__).parents[2] / "docs" / "slurm.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z ]+)` \|.*\| (submitted again|left alone|waited for)", text, re.MULTILINE))
    says = {AGAIN: "submitted again", NEVER: "left alone", LATER: "waited for"}
    assert rows == {state.value: says[policy.action] for state, policy in POLICIES.items()}
    assert set(POLICIES) == set(JobState)


def test_by_hand_only_a_job_that_may_live_keeps_a_run_from_being_submitted(submitted, verdict):
    submitted(HYBRID, PROFILE)
    waits = {state for state in JobState if verdict(state, by_hand=True).action is not AGAIN}
    assert waits == {JobState.QUEUED, JobState.RUNNING, JobState.SILENT}


def test_attempts_without_progress_are_bounded_and_others_are_not(submitted, verdict, planned):
    for number in range(3):
        submitted(HYBRID, PROFILE, number=number)
    left = verdict(JobState.NODE_FAIL)
    assert left.action is NEVER and "made no progress in 3 attempts" in left.says
    assert verdict(JobState.NODE_FAIL, by_hand=True).action is AGAIN
    write_json(planned.directory.checkpoints / "000000040.json", {})
    assert progress_of(planned.directory) == RunProgress(step=40)
    assert verdict(JobState.NODE_FAIL).action is AGAIN, "the last attempt made progress"


def test_attempts_before_progress_do_not_count(submitted, verdict):
    """The run lost its progress later: only the last attempt made none."""
    for number, step in enumerate((0, 0, 40, 0)):
        submitted(HYBRID, PROFILE, number=number, marks={HYBRID.id: RunProgress(step=step)})
    assert verdict(JobState.NODE_FAIL).action is AGAIN


def test_a_time_limit_is_doubled_only_for_a_stalled_run_up_to_a_bound(submitted, verdict, planned):
    submitted(HYBRID, PROFILE)
    write_json(planned.directory.checkpoints / "000000040.json", {})
    assert verdict(JobState.TIMEOUT).resources.time == 60
    mark = {"marks": {HYBRID.id: RunProgress(step=40)}}
    submitted(HYBRID, PROFILE, PROFILE.resources().but(time=120), number=1, **mark)
    assert verdict(JobState.TIMEOUT).resources.time == 200
    assert verdict(JobState.NODE_FAIL).resources.time == 120, "the raised limit is kept"
    submitted(HYBRID, PROFILE, PROFILE.resources().but(time=200), number=2, **mark)
    found = verdict(JobState.TIMEOUT)
    assert found.action is NEVER and "the maximum is 200 min" in found.says


def test_memory_is_raised_up_to_a_bound_if_the_profile_names_it(submitted, verdict):
    submitted(HYBRID, PROFILE, PROFILE.resources().but(memory="12G"))
    assert verdict(JobState.OUT_OF_MEMORY).resources.memory == 16384
    submitted(HYBRID, PROFILE, PROFILE.resources().but(memory="16G"), number=1)
    assert "the maximum is 16384 MB" in verdict(JobState.OUT_OF_MEMORY).says
    unbounded = Profile(time=60, max_attempts=9)
    submitted(HYBRID, unbounded, number=2)
    found = verdict(JobState.OUT_OF_MEMORY, unbounded)
    assert found.action is NEVER and "set 'memory' in the profile" in found.says


def test_the_run_directory_decides_before_the_scheduler_is_heard(submitted, verdict, planned):
    submitted(HYBRID, PROFILE)
    Outcome.now("failed", "it diverged").save(planned.directory.outcome)
    assert verdict(JobState.COMPLETED).action is NEVER
    assert verdict(JobState.COMPLETED, by_hand=True).action is AGAIN
    Outcome.now("cancelled").save(planned.directory.outcome)
    assert verdict(JobState.NODE_FAIL, by_hand=True).action is NEVER
    planned.directory.outcome.unlink()
    lease = Lease.acquire(planned.directory.path)
    with lease:
        assert planned.state is RunState.RUNNING
        assert verdict(JobState.UNKNOWN, by_hand=True).action is LATER
