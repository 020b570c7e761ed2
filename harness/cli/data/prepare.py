"""`harness data prepare`: converts original archives to arrays, once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.paths import PathType
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.config.dataset import Dataset
    from harness.data.originals.archive import Check
    from harness.data.prepared.prepare import DatasetSource


@click.command("prepare")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--from",
    "path",
    type=PathType(exists=True, resolve_path=True),
    metavar="PATH",
    help="The original archive, or a folder that contains it.",
)
@click.option("--download", is_flag=True, help="Download the archives into the data folder, if their terms allow it.")
@click.option("--unverified", is_flag=True, help="Accept archives with unknown hashes; they are read just as safely.")
@click.pass_obj
def prepare_command(
    settings: Settings, names: tuple[str, ...], path: Path | None, download: bool, unverified: bool
) -> None:
    """Prepare datasets from their original archives. Hashes are checked first, and nothing in them is executed.

    The name `inception` stands for the weights of the network behind FID and IS.

    \b
    Examples:
      python -m harness data prepare cifar10 cifar100 --download
      python -m harness data prepare imagenet32 --from ~/Downloads
      python -m harness data prepare inception --download
      python -m harness data prepare celebahq128 --from ~/CelebA-HQ-img --unverified
    """
    from harness.data import inception
    from harness.data.originals import archive
    from harness.data.originals.accepted import remembering
    from harness.data.prepared.source import readable
    from harness.data.registry import find_dataset, is_embedded
    from harness.errors import SpecError

    chosen = [name if name == inception.NAME else find_dataset(name, (inception.NAME,)) for name in names]
    real = [data for data in chosen if isinstance(data, str) or not is_embedded(data)]
    for data in real:
        if not isinstance(data, str):
            readable(data)
    if real and (path is None) != download:
        raise SpecError("no archives given: use either --from PATH or --download")
    accept = archive.unverified if unverified else archive.verified
    check = remembering(accept, accept.__name__, settings.accepted)
    for data in chosen:
        if isinstance(data, str):
            _prepare_weights(settings, path, check)
        elif data in real:
            _prepare(settings, data, path, check)
        else:
            _prepare_embedded(settings, data)


def _prepare(settings: Settings, data: "Dataset", path: Path | None, check: "Check") -> None:
    """Prepare a dataset from its archives at `path`, or from downloads."""
    from harness.cli.data.progress import progress
    from harness.data.originals.locate import fetch, original
    from harness.data.prepared.prepare import prepare

    with progress(settings.console()) as report:

        def source() -> "DatasetSource":
            if path is None:
                fetch(data, settings.downloads, report)
            return original(data, path or settings.downloads, check, report)

        new = prepare(data, settings.data_root, source, report)
    state = "prepared" if new else "was prepared already"
    settings.echo(f"{data.name}: {state} in {settings.data_root / data.name}")


def _prepare_weights(settings: Settings, path: Path | None, check: "Check") -> None:
    """Import the weights of the Inception network from `path`, or from a download."""
    from harness.cli.data.progress import progress
    from harness.data.inception import DIGITS, NAME, WEIGHTS, install_weights
    from harness.data.originals.download import download
    from harness.data.prepared.manifest import FILE

    if path is None and (settings.data_root / NAME / FILE).exists():
        settings.echo(f"{NAME}: was prepared already in {settings.data_root / NAME}")
        return
    with progress(settings.console()) as report:
        source = path or download(WEIGHTS, settings.downloads, report)
        name, new = install_weights(source, settings.data_root, check, report)
    state = "prepared" if new else "was prepared already"
    settings.echo(f"{name}: {state} in {settings.data_root / name}")
    if name != NAME:
        option = f"--also weights={name[-DIGITS:]}"
        settings.echo(f"{name}: not the published weights, so not for FID: give 'run' and 'report' {option}")


def _prepare_embedded(settings: Settings, data: "Dataset") -> None:
    """Prepare a dataset that needs no archive."""
    from harness.data.prepared.dataset import open_dataset

    settings.echo(f"{data.name}: prepared in {open_dataset(data, settings.data_root).folder}")
