"""Datasets by name, with their sources and readers. Imports no torch and touches no file.

`harness.data.catalogue` registers those of the harness. A paper registers its own alike, wherever it defines them.
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
TAKEN = re.compile(r"downloads|inception(-[0-9a-f]{8})?")
"""Other folders beside those of the datasets."""

AnyDataset = TypeVar("AnyDataset", bound=Dataset)


@dataclass(frozen=True)
class Archive:
    """A file as its authors publish it.

    `size` is in bytes; None says that no canonical file exists, so that any archive or folder may be it. `url` is
    empty where a licence has to be accepted first, or a browser is needed. `splits` are those that need the file, all
    of them where none is named.
    """

    name: str
    size: int | None
    sha256: str = ""
    md5: str = ""
    url: str = ""
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a dataset is, who reads it, the page of its authors, and their archives.

    `reader` names, as `module:function`, a function of the dataset and the paths of its archives by name. It yields
    the `Block`s of `harness.data.prepared.blocks`, or `Part`s: an interrupted preparation resumes after the last whole
    part. It is empty where no reader exists yet. Without archives it is made on first use, of what a package carries.
    `revision` is raised when the reader gives other values, or other parts, of the same archives.
    """

    title: str
    reader: str = ""
    page: str = ""
    archives: tuple[Archive, ...] = ()
    revision: int = 1

    @property
    def embedded(self) -> bool:
        """Whether the dataset is made on first use, without an archive."""
        return bool(self.reader) and not self.archives

    def needed(self, data: Dataset) -> tuple[Archive, ...]:
        """Return the archives that hold some split of the dataset."""
        return tuple(each for each in self.archives if not each.splits or set(each.splits) & set(data.splits))


REGISTERED: dict[str, tuple[Dataset, Source]] = {}


def register(data: AnyDataset, source: Source) -> AnyDataset:
    """Register where a dataset comes from, and return it.

    Its name has one owner, and the datasets of the harness own theirs before any other does. Raises `SpecError` when
    the name belongs to another dataset or source, or cannot be that of a folder.
    """
    import_module(CATALOGUE)
    if not NAME.fullmatch(data.name) or TAKEN.fullmatch(data.name):
        raise SpecError(f"'{data.name}' cannot name a dataset: allowed are letters, digits, '.', '_' and '-'")
    owner, whose = REGISTERED.setdefault(data.name, (data, source))
    if (owner, whose) != (data, source):
        raise SpecError(f"dataset '{data.name}' is registered already, as '{whose.title}': choose another name")
    return data


def datasets() -> dict[str, Dataset]:
    """Return every dataset by its name: those of the harness first, then those of the installed papers."""
    import_module(CATALOGUE)
    load_plugins()
    return {name: data for name, (data, _) in REGISTERED.items()}


def find_dataset(name: str, others: tuple[str, ...] = ()) -> Dataset:
    """Return the registered dataset of this name.

    Raises `SpecError` when no installed paper offers it; `others` are names that are allowed beside those of datasets.
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
    """Return where a dataset comes from, None when no installed paper offers it."""
    _look_up(data.name)
    return REGISTERED[data.name][1] if data.name in REGISTERED else None


def is_embedded(data: Dataset) -> bool:
    """Tell whether a dataset is made on first use."""
    source = source_of(data)
    return source is not None and source.embedded


def how_to_prepare(data: Dataset, root: Path) -> str:
    """Return what to do to prepare a dataset under `root`, or why it cannot be."""
    if source_of(data) is None:
        return "no installed paper offers it"
    command = command_to_prepare(data, root)
    return f"{command} (docs/data.md says what to get)" if command else "this version has no reader for it"


def command_to_prepare(data: Dataset, root: Path) -> str:
    """Return the command that prepares a dataset under `root`, nothing where there is no reader."""
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
    """Load the catalogue, and the installed papers where it does not have the name."""
    import_module(CATALOGUE)
    if name not in REGISTERED:
        load_plugins()
