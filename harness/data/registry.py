"""Registry of datasets, with their sources and readers. Imports no torch and opens no files.

`harness.data.catalogue` registers the harness's datasets. Papers register theirs in the same way, in any module.
"""

import re
import shlex
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from harness.config.dataset import Dataset
from harness.config.plugins import load_plugins
from harness.errors import SpecError, nearest

CATALOGUE = "harness.data.catalogue"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
RESERVED = re.compile(r"downloads|inception(-[0-9a-f]{8})?")
"""Names with another use in the data folder."""

AnyDataset = TypeVar("AnyDataset", bound=Dataset)


@dataclass(frozen=True)
class Archive:
    """A file as published by the authors of a dataset.

    `size` is in bytes; None means that there is no canonical file, so any archive or folder is accepted. `url` is empty
    if the download needs a licence agreement or a browser. `splits` are the splits that need the file; empty means
    all. `other_names` are those of the same content in repackaged downloads.
    """

    name: str
    size: int | None
    sha256: str = ""
    md5: str = ""
    url: str = ""
    splits: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Title, reader, home page and archives of a dataset.

    `reader` is a `module:function` of the dataset and the paths of its archives by name. It yields the `Block`s of
    `harness.data.prepared.blocks`, or `Chunk`s: an interrupted preparation resumes after the last complete chunk. It
    is empty if there is no reader yet. A dataset without archives is made on first use from an installed package.
    Increment `revision` when the reader produces other values, or other chunks, from the same archives.
    """

    title: str
    reader: str = ""
    page: str = ""
    archives: tuple[Archive, ...] = ()
    revision: int = 1

    @property
    def embedded(self) -> bool:
        """Whether the dataset is made on first use, without archives."""
        return bool(self.reader) and not self.archives

    def needed(self, data: Dataset) -> tuple[Archive, ...]:
        """Return the archives needed for the splits of the dataset."""
        return tuple(each for each in self.archives if not each.splits or set(each.splits) & set(data.splits))


REGISTERED: dict[str, tuple[Dataset, Source]] = {}


def register(data: AnyDataset, source: Source) -> AnyDataset:
    """Register a dataset and its source, and return it.

    The harness's datasets are registered first. Raises `SpecError` if the name belongs to another dataset or source, is
    reserved, or is not a valid folder name.
    """
    import_module(CATALOGUE)
    if RESERVED.fullmatch(data.name):
        raise SpecError(f"'{data.name}' cannot name a dataset: the name is reserved")
    if not NAME.fullmatch(data.name):
        raise SpecError(f"'{data.name}' cannot name a dataset: allowed are letters, digits, '.', '_' and '-'")
    registered = REGISTERED.setdefault(data.name, (data, source))
    if registered != (data, source):
        raise SpecError(f"dataset '{data.name}' is already registered, as '{registered[1].title}': choose another name")
    return data


def datasets() -> dict[str, Dataset]:
    """Return all datasets by name: the harness's first, then those of installed papers."""
    import_module(CATALOGUE)
    load_plugins()
    return {name: data for name, (data, _) in REGISTERED.items()}


def find_dataset(name: str, others: tuple[str, ...] = ()) -> Dataset:
    """Return the registered dataset of this name.

    Raises `SpecError` if no installed paper offers it; `others` are further names to list as allowed.
    """
    _look_up(name)
    if name not in REGISTERED:
        broken = [f"; {plugin} cannot be loaded: {plugin.problem}" for plugin in load_plugins() if plugin.problem]
        allowed = sorted({*REGISTERED, *others})
        raise SpecError(
            f"unknown dataset '{name}', which no installed paper offers: {nearest(name, allowed)}"
            f"allowed: {', '.join(allowed)}{''.join(broken)}"
        )
    return REGISTERED[name][0]


def source_of(data: Dataset) -> Source | None:
    """Return the source of a dataset, or None if no installed paper offers it."""
    _look_up(data.name)
    return REGISTERED[data.name][1] if data.name in REGISTERED else None


def is_embedded(data: Dataset) -> bool:
    """Return whether a dataset is made on first use, without archives."""
    source = source_of(data)
    return source is not None and source.embedded


def how_to_prepare(data: Dataset, root: Path) -> str:
    """Return how to prepare a dataset under `root`, or why it cannot be prepared."""
    if source_of(data) is None:
        return "no installed paper offers it"
    command = command_to_prepare(data, root)
    return f"{command} (docs/data.md lists the archives)" if command else "this version has no reader for it"


def command_to_prepare(data: Dataset, root: Path) -> str:
    """Return the command that prepares a dataset under `root`, or an empty string if it has no reader."""
    source = source_of(data)
    if source is None or not source.reader:
        return ""
    command = f"python -m harness --data {shlex.quote(str(root))} data prepare {data.name}"
    archives = source.needed(data)
    if archives:
        command += " --download" if all(archive.url for archive in archives) else " --from FOLDER"
    if any(archive.size is None for archive in archives):
        command += " --unverified"
    return command


def _look_up(name: str) -> None:
    """Load the catalogue, and the installed papers if the catalogue lacks the name."""
    import_module(CATALOGUE)
    if name not in REGISTERED:
        load_plugins()
