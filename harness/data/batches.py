"""Batches of named tensors, one row per example: the output of loaders and the input of training steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from harness.config.dataset import Dataset


@dataclass(frozen=True)
class Fields:
    """Examples of a dataset: one tensor `(batch, *shape)` per field, by name.

    Images are float32 in [-1, 1]; all other fields keep their stored values and dtypes.
    """

    data: Dataset
    fields: Mapping[str, Tensor]

    def __getitem__(self, field: str) -> Tensor:
        return self.fields[field]

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def inputs(self) -> Tensor:
        """The field that is the model input."""
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
        """Class labels `(batch,)` int64."""
        return self.fields["labels"]

    def replaced(self, **fields: Tensor) -> Self:
        """Return a copy with some fields replaced."""
        return replace(self, fields={**self.fields, **fields})


@dataclass(frozen=True)
class Batch(Fields):
    """Examples of a split, with `indices` `(batch,)` int64, their positions in the split."""

    indices: Tensor


@dataclass(frozen=True)
class Mixture:
    """The labels of the mixed-in images, and the weight in [0, 1] of each image's own label: `(batch,)`."""

    labels_b: Tensor
    lam: Tensor


@dataclass(frozen=True)
class TrainBatch(Fields):
    """A rank's rows of a training batch.

    `rows` are their positions in the global batch, which index the random draws of each example. A mixed image has two
    labels with weights `lam` and `1 - lam`.
    """

    rows: Tensor
    mixture: Mixture | None = None

    @property
    def labels_b(self) -> Tensor:
        """The second label of each image; equal to the first if nothing was mixed in."""
        return self.targets if self.mixture is None else self.mixture.labels_b

    @property
    def lam(self) -> Tensor:
        """The weight of the first label of each image."""
        if self.mixture is None:
            return torch.ones(len(self), device=self.inputs.device)
        return self.mixture.lam

    def split(self, size: int) -> "Iterator[TrainBatch]":
        """Yield consecutive parts of `size` examples."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            mixture = self.mixture and Mixture(self.mixture.labels_b[part], self.mixture.lam[part])
            fields = {name: tensor[part] for name, tensor in self.fields.items()}
            yield TrainBatch(self.data, fields, self.rows[part], mixture)
