"""The batches of every step, in the form in which the step takes them."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count

import torch
from torch import Tensor

from harness.data.augmentation import Mixed, Selection, augment, select
from harness.data.loaders import Batch, Loader, ShuffledOrder
from harness.randomness import Stream, Streams
from harness.spec.augmentation import Augmentation

AHEAD = 10
"""So many steps are loaded and augmented at once. An augmentation is some hundreds of small operations, whose cost is
that of calling them: for ten batches together it is little more than for one."""


def feed(
    loader: Loader,
    batch_size: int,
    part: range,
    augmentations: Mapping[str, Augmentation],
    stream: Stream,
    first_step: int,
) -> Generator[dict[str, Mixed]]:
    """Yield a part of the batches of each step from the first on, by name; `augmentations` says what happens to which.

    Every name runs through the split in an order of its own. The whole batch is a function of its step alone, and so is
    each of its rows. Raises `SpecError` when a batch exceeds the split.
    """
    feeds = {
        name: _Feed(augmentation, ShuffledOrder(stream.at("order", name), len(loader), batch_size), part, stream)
        for name, augmentation in augmentations.items()
    }
    with ExitStack() as stack:
        loaded = {
            name: stack.enter_context(closing(loader.batches(one.indices(first_step)))) for name, one in feeds.items()
        }
        for start in count(first_step, AHEAD):
            made = [one.make(next(loaded[name]), start).split(len(part)) for name, one in feeds.items()]
            for parts in zip(*made, strict=True):
                yield dict(zip(feeds, parts, strict=True))


class _Feed:
    """A rank's part of the batches of one name, several steps at a time."""

    def __init__(self, augmentation: Augmentation, order: ShuffledOrder, part: range, stream: Stream) -> None:
        self._augmentation = augmentation
        self._order = order
        self._part = part
        self._stream = stream

    def indices(self, first_step: int) -> Iterator[Tensor]:
        """Yield what has to be loaded for the steps from the first on."""
        for start in count(first_step, AHEAD):
            rows = self._select(start).rows
            yield torch.cat([self._order.indices(start + i)[rows[i]] for i in range(AHEAD)])

    def make(self, batch: Batch, start: int) -> Mixed:
        """Return what was loaded for the steps from `start` on in the form in which they take it."""
        streams, selection = self._streams(start), self._select(start)
        return augment(batch, self._augmentation, streams, selection)

    def _select(self, start: int) -> Selection:
        return select(self._augmentation, self._streams(start), self._order.batch_size, self._part)

    def _streams(self, start: int) -> Streams:
        return Streams([self._stream.at("step", start + i, "augmentation") for i in range(AHEAD)])
