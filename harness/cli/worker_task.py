"""`harness worker-task`: one task of an array that was submitted to SLURM."""

import signal
from pathlib import Path

import click

from harness.cli.paths import PathType
from harness.cli.settings import Settings
from harness.exit_codes import ExitCode


@click.command("worker-task", hidden=True)
@click.option("--manifest", required=True, type=PathType(), help="The manifest of the submission.")
@click.option("--array", required=True, help="The name of the array; SLURM_ARRAY_TASK_ID selects its task.")
@click.option("--device", help="Torch device.  [default: cuda if there is one, else cpu]")
@click.pass_obj
def worker_task_command(settings: Settings, manifest: Path, array: str, device: str | None) -> int:
    """Do one task of an array: compute shared features, rehearse a run, or work on one or several runs."""
    from harness.cli.worker import exit_worker, worker_context
    from harness.launch.slurm.task import needs_no_work, progress_of_task, run_side_by_side, task_at
    from harness.store.run_directory import RunDirectory

    submission, task = task_at(manifest, array)
    directories = [RunDirectory(settings.results.runs / id) for id in task.runs]
    settings.echo(f"{array}: {task.kind} {' '.join(task.runs)}")
    if task.kind == "features":
        from harness.worker.features import make_features

        with worker_context(settings, submission.execution, device) as context:
            for directory in directories:
                make_features(context, directory)
        return ExitCode.DONE
    if task.kind == "rehearsal":
        from harness.store.rehearsals import Rehearsals
        from harness.worker.rehearsal.run_rehearsal import rehearse

        with worker_context(settings, submission.execution, device) as context:
            exit_code = rehearse(context, Rehearsals(settings.results_root).find(task.runs[0]))
        # STALLED limits the restarts: a rehearsal has no checkpoint, so it would reach the same time limit again.
        return exit_worker(ExitCode.STALLED if exit_code is ExitCode.EVICTED else exit_code, context.comm)
    if len(directories) > 1:
        return run_side_by_side(settings.results, submission, task, lambda state: None)
    if needs_no_work(directories[0]):
        return ExitCode.DONE
    # Importing torch takes seconds. A signal that arrives meanwhile waits until the worker handles it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    before = progress_of_task(settings.results, task)
    from harness.worker.run_worker import work

    with worker_context(settings, submission.execution, device) as context:
        exit_code = work(context, directories[0])
    if exit_code is ExitCode.BUSY:
        settings.echo(f"{directories[0].id} is held by another worker")
    if exit_code is ExitCode.EVICTED and progress_of_task(settings.results, task) == before:
        exit_code = ExitCode.STALLED
    return exit_worker(exit_code, context.comm)
