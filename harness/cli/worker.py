"""`harness worker`: completes one run, as one rank of it; started by launchers."""

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from harness.cli.options import WorkerOptions, worker_options
from harness.cli.settings import Settings
from harness.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.config.execution import Execution
    from harness.training.distributed import Communicator
    from harness.worker.context import Context


@click.command("worker")
@click.argument("run")
@worker_options
@click.pass_obj
def worker_command(settings: Settings, run: str, options: WorkerOptions) -> int:
    """Complete one run of the results directory. Launchers call it.

    RUN is the beginning of a run's id. Started by torchrun or srun, all its processes work on the run together.
    Exit codes: 0 done; 1 failed, see outcome.json; 3 another worker holds the run or took it over; 75
    evicted by SIGUSR2 and 76 another process was lost, both to be restarted; 77 a task of an array was evicted before
    it made progress; 130 interrupted.

    \b
    Examples:
      python -m harness worker 679901
      torchrun --nproc-per-node 4 -m harness worker 679901
      srun --ntasks 4 python -m harness worker 679901
    """
    from harness.worker.run_worker import work

    directory = settings.results.find(run)
    with worker_context(settings, options.execution(), options.device) as context:
        exit_code = work(context, directory)
    if exit_code is ExitCode.BUSY:
        settings.echo(f"{directory.id} is held by another worker")
    return exit_worker(exit_code, context.comm, options.restartable)


@click.command("worker-preflight", hidden=True)
@click.argument("run")
@worker_options
@click.pass_obj
def preflight_command(settings: Settings, run: str, options: WorkerOptions) -> int:
    """Rehearse the run that `run --rehearse` has asked for."""
    from harness.store.rehearsals import Rehearsals
    from harness.worker.rehearsal.run_rehearsal import rehearse

    directory = Rehearsals(settings.results_root).find(run)
    with worker_context(settings, options.execution(), options.device) as context:
        exit_code = rehearse(context, directory)
    return exit_worker(exit_code, context.comm, options.restartable)


@contextmanager
def worker_context(settings: Settings, execution: "Execution", device: str | None) -> "Iterator[Context]":
    """Yield the context of this process after it has joined the other ranks that a launcher started with it."""
    from harness.launch.rank_env import find_rank
    from harness.training.device import prepare_device
    from harness.training.distributed import join
    from harness.worker.context import Context

    rank = find_rank()
    chosen = prepare_device(device, rank.local_rank)
    with join(rank.rank, rank.world_size, rank.init_method, chosen, rank.attempt) as comm:
        yield Context(settings.results, settings.data_root, chosen, execution, comm)


def exit_worker(exit_code: ExitCode, comm: "Communicator", restartable: bool = False) -> int:
    """Return the exit code of a worker process, or end the process here if a rank was lost."""
    # Launchers kill all ranks once one exits with an error, but rank 0 still has to save its state and release the run.
    waits_for_first = not comm.is_main and exit_code in (ExitCode.EVICTED, ExitCode.INTERRUPTED)
    code = ExitCode.DONE if waits_for_first or (restartable and exit_code is not ExitCode.LOST) else exit_code
    if comm.broken:
        # A normal exit destroys the CUDA context, which may wait forever for the lost rank.
        sys.stderr.flush()
        os._exit(code)
    return code
