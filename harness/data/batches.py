"""Batches: named tensors, a row for each example, as loaders give them and as a training step takes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from harness.config.dataset import Dataset


@dataclass(frozen=True)
class Fields:
    """Examples of a dataset: a tensor `(batch, *shape)` for each of their fields, by name.

    Images are float32 in [-1, 1]; all other fields have the values and the type that they are stored with.
    """

    data: Dataset
    fields: Mapping[str, Tensor]

    def __getitem__(self, field: str) -> Tensor:
        return self.fields[field]

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def inputs(self) -> Tensor:
        """The field that models take."""
        return self.fields[self.data.inputs]

    @property
    def targets(self) -> Tensor:
        """The field that models predict."""
        return self.fields[self.data.targets]

    @property
    def images(self) -> Tensor:
        """Images `(batch, channels, size, size)` in [-1, 1]."""
        return self.fields["images"]

    @property
    def labels(self) -> Tensor:
        """The classes `(batch,)` int64 of images."""
        return self.fields["labels"]

    def replaced(self, **fields: Tensor) -> Self:
        """Return the same examples with other values of some fields."""
        return replace(self, fields={**self.fields, **fields})


@dataclass(frozen=True)
class Batch(Fields):
    """Examples of a split, and their positions in it, `indices` `(batch,)` int64."""

    indices: Tensor


@dataclass(frozen=True)
class Mixture:
    """The labels of the images that were mixed in, and the weight in [0, 1] that the own label keeps: `(batch,)`."""

    labels_b: Tensor
    lam: Tensor


@dataclass(frozen=True)
class TrainBatch(Fields):
    """A rank's rows of a batch, as a training step takes them.

    `rows` are their positions in the global batch: what a step draws for an example, it draws at its row. Images that
    were mixed have two labels each; the first has the weight `lam`, the second the rest.
    """

    rows: Tensor
    mixture: Mixture | None = None

    @property
    def labels_b(self) -> Tensor:
        """The second label of each image, the first one again where none was mixed in."""
        return self.targets if self.mixture is None else self.mixture.labels_b

    @property
    def lam(self) -> Tensor:
        """The weight of the first label of each image."""
        if self.mixture is None:
            return torch.ones(len(self), device=self.inputs.device)
        return self.mixture.lam

    def split(self, size: int) -> "Iterator[TrainBatch]":
        """Yield parts of this size, in order."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            mixture = self.mixture and Mixture(self.mixture.labels_b[part], self.mixture.lam[part])
            fields = {name: tensor[part] for name, tensor in self.fields.items()}
            yield TrainBatch(self.data, fields, self.rows[part], mixture)
