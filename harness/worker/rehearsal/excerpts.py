"""Small prepared datasets to try a run out on: the first examples of a real one, or random values in its form."""

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
"""Random whole numbers lie below this where the dataset does not say below which."""


def first_examples(source: PreparedDataset, data: Dataset, count: int, folder: Path) -> PreparedDataset:
    """Write the first examples of each split of a dataset into a folder, as a prepared dataset of its own."""
    few, files = data.first(count), dict[str, str]()
    for split, total in few.splits.items():
        found = source.split(split)
        for field, name in files_of(data, split).items():
            save_array(folder / name, found[field][:total])
            files[name] = NOT_A_RESULT
    return _described(folder, few, files)


def random_values(data: Dataset, count: int, folder: Path) -> PreparedDataset:
    """Write random values in the form of a dataset into a folder, as a prepared dataset of its own.

    It has the full number of examples where loaders would keep all of them in memory, so that they take as much; all
    but the first `count` are then zeros, and take no disk. Of larger images there are no more than `count`.
    """
    generator, files = np.random.default_rng(0), dict[str, str]()
    kept = data.first(count) if stays_on_disk(data) else data
    for split, total in kept.splits.items():
        for field, name in files_of(data, split).items():
            _write_random(folder / name, kept.stored[field], total, count, generator)
            files[name] = NOT_A_RESULT
    return _described(folder, kept, files)


def relabelled(excerpt: PreparedDataset, split: str, targets: NDArray[Any]) -> None:
    """Give the examples of a split other targets, before anything has opened it."""
    field = excerpt.data.targets
    save_array(excerpt.folder / excerpt.files(split)[field], targets.astype(excerpt.data.stored[field].dtype))


NOT_A_RESULT = "not a result"
"""In place of a hash: what is only tried out needs none."""


def _write_random(path: Path, field: ArrayField, total: int, count: int, generator: np.random.Generator) -> None:
    """Write one array, of which all numbers are random where an example has but one, such as its class."""
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
