"""Small prepared datasets for rehearsals: the first examples of a real one, or random values of the same shape."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.dataset import ArrayField, Dataset
from harness.data.loaders.choice import stays_on_disk
from harness.data.prepared.dataset import PreparedDataset
from harness.data.prepared.manifest import DatasetManifest, files_of
from harness.store.arrays import save_array
from harness.store.files import writing

ANY_WHOLE_NUMBER = 100
"""Upper bound of random integers if the dataset does not specify one."""
NOT_A_RESULT = "not a result"
"""Stands for the hash of a file, which rehearsals do not need."""


def first_examples(source: PreparedDataset, data: Dataset, count: int, folder: Path) -> PreparedDataset:
    """Write the first `count` examples of each split into a folder, as a prepared dataset."""
    few, files = data.first(count), dict[str, str]()
    for split, total in few.splits.items():
        found = source.split(split)
        for field, name in files_of(data, split).items():
            save_array(folder / name, found[field][:total])
            files[name] = NOT_A_RESULT
    return _described(folder, few, files)


def random_values(data: Dataset, count: int, folder: Path) -> PreparedDataset:
    """Write random values with the shapes and dtypes of a dataset into a folder, as a prepared dataset.

    A dataset that loaders keep in memory gets its full number of examples, so that memory use is realistic; all but the
    first `count` are zeros in a sparse file. A dataset of larger images gets only `count` examples.
    """
    generator, files = np.random.default_rng(0), dict[str, str]()
    kept = data.first(count) if stays_on_disk(data) else data
    for split, total in kept.splits.items():
        for field, name in files_of(data, split).items():
            _write_random(folder / name, kept.stored[field], total, count, generator)
            files[name] = NOT_A_RESULT
    return _described(folder, kept, files)


def relabelled(excerpt: PreparedDataset, split: str, targets: NDArray[Any]) -> None:
    """Replace the targets of a split, before anything opens it."""
    field = excerpt.data.targets
    save_array(excerpt.folder / excerpt.files(split)[field], targets.astype(excerpt.data.stored[field].dtype))


def _write_random(path: Path, field: ArrayField, total: int, count: int, generator: np.random.Generator) -> None:
    """Write one array. Fields with a single number per example, such as the class, are random in all examples."""
    drawn = total if field.size == 1 else min(count, total)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        array = np.lib.format.open_memmap(path, mode="w+", dtype=field.dtype, shape=(total, *field.shape))
        array[:drawn] = _random(field, drawn, generator)
        array.flush()


def _random(field: ArrayField, count: int, generator: np.random.Generator) -> NDArray[Any]:
    shape, dtype = (count, *field.shape), np.dtype(field.dtype)
    if field.below is None and dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    below = field.below or (2 if dtype.kind == "b" else ANY_WHOLE_NUMBER)
    if dtype.kind in "iu":
        return generator.integers(0, below, shape, dtype=dtype)
    return generator.integers(0, below, shape).astype(dtype)


def _described(folder: Path, data: Dataset, files: Mapping[str, str]) -> PreparedDataset:
    manifest = DatasetManifest(name=data.name, files=dict(files))
    manifest.save(folder)
    return PreparedDataset(folder, manifest, data)
