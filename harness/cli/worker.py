"""`harness worker`: what launchers execute."""

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.settings import Settings, execution_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

    from harness.config.execution import Execution
    from harness.store.rehearsals import RehearsalDirectory
    from harness.store.run_directory import RunDirectory
    from harness.training.distributed import Communicator
    from harness.worker import Ending


@click.command("worker")
@click.argument("run", required=False)
@click.option("--rehearse", is_flag=True, help="Rehearse the run instead, as 'run --rehearse' has asked.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Take the runs from a submission to SLURM.")
@click.option("--array", help="The array of the manifest; SLURM_ARRAY_TASK_ID says which of its tasks.")
@click.option("--device", help="Torch device.  [default: cuda if there is one, else cpu]")
@click.option("--restartable", is_flag=True,
              help="Leave with 0 whatever ended the stay, except a lost rank: for launchers that start again what "
              "exits otherwise.")  # fmt: skip
@execution_options
@click.pass_obj
def worker_command(
    settings: Settings,
    run: str | None,
    rehearse: bool,
    manifest: Path | None,
    array: str | None,
    device: str | None,
    restartable: bool,
    loader: str,
    compile: str,
    tensorboard: bool,
) -> int:
    """Bring one run of the results directory to its end, from wherever it stopped.

    RUN is the beginning of a run's id. Started by torchrun or srun, all its processes work on the run together.
    Exit codes: 0 done; 1 failed, see outcome.json; 3 another worker is at it; 75 evicted by SIGUSR2 and 76 another
    process was lost, both to be started again; 77 a task of an array was evicted before it got on; 130 interrupted.

    \b
    Examples:
      python -m harness worker 679901
      torchrun --nproc-per-node 4 -m harness worker 679901
      srun --ntasks 4 python -m harness worker 679901
    """
    from harness.config.execution import Execution
    from harness.errors import SpecError

    if manifest is not None and array is not None and run is None:
        return _array_task(settings, manifest, array, device)
    if run is None or manifest is not None or array is not None:
        raise SpecError("worker needs a RUN, or --manifest and --array")
    execution = Execution(loader=loader, compile=compile, tensorboard=tensorboard)
    if rehearse:
        from harness.store.rehearsals import Rehearsals

        return _rehearse(settings, Rehearsals(settings.results_root).find(run), device, execution, restartable)
    return _work(settings, settings.results.find(run), device, execution, restartable)


def _array_task(settings: Settings, manifest: Path, array: str, device: str | None) -> int:
    """Do what the manifest says of this array task."""
    from harness.launch.slurm.task import is_through, progress_of_task, run_side_by_side, task_at
    from harness.store.run_directory import RunDirectory

    submission, task = task_at(manifest, array)
    directories = [RunDirectory(settings.results.runs / id) for id in task.runs]
    settings.echo(f"{array}: {task.kind} {' '.join(task.runs)}")
    if task.kind == "rehearsal":
        from harness.store.rehearsals import Rehearsals

        rehearsal = Rehearsals(settings.results_root).find(task.runs[0])
        # It starts anew every time: what was too short for it once would be again.
        return _rehearse(settings, rehearsal, device, submission.execution, has_advanced=lambda: False)
    if task.kind == "runs" and len(directories) == 1 and is_through(directories[0]):
        return 0
    if task.kind == "features":
        from harness.worker.device import prepare_device
        from harness.worker.features import make_features

        for directory in directories:
            make_features(settings.results, directory, settings.data_root, prepare_device(device), submission.execution)
        return 0
    if len(directories) > 1:
        return run_side_by_side(settings.results, submission, task, lambda board: None)
    # Importing torch takes seconds. A signal that comes meanwhile waits until the worker listens, instead of ending it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    before = progress_of_task(settings.results, task)
    return _work(
        settings,
        directories[0],
        device,
        submission.execution,
        has_advanced=lambda: progress_of_task(settings.results, task) != before,
    )


def _rehearse(
    settings: Settings,
    directory: "RehearsalDirectory",
    device: str | None,
    execution: "Execution",
    restartable: bool = False,
    has_advanced: "Callable[[], bool]" = lambda: True,
) -> int:
    """Rehearse the run, with the other processes that a launcher has started with this one."""
    from harness.worker.rehearsal.run_rehearsal import rehearse

    with _joined(device) as (chosen, comm):
        ending = rehearse(directory, settings.data_root, chosen, execution, comm)
    return _leave(ending, comm, restartable, has_advanced)


def _work(
    settings: Settings,
    directory: "RunDirectory",
    device: str | None,
    execution: "Execution",
    restartable: bool = False,
    has_advanced: "Callable[[], bool]" = lambda: True,
) -> int:
    """Take the run's lease and work on it, with the other processes that a launcher has started with this one."""
    from harness.worker import Ending, work

    with _joined(device) as (chosen, comm):
        ending = work(settings.results, directory, settings.data_root, chosen, execution, comm)
    if ending is Ending.BUSY:
        settings.echo(f"{directory.id} is held by another worker")
    return _leave(ending, comm, restartable, has_advanced)


def _leave(ending: "Ending", comm: "Communicator", restartable: bool, has_advanced: "Callable[[], bool]") -> int:
    """Return the exit code of a process that has worked on a run, or end it."""
    from harness.worker import Ending

    # A launcher ends all ranks when one has left badly; the first is still to save and to release the run.
    at_ease = not comm.is_main and ending in (Ending.EVICTED, Ending.INTERRUPTED)
    if ending is Ending.EVICTED and not has_advanced():
        ending = Ending.STALLED
    code = 0 if at_ease or (restartable and ending is not Ending.LOST) else ending.value
    if comm.broken:
        # What a GPU still waits to hear from a lost rank would keep this process from its end.
        sys.stderr.flush()
        os._exit(code)
    return code


@contextmanager
def _joined(device: str | None) -> "Iterator[tuple[torch.device, Communicator]]":
    """Yield the device of this process, and the world that it is one of."""
    from harness.launch.rank_env import find_rank
    from harness.training.distributed import join
    from harness.worker.device import prepare_device

    place = find_rank()
    chosen = prepare_device(device, place.local_rank)
    with join(place.rank, place.world_size, place.init_method, chosen, place.attempt) as comm:
        yield chosen, comm
