"""A dataset of a few digits, for what is slow per image."""

import numpy as np
from toy_paper import FEW

from harness.data.blocks import Block, whole
from harness.data.catalogue import DIGITS
from harness.data.prepared import open_dataset
from harness.data.preparing import Content, prepare


def prepare_few(root):
    """Prepare it under `root` from the first digits of each split, and open it."""
    digits, blocks = open_dataset(DIGITS, root), []
    for split, count in FEW.splits.items():
        images, labels = digits.split(split)
        blocks.append(Block((split,), np.array(images[:count]), labels[:count]))
    prepare(FEW, root, lambda: Content(whole(blocks), {}))
    return open_dataset(FEW, root)
