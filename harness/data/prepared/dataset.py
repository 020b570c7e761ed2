"""Prepared datasets: one array per field and split, with a manifest of shapes and hashes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.dataset import Dataset
from harness.data.errors import DataError
from harness.data.prepared.manifest import DatasetManifest, files_of, inspect, outdated, read_manifest
from harness.data.prepared.prepare import prepare
from harness.data.prepared.source import embedded
from harness.data.registry import find_dataset, how_to_prepare, is_embedded
from harness.store.arrays import load_array

Array = NDArray[Any]


@dataclass(frozen=True)
class Split:
    """A stored split of a dataset: one array `(n, *shape)` per field, by name."""

    data: Dataset
    arrays: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, field: str) -> Array:
        return self.arrays[field]

    @property
    def inputs(self) -> Array:
        """The field that is the model input."""
        return self.arrays[self.data.inputs]

    @property
    def targets(self) -> Array:
        """The field that models predict."""
        return self.arrays[self.data.targets]

    @property
    def bytes(self) -> int:
        """The total size of all arrays in bytes."""
        return sum(array.nbytes for array in self.arrays.values())


class PreparedDataset:
    """A dataset on disk. Arrays are memory-mapped, except fields with a single number per example."""

    def __init__(self, folder: Path, manifest: DatasetManifest, data: Dataset) -> None:
        self.folder = folder
        self.manifest = manifest
        self.data = data

    def files(self, split: str) -> dict[str, str]:
        """Return the file name of each field of a split.

        Raises `DataError` if the split was not prepared.
        """
        files = files_of(self.data, split)
        if any(name not in self.manifest.files for name in files.values()):
            only = "serves evaluations only: it " if split == "train" else ""
            raise DataError(f"dataset '{self.manifest.name}' {only}has no split '{split}'")
        return files

    def split(self, name: str) -> Split:
        """Return a split.

        Raises `DataError` if it was not prepared, or its arrays do not match the dataset.
        """
        files = self.files(name)
        return Split(self.data, {field: self._array(field, files[field]) for field in self.data.stored})

    def _array(self, field: str, name: str) -> Array:
        stored = self.data.stored[field]
        array = load_array(self.folder / name, mapped=stored.size > 1)
        if array.dtype != np.dtype(stored.dtype) or array.shape[1:] != stored.shape:
            raise DataError(
                f"{self.folder / name} holds {field} of shape {array.shape[1:]} {array.dtype}, not {stored.shape} "
                f"{stored.dtype}: delete {self.folder} and run again"
            )
        return array


def open_dataset(data: Dataset, root: Path) -> PreparedDataset:
    """Open a prepared dataset; datasets made from an installed package are prepared on first use.

    Raises `DataError` if the dataset must be prepared, or prepared again, by the user.
    """
    folder = root / data.name
    manifest = read_manifest(folder)
    if manifest is None:
        if not is_embedded(data):
            raise DataError(f"dataset '{data.name}' is not prepared under {root}: {how_to_prepare(data, root)}")
        whole = find_dataset(data.name)
        prepare(whole, root, lambda: embedded(whole))
        manifest = read_manifest(folder)
        assert manifest is not None
    for name, complaint in inspect(folder, manifest):
        if complaint:
            raise DataError(f"{folder / name} is not the file that was prepared: delete {folder} and run again")
    if complaint := outdated(manifest, data):
        raise DataError(f"{folder} was prepared {complaint}: delete {folder} and run again")
    return PreparedDataset(folder, manifest, data)
