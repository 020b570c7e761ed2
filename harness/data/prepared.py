"""Prepared datasets: uint8 images and labels per split, with a manifest of their shapes and hashes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data.blocks import whole
from harness.data.catalogue import EMBEDDED
from harness.data.errors import DataError
from harness.data.manifest import Manifest, inspect, lacking, read_manifest
from harness.data.originals.sources import how_to_prepare
from harness.data.preparing import Content, prepare
from harness.spec.data import Dataset
from harness.store.arrays import load_array

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


class PreparedDataset:
    """A dataset on disk. Arrays are memory-mapped; images are `(n, channels, size, size)` uint8."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def split(self, name: str) -> tuple[Pixels, Labels]:
        """Return images and labels of the split `train` or `test`.

        Raises `DataError` for a split that was not prepared.
        """
        if f"{name}-images.npy" not in self.manifest.files:
            raise DataError(f"dataset '{self.manifest.name}' serves evaluations only: it has no split '{name}'")
        images = load_array(self.folder / f"{name}-images.npy", mapped=True)
        return images, load_array(self.folder / f"{name}-labels.npy")


def open_dataset(data: Dataset, root: Path) -> PreparedDataset:
    """Open a prepared dataset, preparing first one that comes embedded in a package.

    Raises `DataError` when the dataset has to be prepared by hand, or a file of it has changed.
    """
    folder = root / data.name
    manifest = read_manifest(folder)
    if manifest is None:
        if data.name not in {embedded.name for embedded in EMBEDDED}:
            raise DataError(f"dataset '{data.name}' is not prepared under {root}: {how_to_prepare(data, root)}")
        prepare(data, root, lambda: _embedded(data))
        manifest = read_manifest(folder)
        assert manifest is not None
    for name, complaint in inspect(folder, manifest):
        if complaint:
            raise DataError(f"{folder / name} is not the file that was prepared: delete {folder} and run again")
    if split := lacking(manifest, data):
        raise DataError(
            f"{folder} was prepared without the {data.splits[split]:,} images of split {split}: "
            f"delete {folder} and run again"
        )
    return PreparedDataset(folder, manifest)


def _embedded(data: Dataset) -> Content:
    from harness.data.embedded import read

    return Content(whole(read(data)), {})
