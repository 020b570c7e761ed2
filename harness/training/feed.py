"""The batches of every step, in the form in which the step takes them."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from itertools import count

import torch
from torch import Tensor

from harness.data.augmentation import Mixed, augment, unmixed
from harness.data.loaders import Loader, ShuffledOrder
from harness.randomness import Stream, Streams
from harness.spec.methods import Augmentation

AHEAD = 10
"""So many steps are loaded and augmented at once. An augmentation is some hundreds of small operations, whose cost is
that of calling them: for ten batches together it is little more than for one."""


def feed(
    loader: Loader,
    batch_size: int,
    augmentations: Mapping[str, Augmentation],
    stream: Stream,
    first_step: int,
) -> Generator[dict[str, Mixed]]:
    """Yield the batches of each step from the first on, by name; `augmentations` says what happens to which.

    Every name runs through the split in an order of its own. A batch is a function of its step alone. Raises
    `SpecError` when a batch exceeds the split.
    """
    orders = {name: ShuffledOrder(stream.at("order", name), len(loader), batch_size) for name in augmentations}
    with ExitStack() as stack:
        batches = {
            name: stack.enter_context(closing(loader.batches(_ahead(order, first_step))))
            for name, order in orders.items()
        }
        for start in count(first_step, AHEAD):
            streams = Streams([stream.at("step", start + i, "augmentation") for i in range(AHEAD)])
            made = {}
            for name, augmentation in augmentations.items():
                batch = next(batches[name])
                if augmentation == Augmentation():
                    made[name] = unmixed(batch.images, batch.labels).split(batch_size)
                else:
                    made[name] = augment(batch, augmentation, streams).split(batch_size)
            for parts in zip(*made.values(), strict=True):
                yield dict(zip(made, parts, strict=True))


def _ahead(order: ShuffledOrder, first_step: int) -> Iterator[Tensor]:
    """Yield the indices of several steps at a time."""
    for start in count(first_step, AHEAD):
        yield torch.cat([order.indices(start + i) for i in range(AHEAD)])
