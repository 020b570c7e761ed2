"""Small prepared datasets to try a run out on: the first images of a real one, or random pixels of its shape."""

from pathlib import Path

import numpy as np

from harness.data.loaders.choice import RESIDENT_PIXELS
from harness.data.manifest import FILE, Manifest
from harness.data.prepared import Labels, PreparedDataset
from harness.spec.data import Dataset
from harness.store.arrays import save_array
from harness.store.files import write_json, writing


def first_images(source: PreparedDataset, data: Dataset, count: int, folder: Path) -> PreparedDataset:
    """Write the first images of each split of a dataset into a folder, as a prepared dataset of its own."""
    files: dict[str, str] = {}
    for split, total in data.first(count).splits.items():
        images, labels = source.split(split)
        files |= _names(split)
        save_array(folder / f"{split}-images.npy", images[:total])
        save_array(folder / f"{split}-labels.npy", labels[:total])
    return _described(folder, data, files)


def random_pixels(data: Dataset, count: int, folder: Path) -> PreparedDataset:
    """Write random pixels and labels in the shape of a dataset into a folder, as a prepared dataset of its own.

    It has the full number of images where loaders would keep all of them in memory, so that they take as much; all but
    the first `count` are then black, and take no disk. Of larger images there are no more than `count`.
    """
    generator, files = np.random.default_rng(0), dict[str, str]()
    kept = data if data.example_shape[-1] <= RESIDENT_PIXELS else data.first(count)
    for split, total in kept.splits.items():
        shape = (total, *data.example_shape)
        path = folder / f"{split}-images.npy"
        with writing(path):
            folder.mkdir(parents=True, exist_ok=True)
            images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
            images[:count] = generator.integers(0, 256, (min(count, total), *shape[1:]), dtype=np.uint8)
            images.flush()
        files |= _names(split)
        save_array(folder / f"{split}-labels.npy", generator.integers(0, data.num_classes, total))
    return _described(folder, data, files)


def relabelled(excerpt: PreparedDataset, split: str, labels: Labels) -> None:
    """Give the images of a split other labels, before anything has opened it."""
    save_array(excerpt.folder / f"{split}-labels.npy", labels)


def _names(split: str) -> dict[str, str]:
    """Return the files of a split; what is only tried out needs no hashes."""
    return {f"{split}-images.npy": "not a result", f"{split}-labels.npy": "not a result"}


def _described(folder: Path, data: Dataset, files: dict[str, str]) -> PreparedDataset:
    manifest = Manifest(name=data.name, files=files)
    write_json(folder / FILE, manifest.model_dump())
    return PreparedDataset(folder, manifest)
