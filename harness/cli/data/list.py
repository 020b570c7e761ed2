"""`harness data list`: lists datasets, the exhibits that need them, and which are prepared."""

from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option
from harness.cli.ranges import ranges
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.config.dataset import Dataset
    from harness.data.prepared.manifest import DatasetManifest
    from harness.data.registry import Archive


@click.command("list")
@json_option
@click.pass_obj
def list_command(settings: Settings, as_json: bool) -> None:
    """List datasets: which tables and figures need them, whether they are prepared, sizes.

    \b
    Examples:
      python -m harness data list
      python -m harness data list --json
    """
    from tabulate import tabulate

    from harness.data.inception import NAME, installed_weights
    from harness.data.registry import datasets
    from harness.launch.needs import exhibits_by_dataset

    needed = exhibits_by_dataset()
    listed = [_describe(data, settings.data_root, needed[data.name]) for data in datasets().values()]
    names = dict.fromkeys([NAME, *installed_weights(settings.data_root)])
    listed += [_describe_weights(name, settings.data_root, needed[name]) for name in names]
    if as_json:
        print_json(listed)
        return
    lines = [
        [
            entry["dataset"],
            entry["title"],
            ", ".join(megabytes(a["bytes"]) if a["bytes"] else "any" for a in entry["archives"]) or "-",
            {"prepared": "yes", "missing": "no"}.get(entry["state"], entry["state"]),
            megabytes(entry["bytes"]),
            "\n".join(ranges(entry["needed_by"])) or "-",
        ]
        for entry in listed
    ]
    headings = ["dataset", "title", "original", "prepared", "size", "needed by"]
    align = ("left", "left", "right", "left", "right", "left")
    click.echo(tabulate(lines, headings, disable_numparse=True, colalign=align))
    settings.echo(f"\nin {settings.data_root}; docs/data.md explains where to get them")


def megabytes(count: int) -> str:
    """Return a number of bytes in decimal megabytes."""
    return f"{count / 1e6:,.1f} MB"


def _describe(data: "Dataset", root: "Path", needed: list[str]) -> dict[str, Any]:
    from harness.data.prepared.manifest import outdated
    from harness.data.registry import source_of

    source = source_of(data)
    assert source is not None, "it is registered"
    state, size = _state(root / data.name, lambda manifest: outdated(manifest, data))
    return {
        "dataset": data.name,
        "title": source.title,
        "images": data.splits,
        "needed_by": needed,
        "state": state,
        "bytes": size or sum(data.splits.values()) * data.example_bytes,
        "archives": [_archive(archive) for archive in source.needed(data)],
    }


def _describe_weights(name: str, root: "Path", needed: list[str]) -> dict[str, Any]:
    """Describe weights as a dataset without images; unpublished weights have no archive."""
    from harness.data.inception import NAME, TITLE, WEIGHTS

    state, size = _state(root / name, lambda manifest: "")
    return {
        "dataset": name,
        "title": TITLE if name == NAME else "other weights of that network, not for FID and IS",
        "images": {},
        "needed_by": needed,
        "state": state,
        "bytes": size or WEIGHTS.size,
        "archives": [_archive(WEIGHTS)] if name == NAME else [],
    }


def _state(folder: "Path", outdated: "Callable[[DatasetManifest], str]") -> tuple[str, int]:
    """Return the state of a dataset's folder, and its size in bytes, 0 if it is not prepared."""
    from harness.data.prepared.manifest import lost, read_manifest
    from harness.errors import HarnessError

    try:
        manifest = read_manifest(folder)
    except HarnessError:
        return "unreadable", 0
    if manifest is None:
        return "missing", 0
    if lost(folder, manifest):
        return "damaged", 0
    if outdated(manifest):
        return "outdated", 0
    return "prepared", sum((folder / name).stat().st_size for name in manifest.files)


def _archive(archive: "Archive") -> dict[str, Any]:
    return {
        "name": archive.name,
        "bytes": archive.size,
        "sha256": archive.sha256,
        "md5": archive.md5,
        "url": archive.url,
    }
