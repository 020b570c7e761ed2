"""Scheduler queries: their frequency, and what missing answers mean. test_cluster.py covers real states."""

import pytest

from harness.launch.slurm.scheduler import STATES, Job, JobState, Scheduler, expand, state_of


class Cluster:
    """Answers like squeue and sacct and records the calls; None stands for a failing program."""

    def __init__(self, queue="", accounts=None):
        self.queue, self.accounts, self.asked, self.now = queue, accounts, [], 0.0

    def __call__(self, command):
        self.asked.append(command[0])
        return {"squeue": self.queue, "sacct": self.accounts}[command[0]]


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def scheduler(cluster):
    return Scheduler(min_interval=5, ask=cluster, clock=lambda: cluster.now)


def test_one_question_for_all_jobs_and_not_before_the_interval_has_passed(cluster, scheduler):
    cluster.queue = "".join(f"7_{n}|RUNNING|node1|h|None\n" for n in range(500))
    for _ in range(20):
        jobs = scheduler.jobs({f"7_{n}" for n in range(500)})
        assert {job.state for job in jobs.values()} == {JobState.RUNNING}
        cluster.now += 0.2
    assert cluster.asked == ["squeue"]
    cluster.now += 5
    scheduler.jobs({"7_0"})
    assert cluster.asked == ["squeue", "squeue"]


def test_the_database_is_asked_only_about_what_the_queue_has_forgotten(cluster, scheduler):
    cluster.queue = "7_0|PENDING||h|Priority\n"
    cluster.accounts = "8_1|TIMEOUT|node1|h\n8_1.0|CANCELLED|node1|python\n"
    jobs = scheduler.jobs({"7_0", "8_1"})
    assert jobs["7_0"] == Job("7_0", JobState.QUEUED, "h", "", "Priority")
    assert jobs["8_1"].state is JobState.TIMEOUT
    cluster.now += 6
    assert scheduler.jobs({"7_0", "8_1"})["8_1"].state is JobState.TIMEOUT
    assert cluster.asked == ["squeue", "sacct", "squeue"], "ended jobs are not queried again"


def test_silence_is_not_absence_and_makes_the_questions_rarer(cluster, scheduler):
    cluster.queue = None
    assert scheduler.jobs({"7_0"})["7_0"].state is JobState.SILENT
    for _ in range(100):
        cluster.now += 1
        scheduler.jobs({"7_0"})
    assert len(cluster.asked) <= 5
    cluster.queue, cluster.now = "", cluster.now + 300
    assert scheduler.jobs({"7_0"})["7_0"].state is JobState.UNKNOWN, "accounting is off, and the queue forgot it"


def test_a_database_that_is_off_is_asked_ever_less(cluster, scheduler):
    for _ in range(100):
        cluster.now += 5.1
        assert scheduler.jobs({"7_0"})["7_0"].state is JobState.UNKNOWN
    assert cluster.asked.count("squeue") == 100
    assert cluster.asked.count("sacct") <= 8


def test_a_step_that_ran_out_of_memory_makes_its_job_one_that_did(cluster, scheduler):
    cluster.queue = "7_0|FAILED|node1|h|NonZeroExitCode\n"
    cluster.accounts = "7_0|FAILED|node1|h\n7_0.batch|FAILED|node1|batch\n7_0.0|OUT_OF_MEMORY|node1|python\n"
    assert scheduler.jobs({"7_0"})["7_0"].state is JobState.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("id", "tasks"),
    [
        *[("7", ["7"]), ("7_3", ["7_3"]), ("7_[0-2,5%4]", ["7_0", "7_1", "7_2", "7_5"]), ("7_[9]", ["7_9"])],
        *[("7_[1-5:2]", ["7_1", "7_3", "7_5"]), ("7_[1,3-...]", ["7_1"]), ("7_[²,4]", ["7_4"])],
        *[("7_[1-2:0]", ["7_1", "7_2"]), ("7_[3999999-999999999]", ["7_3999999", "7_4000000"])],
        ("7_[0-99999999999]", []),
    ],
)
def test_ranges_of_waiting_tasks_are_expanded(id, tasks):
    assert list(expand(id)) == tasks


def test_every_state_has_a_meaning_and_a_new_one_is_unknown():
    assert state_of("CANCELLED by 1000") is JobState.CANCELLED
    assert state_of("CANCELLED+") is JobState.CANCELLED
    assert state_of("TELEPORTED") is state_of("") is JobState.UNKNOWN
    assert set(STATES.values()) == set(JobState) - {JobState.UNKNOWN, JobState.SILENT, JobState.STALLED}
