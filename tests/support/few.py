"""A dataset of a few digits, for tests that are slow per image."""

import numpy as np
from labelled import arrays_of
from toy_paper import FEW

from harness.data.catalogue import DIGITS
from harness.data.prepared.blocks import labelled
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.prepare import DatasetSource, prepare


def prepare_few(root):
    """Prepare the dataset under `root` from the first digits of each split, and open it."""
    digits, blocks = open_dataset(DIGITS, root), []
    for split, count in FEW.splits.items():
        images, labels = arrays_of(digits.split(split))
        blocks.append(labelled((split,), np.array(images[:count]), labels[:count]))
    prepare(FEW, root, lambda: DatasetSource(blocks, {}))
    return open_dataset(FEW, root)
