"""Environment variables around SLURM's commands, and the paths of logs."""

import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from toy_paper import DENOISING, HYBRID

from harness.cli.settings import Settings
from harness.cli.slurm import _trace
from harness.errors import HarnessError, SpecError
from harness.launch.job_status import retry_commands
from harness.launch.slurm import scheduler
from harness.launch.slurm.batch import array_executor, follow_up_executor, log_pattern
from harness.launch.slurm.job_status import JobStatus
from harness.launch.slurm.profile import Profile
from harness.launch.slurm.scheduler import JobState
from harness.launch.slurm.variables import for_submission, outside_of_jobs, unused
from harness.store.records import Outcome
from harness.store.run_directory import RunState

SCRIPT = "#!/bin/bash\n#SBATCH --partition=main\n#SBATCH --time=10\n#SBATCH --mem=1500M\n#SBATCH --requeue\necho\n"
OPEN = "#!/bin/bash\n#SBATCH --time=10\n"
WISHES = {"SBATCH_ACCOUNT": "mine", "SBATCH_QOS": "long", "SBATCH_RESERVATION": "r", "SBATCH_CONSTRAINT": "a|b"}


def test_nothing_that_changes_a_command_reaches_it():
    steering = ("SLURM_JOB_ID", "SLURM_TIME_FORMAT", "SLURM_CLUSTERS", "SQUEUE_FORMAT", "SQUEUE_STATES", "SACCT_LOCAL")
    steering += ("SCANCEL_INTERACTIVE", "SCONTROL_ALL", "SBATCH_ARRAY_INX", "SRUN_DEBUG", "SINFO_FORMAT")
    kept = {"SLURM_CONF": "c", "SLURM_JWT": "secret", "HOME": "h", "SLURMISH": "s"}
    assert outside_of_jobs(kept | dict.fromkeys(steering, "1")) == kept


def test_wishes_of_the_user_count_where_the_script_is_silent():
    given = WISHES | {"SBATCH_PARTITION": "high", "SBATCH_MEM_PER_CPU": "77", "PATH": "p"}
    assert for_submission(given, OPEN) == given
    assert for_submission(given, SCRIPT) == WISHES | {"PATH": "p"}
    assert for_submission({"SBATCH_PARTITION": " ", "SBATCH_ACCOUNT": ""}, OPEN) == {}


def test_wishes_that_do_not_count_are_said():
    given = WISHES | {
        "SBATCH_PARTITION": "high",
        "SBATCH_MEM_PER_CPU": "77",
        "SBATCH_TIMELIMIT": "3",
        "SBATCH_WAIT": "1",
    }
    given |= {"SBATCH_NO_REQUEUE": "", "SLURM_CLUSTERS": "other", "SLURM_JOB_ID": "7", "SQUEUE_FORMAT": "%i"}
    assert list(unused(given, SCRIPT)) == [
        "SBATCH_MEM_PER_CPU=77 is not used: the batch script has --mem=1500M",
        "SBATCH_PARTITION=high is not used: the batch script has --partition=main",
        "SBATCH_TIMELIMIT=3 is not used: the batch script has --time=10",
        "SBATCH_WAIT=1 is not used: such options belong under [sbatch] in the profile",
        "SLURM_CLUSTERS=other is not used: jobs go to the cluster of this machine",
    ]
    assert list(unused({"SBATCH_PARTITION": "main", "SBATCH_TIMELIMIT": "10", "SBATCH_QOS": "q"}, SCRIPT)) == []


def test_commands_run_outside_of_jobs_and_read_no_terminal(monkeypatch):
    monkeypatch.setenv("SCANCEL_INTERACTIVE", "1")
    monkeypatch.setenv("SQUEUE_FORMAT", "%i")
    asked = {}
    monkeypatch.setattr(subprocess, "run", lambda command, **how: asked.update(how))
    scheduler.call(["scancel", "1"])
    assert asked["stdin"] == subprocess.DEVNULL
    assert not {"SCANCEL_INTERACTIVE", "SQUEUE_FORMAT"} & asked["env"].keys()


@pytest.fixture
def srun(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")


PATHS = {
    "/r/pct%j/l": "/r/pct%%j/l",
    "/r/a b/l": "/r/a b/l",
    "/r/b\\s%j/l": "/r/b\\\\\\\\s%j/l",
    "/r/%%/l": "/r/%%%%/l",
}


@pytest.mark.parametrize(("path", "pattern"), PATHS.items())
def test_a_log_is_written_to_the_very_path(srun, path, pattern):
    assert log_pattern(Path(path)) == pattern
    profile, folder = Profile(), Path(path).parent
    for executor in (
        array_executor(folder, profile, profile.resources(), "a", 2, None, ""),
        follow_up_executor(folder, profile, "f", "afterany:1"),
    ):
        assert executor.parameters["additional_parameters"]["output"] == log_pattern(folder / "slurm.log")


@pytest.mark.parametrize("answer", ["42\n", "", "queued\x1b[2J\n\nthanks\n"])
def test_an_answer_of_sbatch_without_a_job_is_an_error_on_one_line(srun, monkeypatch, tmp_path, answer):
    monkeypatch.setattr("subprocess.run", lambda command, **options: CompletedProcess(command, 0, answer, ""))
    executor = follow_up_executor(tmp_path, Profile(), "f", "afterany:1")
    with pytest.raises(HarnessError, match=r"sbatch answers '.*', which names no job; 'run' again checks") as error:
        executor.submit_script("f", "true")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("path", ["/r/new\nline", "/r/esc\x1b[0m", "/r/\udcff"])
def test_a_path_that_no_script_can_hold_is_refused_on_one_line(path):
    with pytest.raises(SpecError, match=r"SLURM cannot write a log to .*: give --results without") as error:
        log_pattern(Path(path))
    assert str(error.value).isprintable()


def test_the_command_to_retry_a_run_says_where_it_was_submitted(results, submitted):
    submitted(HYBRID, profile_name="/my profiles/p.toml")
    assert retry_commands(results, [HYBRID.id, DENOISING.id]) == [
        f"python -m harness retry {HYBRID.id} --executor slurm --profile '/my profiles/p.toml'",
        f"python -m harness retry {DENOISING.id}",
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [((), "unknown profile 'nowhere'"), (("--workers", "2"), "--workers is not for --executor slurm")],
)
def test_a_submitted_run_is_retried_where_it_was_submitted(harness, results, planned, submitted, options, says):
    submitted(HYBRID, profile_name="nowhere")
    Outcome.now("cancelled").save(planned.directory.outcome)
    done = harness("retry", HYBRID.id, *options, results=results.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and done.stderr.count("\n") == 1
    assert planned.state is RunState.CANCELLED, "an error deletes nothing"


def test_a_run_without_an_outcome_names_the_logs_that_exist(planned, results):
    settings = Settings(results.root, results.root, quiet=True, color=False)
    assert _trace(settings, planned, None) == "it left no log"
    job = JobStatus("7_0", JobState.FAILED, "JobLaunchFailure", "s")
    assert _trace(settings, planned, job) == "job 7_0: failed (JobLaunchFailure); it left no log"
    planned.directory.log.write_text("a line\n")
    assert _trace(settings, planned, None) == f"see {planned.directory.log}"
