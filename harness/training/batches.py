"""Loads and augments the batches of training steps."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count

import torch
from torch import Tensor

from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.data.augment.augment import RowSelection, augment, check_applicable, select
from harness.data.batches import Batch, TrainBatch
from harness.data.loaders import Loader, ShuffledOrder
from harness.randomness import Stream, Streams

PREFETCH_STEPS = 10
"""The number of steps loaded and augmented together. Augmentation is hundreds of small operations dominated by launch
overhead, so ten batches cost little more than one."""


def prefetch(
    loader: Loader,
    batch_size: int,
    part: range,
    augmentations: Mapping[str, Augmentation | None],
    stream: Stream,
    first_step: int,
) -> Generator[dict[str, TrainBatch]]:
    """Yield this rank's `part` of the batches of each step from `first_step` on, keyed as in `augmentations`.

    Every key shuffles the split in its own order. A batch, and each of its rows, is a function of the step alone.
    Raises `SpecError` if a batch is larger than the split, or an augmentation does not apply to the dataset.
    """
    feeds = {}
    for name, augmentation in augmentations.items():
        order = ShuffledOrder(stream.at("order", name), len(loader), batch_size)
        feeds[name] = _Feed(augmentation or Augmentation(), loader.data, order, part, stream)
    with ExitStack() as stack:
        loaded = {
            name: stack.enter_context(closing(loader.batches(one.indices(first_step)))) for name, one in feeds.items()
        }
        for start in count(first_step, PREFETCH_STEPS):
            made = [one.make(next(loaded[name]), start).split(len(part)) for name, one in feeds.items()]
            for parts in zip(*made, strict=True):
                yield dict(zip(feeds, parts, strict=True))


class _Feed:
    """Produces this rank's part of the batches of one key, `PREFETCH_STEPS` steps at a time."""

    def __init__(
        self, augmentation: Augmentation, data: Dataset, order: ShuffledOrder, part: range, stream: Stream
    ) -> None:
        self._augmentation = augmentation
        self._unchanged = augmentation == Augmentation()
        if not self._unchanged:
            check_applicable(augmentation, data)
        self._order = order
        self._part = part
        self._stream = stream

    def indices(self, first_step: int) -> Iterator[Tensor]:
        """Yield the indices of the examples to load, from `first_step` on."""
        for start in count(first_step, PREFETCH_STEPS):
            rows = self._select(start).rows
            yield torch.cat([self._order.indices(start + i)[rows[i]] for i in range(PREFETCH_STEPS)])

    def make(self, batch: Batch, start: int) -> TrainBatch:
        """Augment the examples loaded for the steps from `start` on."""
        selection = self._select(start)
        if self._unchanged:
            rows = selection.rows.to(batch.inputs.device, non_blocking=True)
            return TrainBatch(batch.data, batch.fields, rows.flatten())
        return augment(batch, self._augmentation, self._streams(start), selection)

    def _select(self, start: int) -> RowSelection:
        return select(self._augmentation, self._streams(start), self._order.batch_size, self._part)

    def _streams(self, start: int) -> Streams:
        return Streams([self._stream.at("step", start + i, "augmentation") for i in range(PREFETCH_STEPS)])
