"""The batches of every step, in the form in which the step takes them."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count

import torch
from torch import Tensor

from harness.config.augmentation import Augmentation
from harness.config.dataset import Dataset
from harness.data.augment.augment import Selection, augment, refuse_unfit, select
from harness.data.batches import Batch, TrainBatch
from harness.data.loaders import Loader, ShuffledOrder
from harness.randomness import Stream, Streams

PREFETCH_STEPS = 10
"""So many steps are loaded and augmented at once. An augmentation is some hundreds of small operations, whose cost is
that of calling them: for ten batches together it is little more than for one."""


def prefetch(
    loader: Loader,
    batch_size: int,
    part: range,
    augmentations: Mapping[str, Augmentation | None],
    stream: Stream,
    first_step: int,
) -> Generator[dict[str, TrainBatch]]:
    """Yield a part of the batches of each step from the first on, by name; `augmentations` says what happens to which.

    Every name runs through the split in an order of its own. The whole batch is a function of its step alone, and so is
    each of its rows. Raises `SpecError` when a batch exceeds the split, or an augmentation does not fit the dataset.
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
    """A rank's part of the batches of one name, several steps at a time."""

    def __init__(
        self, augmentation: Augmentation, data: Dataset, order: ShuffledOrder, part: range, stream: Stream
    ) -> None:
        self._augmentation = augmentation
        self._unchanged = augmentation == Augmentation()
        if not self._unchanged:
            refuse_unfit(augmentation, data)
        self._order = order
        self._part = part
        self._stream = stream

    def indices(self, first_step: int) -> Iterator[Tensor]:
        """Yield what has to be loaded for the steps from the first on."""
        for start in count(first_step, PREFETCH_STEPS):
            rows = self._select(start).rows
            yield torch.cat([self._order.indices(start + i)[rows[i]] for i in range(PREFETCH_STEPS)])

    def make(self, batch: Batch, start: int) -> TrainBatch:
        """Return what was loaded for the steps from `start` on in the form in which they take it."""
        selection = self._select(start)
        if self._unchanged:
            rows = selection.rows.to(batch.inputs.device, non_blocking=True)
            return TrainBatch(batch.data, batch.fields, rows.flatten())
        return augment(batch, self._augmentation, self._streams(start), selection)

    def _select(self, start: int) -> Selection:
        return select(self._augmentation, self._streams(start), self._order.batch_size, self._part)

    def _streams(self, start: int) -> Streams:
        return Streams([self._stream.at("step", start + i, "augmentation") for i in range(PREFETCH_STEPS)])
