"""Prepared datasets: uint8 images and labels per split, with a manifest of their shapes and hashes."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.data.embedded import READERS
from harness.spec.data import Dataset
from harness.spec.errors import HarnessError
from harness.store.arrays import load_array, save_array
from harness.store.files import read_json, sha256_of, write_json, writing

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


class DataError(HarnessError):
    """A dataset is absent, or not the one that was prepared."""


class Manifest(BaseModel):
    """What a prepared dataset consists of: SHA-256 by file name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    files: dict[str, str]

    @property
    def sha256(self) -> str:
        """One hash over all files, which names the data of a result."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class PreparedDataset:
    """A dataset on disk. Arrays are memory-mapped; images are `(n, channels, size, size)` uint8."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def split(self, name: str) -> tuple[Images, Labels]:
        """Return images and labels of the split `train` or `test`."""
        images = load_array(self.folder / f"{name}-images.npy", mapped=True)
        return images, load_array(self.folder / f"{name}-labels.npy")


def open_dataset(data: Dataset, root: Path) -> PreparedDataset:
    """Open a prepared dataset, preparing first one that comes embedded in a package.

    Raises `DataError` when the dataset has to be prepared by hand, or a file of it has changed.
    """
    folder = root / data.name
    manifest = folder / "manifest.json"
    if not manifest.exists():
        if data.name not in READERS:
            raise DataError(
                f"dataset '{data.name}' is not prepared under {root}, and this version has no reader for it"
            )
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(folder / ".lock"):
                if not manifest.exists():
                    _prepare(data, folder, READERS[data.name](data))
    prepared = PreparedDataset(folder, Manifest.model_validate(read_json(manifest)))
    for name, expected in prepared.manifest.files.items():
        if not (folder / name).exists() or sha256_of(folder / name) != expected:
            raise DataError(f"{folder / name} is not the file that was prepared: delete {folder} and run again")
    return prepared


def _prepare(data: Dataset, folder: Path, splits: Mapping[str, tuple[Images, Labels]]) -> None:
    files = {}
    for split, (images, labels) in splits.items():
        shape = (data.channels, data.image_size, data.image_size)
        count = data.train_examples if split == "train" else data.test_examples
        if images.shape != (count, *shape) or labels.shape != (count,):
            raise DataError(f"{data.name}: split {split} has the shape {images.shape}, not {(count, *shape)}")
        for kind, array in (("images", images.astype(np.uint8)), ("labels", labels.astype(np.int64))):
            path = folder / f"{split}-{kind}.npy"
            save_array(path, array)
            files[path.name] = sha256_of(path)
    write_json(folder / "manifest.json", Manifest(name=data.name, files=files).model_dump())
