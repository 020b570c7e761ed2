"""Readers, which yield the splits of a dataset in blocks."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from harness.config.dataset import Arrays
from harness.data.prepared.blocks import Block
from harness.randomness import Stream

Files = Mapping[str, Path]
Table = NDArray[np.float64]


def tumours(data: Arrays, files: Files) -> Iterator[Block]:
    """Yield scikit-learn's breast cancer table, with features standardised on the train split."""
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    malignant = 1 - table.target.astype(np.int64)  # scikit-learn encodes malignant as 0
    for split, rows in _parts(data, len(malignant)).items():
        features = _standardised(table.data, rows, _parts(data, len(malignant))["train"])
        yield Block((split,), {"features": features, "malignant": malignant[rows]})


def progression(data: Arrays, files: Files) -> Iterator[Block]:
    """Yield scikit-learn's diabetes table, with features and targets standardised on the train split."""
    from sklearn.datasets import load_diabetes

    table = load_diabetes()
    parts = _parts(data, len(table.target))
    for split, rows in parts.items():
        features = _standardised(table.data, rows, parts["train"])
        target = _standardised(table.target[:, None], rows, parts["train"])[:, 0]
        yield Block((split,), {"features": features, "progression": target})


def walks(data: Arrays, files: Files) -> Iterator[Block]:
    """Yield walks of a Markov chain in which each token has three successors, one of them most likely."""
    tokens = data.fields["tokens"]
    assert tokens.below is not None
    stream = Stream("outside", "walks")
    following = torch.stack(
        [stream.at("following", token).permutation(tokens.below)[:3] for token in range(tokens.below)]
    )
    for split, count in data.splits.items():
        rows, found = torch.arange(count), stream.at(split)
        walk = [found.at("first").integers(rows, tokens.below)]
        for step in range(1, tokens.size):
            choice = (found.at(step).uniform(rows)[:, None] > torch.tensor([0.7, 0.9])).sum(1)
            walk.append(following[walk[-1], choice])
        yield Block((split,), {"tokens": torch.stack(walk, dim=1).numpy()})


def _parts(data: Arrays, count: int) -> dict[str, NDArray[np.int64]]:
    """Return the rows of each split, a random partition."""
    order = Stream("outside", data.name).permutation(count).numpy()
    ends = np.cumsum(list(data.splits.values()))
    return dict(zip(data.splits, np.split(order, ends)[:-1], strict=True))


def _standardised(table: Table, rows: NDArray[np.int64], train: NDArray[np.int64]) -> NDArray[np.float32]:
    known = table[train]
    found: NDArray[np.float32] = ((table[rows] - known.mean(0)) / known.std(0)).astype(np.float32)
    return found
