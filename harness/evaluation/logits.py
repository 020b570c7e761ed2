"""Class logits of whole splits: EMA weights, unaugmented images in [-1, 1], no timestep, blocks of fixed size."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.loaders import Loader
from harness.evaluation.base import BLOCK, Subject
from harness.methods.base import Classifier
from harness.training.distributed import Communicator


def split_logits(split: str, subject: Subject) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return the logits `(n, classes)` and labels `(n,)` of a split, in its order.

    Saves both as the artefacts `logits.npy` and `labels.npy`.
    """
    model, loader = subject.model, subject.loader(split)
    assert isinstance(model, Classifier)
    n, comm = len(loader), subject.comm
    logits = shared_logits(model, partial(input_blocks, loader), n, comm, lambda done: subject.report(done, n))
    labels = subject.data.split(split).targets
    subject.save("logits", logits)
    subject.save("labels", labels)
    return logits, labels


def input_blocks(loader: Loader, part: range | None = None) -> Iterator[Tensor]:
    """Yield the model inputs of a split, or of a part of it, in order."""
    return (batch.inputs for batch in loader.blocks(BLOCK, part))


def shared_logits(
    model: Classifier,
    blocks: Callable[[range], Iterable[Tensor]],
    n: int,
    comm: Communicator,
    report: Callable[[int], None],
) -> NDArray[np.float32]:
    """Compute the logits `(n, classes)` of `n` examples, each rank a part.

    `blocks` yields the inputs of a part; `report` gets the number of finished examples, estimated from this rank's.
    """
    part = comm.shard(n, BLOCK)
    found = block_logits(model, blocks(part), lambda done: report(done * n // len(part)))
    return np.concatenate(comm.all_gather(found))


@torch.inference_mode()
def block_logits(
    model: Classifier, blocks: Iterable[Tensor], report: Callable[[int], None]
) -> list[NDArray[np.float32]]:
    """Return the logits `(n, classes)` of each block of inputs; `report` gets the number of finished examples."""
    logits, done = [], 0
    for inputs in blocks:
        logits.append(model.logits(inputs).float().cpu().numpy())
        done += len(inputs)
        report(done)
    return logits
