"""Writes the bundle of `report --bundle`; the path is checked before anything is drawn."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.report.results.report import ExhibitReport


def check_bundle(settings: Settings, path: Path) -> None:
    """Raise an error if no bundle can be written there, or if the results shown are not the user's own."""
    from harness.bundle.writing import check_place
    from harness.errors import SpecError

    if settings.shown:
        raise SpecError(f"a bundle contains your own results, not {settings.shown.label}: leave out --bundle")
    check_place(path)


def bundle_up(settings: Settings, path: Path, reports: "Sequence[ExhibitReport]") -> None:
    """Write the bundle and print a summary to stderr."""
    from harness.bundle.writing import write_bundle

    manifest, left_out = write_bundle(path, reports, settings.results)
    if settings.quiet:
        return
    size = sum(file.bytes for file in manifest.files.values()) / 1e6
    click.echo(f"wrote {path}: {manifest.runs} runs, {len(manifest.files)} files, {size:.1f} MB unpacked", err=True)
    for name in left_out:
        click.echo(f"left out, because this name is not allowed in a bundle: {name}", err=True)
