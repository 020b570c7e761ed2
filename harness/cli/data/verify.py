"""`harness data verify`: the hash of every prepared file once more."""

import click

from harness.cli.settings import Settings


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.pass_obj
def verify_command(settings: Settings, names: tuple[str, ...]) -> int:
    """Hash every file of prepared datasets again: a line per file, exit code 1 when one is not what was prepared.

    Without names, every dataset that is prepared.

    \b
    Examples:
      python -m harness data verify
      python -m harness data verify cifar10 stl10
    """
    from harness.data.catalogue import datasets, find_dataset
    from harness.data.manifest import inspect, read_manifest
    from harness.data.originals.sources import how_to_prepare
    from harness.spec.errors import HarnessError

    root, wrong = settings.data_root, 0
    for data in [find_dataset(name) for name in names] or datasets().values():
        folder = root / data.name
        try:
            manifest = read_manifest(folder)
        except HarnessError as error:
            click.echo(f"{data.name}: {error}")
            wrong += 1
            continue
        if manifest is None:
            if names:
                click.echo(f"{data.name}: not prepared: {how_to_prepare(data, root)}")
                wrong += 1
            continue
        complaints = 0
        for name, complaint in inspect(folder, manifest):
            click.echo(f"{data.name}/{name}: {complaint or 'as prepared'}")
            complaints += bool(complaint)
        if complaints:
            click.echo(f"{data.name}: delete {folder}, then {how_to_prepare(data, root)}")
        wrong += complaints
    return 1 if wrong else 0
