"""`harness worker`: what launchers execute."""

import click

from harness.cli.settings import Settings, execution_options


@click.command("worker")
@click.argument("run")
@click.option("--device", help="Torch device.  [default: cuda if there is one, else cpu]")
@execution_options
@click.pass_obj
def worker_command(settings: Settings, run: str, device: str | None, loader: str, compile: str) -> int:
    """Bring one run of the results directory to its end, from wherever it stopped.

    RUN is the beginning of a run's id. Exit codes: 0 done, 1 failed, 3 another worker is at it, 130 interrupted.

    \b
    Example:  python -m harness worker 679901
    """
    directory = settings.results.find(run)

    from harness.spec.execution import Execution
    from harness.worker import Ending, work
    from harness.worker.device import prepare_device

    execution = Execution(loader=loader, compile=compile)
    ending = work(settings.results, directory, settings.data_root, prepare_device(device), execution)
    if ending is Ending.BUSY:
        settings.say(f"{directory.id} is held by another worker")
    return ending.value
