"""CIFAR-10 and CIFAR-100: gzipped tar archives of pickled batches, with rows of 3072 bytes (R, G, B planes)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.config.dataset import Images
from harness.data.errors import DataError
from harness.data.originals.pickles import load_batch, rows
from harness.data.originals.tars import read_tar
from harness.data.prepared.blocks import Block, classes, labelled

LIMIT = 2**29
"""Maximum unpacked bytes; the originals unpack to 186 MB."""
BATCHES_10 = {
    "train": [f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)],
    "test": ["cifar-10-batches-py/test_batch"],
}
BATCHES_100 = {"train": ["cifar-100-python/train"], "test": ["cifar-100-python/test"]}


def read_cifar10(data: Images, files: Mapping[str, Path]) -> Iterator[Block]:
    """Yield the batches of cifar-10-python.tar.gz."""
    return _read(data, files["cifar-10-python.tar.gz"], BATCHES_10, b"labels")


def read_cifar100(data: Images, files: Mapping[str, Path]) -> Iterator[Block]:
    """Yield the batches of cifar-100-python.tar.gz, with the 100 fine labels."""
    return _read(data, files["cifar-100-python.tar.gz"], BATCHES_100, b"fine_labels")


def _read(data: Images, path: Path, members: Mapping[str, Sequence[str]], key: bytes) -> Iterator[Block]:
    batches = {split: members[split] for split in data.splits}
    contents = read_tar(path, [name for names in batches.values() for name in names], LIMIT)
    for split, names in batches.items():
        for name in names:
            where = f"{path}: {name}"
            batch = load_batch(contents.pop(name), where)
            images = rows(batch.get(b"data"), data.pixels, where)
            labels = batch.get(key)
            if not isinstance(labels, list):
                raise DataError(f"{where} holds no list '{key.decode()}'")
            yield labelled(
                (split,),
                images.reshape(-1, data.channels, data.image_size, data.image_size),
                classes(labels, range(data.num_classes), where),
            )
