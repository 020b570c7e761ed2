"""`harness data verify`: checks the hash of every prepared file again."""

from typing import TYPE_CHECKING

import click

from harness.cli.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@click.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.pass_obj
def verify_command(settings: Settings, names: tuple[str, ...]) -> int:
    """Check the hashes of prepared datasets: one line per file; the exit code is 1 if a file has changed.

    Without names, checks every prepared dataset.

    \b
    Examples:
      python -m harness data verify
      python -m harness data verify cifar10 stl10
    """
    from harness.data.inception import installed_weights
    from harness.data.registry import datasets

    root = settings.data_root
    chosen = {name: _how(name, root) for name in names or (*datasets(), *installed_weights(root))}
    return 1 if sum(_verify(name, how, root, expected=bool(names)) for name, how in chosen.items()) else 0


def _verify(name: str, how: str, root: "Path", *, expected: bool) -> int:
    """Print the result for a dataset or weights, and return the number of problems."""
    from harness.data.prepared.manifest import inspect, read_manifest
    from harness.errors import HarnessError

    folder = root / name
    try:
        manifest = read_manifest(folder)
    except HarnessError as error:
        click.echo(f"{name}: {error}")
        return 1
    if manifest is None:
        if expected:
            click.echo(f"{name}: not prepared: {how}")
        return int(expected)
    complaints = 0
    for file, complaint in inspect(folder, manifest):
        click.echo(f"{name}/{file}: {complaint or 'as prepared'}")
        complaints += bool(complaint)
    if complaints:
        click.echo(f"{name}: delete {folder}, then {how}")
    return complaints


def _how(name: str, root: "Path") -> str:
    """Return the command that prepares the dataset or weights of this name."""
    from harness.data.inception import DIGITS, NAME, how_to_get, is_weights
    from harness.data.registry import find_dataset, how_to_prepare

    if is_weights(name):
        return how_to_get(root, None if name == NAME else name[-DIGITS:])
    return how_to_prepare(find_dataset(name, (NAME,)), root)
