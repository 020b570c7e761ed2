"""`harness worker`: what launchers execute."""

import click

from harness.cli.settings import Settings, execution_options


@click.command("worker")
@click.argument("run")
@click.option("--device", help="Torch device.  [default: cuda if there is one, else cpu]")
@click.option("--restartable", is_flag=True,
              help="Leave with 0 whatever ended the stay, except a lost rank: for launchers that start again what "
              "exits otherwise.")  # fmt: skip
@execution_options
@click.pass_obj
def worker_command(
    settings: Settings, run: str, device: str | None, restartable: bool, loader: str, compile: str
) -> int:
    """Bring one run of the results directory to its end, from wherever it stopped.

    RUN is the beginning of a run's id. Started by torchrun or srun, all its processes work on the run together.
    Exit codes: 0 done; 1 failed, see outcome.json; 3 another worker is at it; 75 evicted by SIGUSR2 and 76 another
    process was lost, both to be started again; 130 interrupted.

    \b
    Examples:
      python -m harness worker 679901
      torchrun --nproc-per-node 4 -m harness worker 679901
      srun --ntasks 4 python -m harness worker 679901
    """
    directory = settings.results.find(run)

    from harness.launch.launchers import LOST
    from harness.launch.place import find_place
    from harness.spec.execution import Execution
    from harness.training.world import join
    from harness.worker import Ending, work
    from harness.worker.device import prepare_device

    execution, place = Execution(loader=loader, compile=compile), find_place()
    chosen = prepare_device(device, place.local_rank)
    with join(place.rank, place.world_size, place.init_method, chosen, place.attempt) as world:
        ending = work(settings.results, directory, settings.data_root, chosen, execution, world)
    if ending is Ending.BUSY:
        settings.say(f"{directory.id} is held by another worker")
    return 0 if restartable and ending.value != LOST else ending.value
