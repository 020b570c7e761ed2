"""Batch scripts, written and submitted through submitit, with a command as payload instead of a pickle.

submitit formats the options of `sbatch` and parses the job id from its output. A submission has one folder; stdout and
stderr of all its tasks are appended to one log.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from submitit import SlurmExecutor
from submitit.core.utils import FailedSubmissionError

from harness.errors import HarnessError, SpecError, given
from harness.exit_codes import ExitCode
from harness.launch.slurm.manifest import OUT_OF_MEMORY, STALLED
from harness.launch.slurm.profile import FollowUp, Profile, Resources
from harness.launch.slurm.scheduler import COMMAND_SECONDS
from harness.launch.slurm.variables import for_submission
from harness.store.files import writing

UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
AFTER = """\
# Act on the exit code of the step (docs/slurm.md).
code=$?
task="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
restarts="${SLURM_RESTART_COUNT:-0}"
say() { echo "$(date +%FT%T) job $task on $(hostname): exit code $code, $1"; }
why=""
case "$code" in
  @ended@) exit "$code" ;;  # done, recorded failure, wrong command, or another worker holds the run
  @evicted@) limit=1000000 ;;  # the worker saved its state and asks for a restart
  @stalled@) limit=@restarts@ why="@why_stalled@, " ;;  # the same, without progress
  *) limit=@restarts@ ;;  # died, or ended by SIGTERM alone
esac
if grep -Eq "(oom.kill event.*StepId=$SLURM_JOB_ID[.])|(StepId=$SLURM_JOB_ID[.].* exceeded memory)" @log@; then
  say "@out_of_memory@"
elif [ "$restarts" -lt "$limit" ]; then
  say "${why}restart $((restarts + 1))"
  scontrol requeue "$task" && sleep 60
else
  say "${why}no restart"
fi
exit "$code"\
"""


class Refused(HarnessError):
    """`sbatch` rejected a job, with its own message."""


class BatchExecutor(SlurmExecutor):
    """submitit's executor with a command instead of a pickled function, and one log instead of two files per task."""

    def __init__(self, folder: Path, python: str | None) -> None:
        # The base class checks for srun before anything is written.
        try:
            super().__init__(folder, python=python)
        except RuntimeError:
            raise HarnessError(
                "this machine has no 'srun': --executor slurm works where SLURM is installed, --executor local anywhere"
            ) from None

    def submit_script(self, name: str, command: str) -> str:
        """Write the script `name`.sbatch, submit it, and return the job id.

        Raises `Refused` with the message of `sbatch`, and `HarnessError` for an answer without a job id.
        """
        answer = self._sbatch(name, command)
        try:
            return self._get_job_id_from_submission_command(answer)
        except FailedSubmissionError:
            said = f"sbatch answers {given(answer.strip())}, which names no job"
            raise HarnessError(f"{said}; 'run' again checks whether the job was queued") from None

    def check_script(self, name: str, command: str) -> None:
        """Write the script `name`.sbatch and validate it with `sbatch --test-only`.

        Raises `Refused` with the message of `sbatch`.
        """
        self._sbatch(name, command, "--test-only")

    def _sbatch(self, name: str, command: str, *options: str) -> str:
        script, text = self.folder / f"{name}.sbatch", self._make_submission_file_text(command, name) + "\n"
        with writing(script):
            self.folder.mkdir(parents=True, exist_ok=True)
            script.write_text(text, encoding="utf-8")
        program, *rest = self._make_submission_command(script)
        try:
            done = subprocess.run(
                [program, *options, *rest],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=10 * COMMAND_SECONDS,
                env=for_submission(os.environ, text),
            )
        except OSError as error:
            raise HarnessError(f"cannot start sbatch: {error.strerror}: is SLURM installed on this machine?") from None
        except subprocess.TimeoutExpired:
            raise HarnessError("sbatch does not answer; 'run' again checks whether the job was queued") from None
        if done.returncode != 0:
            raise Refused(" ".join(done.stderr.replace("sbatch: error: ", "").split()) or "sbatch failed silently")
        return done.stdout


def array_executor(
    folder: Path, profile: Profile, resources: Resources, name: str, tasks: int, parallelism: int | None, after: str
) -> BatchExecutor:
    """Return an executor for an array of `tasks` tasks called `name`; `after` is the value of `--dependency`."""
    executor = BatchExecutor(folder, profile.python)
    extra: dict[str, Any] = {"output": log_pattern(folder / "slurm.log")}
    extra["requeue" if profile.requeue else "no-requeue"] = True
    executor.update_parameters(
        **_site_options(resources, profile),
        job_name=name,
        time=resources.time,
        nodes=resources.nodes,
        ntasks_per_node=resources.tasks_per_node,
        cpus_per_task=resources.cpus_per_task,
        gpus_per_node=resources.gpus_per_node or None,
        signal_delay_s=profile.signal_seconds,
        array_parallelism=parallelism or tasks,
        dependency=after or None,
        setup=list(profile.setup),
        teardown=_teardown(folder / "slurm.log", profile),
        stderr_to_stdout=True,
        use_srun=False,
        wckey=None,
        additional_parameters=extra | _enabled(profile.sbatch),
    )
    executor.parameters["map_count"] = tasks  # as submitit does it for its own arrays
    return executor


def log_pattern(path: Path) -> str:
    """Return the value of `--output` in a batch script that means this very path, without replacement symbols.

    A backslash turns the symbols off, and is taken away twice: from the script, and from the path. Raises `SpecError`
    for a path that a line of a script cannot contain.
    """
    text = str(path)
    if UNWRITABLE.search(text):
        raise SpecError(f"SLURM cannot write a log to {text!r}: give --results without control characters")
    return text.replace("\\", "\\" * 4) if "\\" in text else text.replace("%", "%%")


def _teardown(log: Path, profile: Profile) -> list[str]:
    """Return the script lines after the step; without `requeue`, preempted tasks are left to the follow-up job."""
    restarts = profile.max_restarts if profile.requeue else 0
    lines = AFTER if profile.requeue else AFTER.replace("limit=1000000", "limit=0")
    filled = {
        "@restarts@": str(restarts),
        "@log@": shlex.quote(str(log)),
        "@out_of_memory@": OUT_OF_MEMORY,
        "@ended@": " | ".join(map(str, (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE, ExitCode.BUSY))),
        "@evicted@": str(ExitCode.EVICTED),
        "@stalled@": str(ExitCode.STALLED),
        "@why_stalled@": STALLED,
    }
    for mark, value in filled.items():
        lines = lines.replace(mark, value)
    return lines.splitlines()


def follow_up_executor(folder: Path, profile: Profile, name: str, after: str) -> BatchExecutor:
    """Return an executor for the follow-up job of a submission."""
    settings: FollowUp = profile.follow_up
    extra: dict[str, Any] = {"output": log_pattern(folder / "slurm.log"), "requeue": True}
    executor = BatchExecutor(folder, profile.python)
    executor.update_parameters(
        partition=settings.partition or profile.partition,
        account=profile.account,
        qos=profile.qos,
        mem=f"{settings.memory}M" if settings.memory else None,
        job_name=name,
        time=settings.time,
        cpus_per_task=1,
        dependency=after,
        setup=list(profile.setup),
        stderr_to_stdout=True,
        use_srun=False,
        wckey=None,
        additional_parameters=extra | _enabled(settings.sbatch),
    )
    return executor


def worker_command(python: str | None, code: Path, srun: list[str], arguments: list[str]) -> str:
    """Return the shell lines that run the harness from a snapshot with srun."""
    step = ["srun", "--unbuffered", "--kill-on-bad-exit=1", *srun]
    return "\n".join([*_environment(code), f"{shlex.join(step)} {_python(python)} -m harness {shlex.join(arguments)}"])


def plain_command(python: str | None, code: Path, module: str, arguments: list[str]) -> str:
    """Return the shell lines that run a module from a snapshot in the batch script itself."""
    return "\n".join([*_environment(code), f"{_python(python)} -m {module} {shlex.join(arguments)}"])


def _environment(code: Path) -> list[str]:
    """Return the shell lines that put the snapshot first on the Python path, before the working directory."""
    archive = shlex.quote(str(code))
    return [f"export PYTHONPATH={archive}${{PYTHONPATH:+:$PYTHONPATH}} PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1"]


def _python(python: str | None) -> str:
    return python or shlex.quote(sys.executable)


def _enabled(options: Mapping[str, str | int | bool]) -> dict[str, str | int]:
    """Return the options of a profile without flags that are false."""
    return {name: value for name, value in options.items() if value is not False}


def _site_options(resources: Resources, profile: Profile) -> dict[str, Any]:
    memory = f"{resources.memory}M" if resources.memory else None
    return {"partition": resources.partition, "account": profile.account, "qos": profile.qos, "mem": memory}
