"""STL10: a gzipped tar archive of raw bytes, in column-major order. The unlabelled images are not used."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from harness.config.dataset import Images
from harness.data.errors import DataError
from harness.data.originals.tars import read_tar
from harness.data.prepared.blocks import Block, classes, labelled

LIMIT = 2**32
"""Maximum unpacked bytes; the original unpacks to 3.1 GB, most of it unlabelled."""
BLOCK = 500


def read_stl10(data: Images, files: Mapping[str, Path]) -> Iterator[Block]:
    """Yield the labelled images of stl10_binary.tar.gz, with classes 1 to 10 mapped to 0 to 9."""
    path = files["stl10_binary.tar.gz"]
    contents = read_tar(path, [f"stl10_binary/{split}_{part}.bin" for split in data.splits for part in "Xy"], LIMIT)
    for split, count in data.splits.items():
        pixels, labels = (f"stl10_binary/{split}_{part}.bin" for part in "Xy")
        for name, size in ((pixels, count * data.pixels), (labels, count)):
            if len(contents[name]) != size:
                raise DataError(f"{path}: {name} has {len(contents[name]):,} bytes, not {size:,}")
        images = np.frombuffer(contents[pixels], np.uint8)
        images = images.reshape(count, data.channels, data.image_size, data.image_size).transpose(0, 1, 3, 2)
        classified = classes(contents[labels], range(1, data.num_classes + 1), f"{path}: {labels}")
        for start in range(0, count, BLOCK):
            yield labelled((split,), images[start : start + BLOCK], classified[start : start + BLOCK])
