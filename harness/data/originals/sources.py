"""Where each real dataset comes from, what its archives must be, and who reads them. Touches no file.

Hashes are those that torchvision, TensorFlow Datasets and Keras check; docs/data.md says what to get where.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.data.blocks import Block, Part, whole
from harness.data.errors import DataError
from harness.data.originals.archive import Archive
from harness.data.originals.cifar import read_cifar10, read_cifar100
from harness.data.originals.faces import read_celeba32, read_celeba128, read_celebahq128
from harness.data.originals.imagenet32 import read_imagenet32
from harness.data.originals.stl10 import read_stl10
from harness.data.originals.svhn import read_svhn
from harness.data.originals.tiny_imagenet import read_tiny_imagenet
from harness.spec.data import Dataset

Reader = Callable[[Any, Mapping[str, Path]], Iterator[Part]]
"""Yields the images of a dataset from its archives by name, each split in order; raises `DataError`."""


def as_a_whole(read: Callable[[Any, Mapping[str, Path]], Iterator[Block]]) -> Reader:
    """Return the reader of one part: of archives that can only be read from their beginning, which takes seconds."""
    return lambda data, files: whole(read(data, files))


@dataclass(frozen=True)
class Source:
    """What a dataset is, the page of its authors, its archives, and their reader.

    `revision` is raised when the reader gives other images, or other parts, of the same archives.
    """

    title: str
    page: str
    archives: tuple[Archive, ...]
    read: Reader
    revision: int = 1

    def needed(self, data: Dataset) -> tuple[Archive, ...]:
        """Return the archives that hold some split of the dataset."""
        return tuple(archive for archive in self.archives if set(archive.splits) & set(data.splits))


CELEBA_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
ALIGNED_CELEBA = Archive(
    "img_align_celeba.zip",
    1_443_490_838,
    sha256="46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
)

SOURCES = {
    "cifar10": Source(
        "CIFAR-10: objects of 10 classes",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        (
            Archive(
                "cifar-10-python.tar.gz",
                170_498_071,
                sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            ),
        ),
        as_a_whole(read_cifar10),
    ),
    "cifar100": Source(
        "CIFAR-100: objects of 100 classes",
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        (
            Archive(
                "cifar-100-python.tar.gz",
                169_001_437,
                sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            ),
        ),
        as_a_whole(read_cifar100),
    ),
    "tiny_imagenet": Source(
        "Tiny-ImageNet: 200 classes of ImageNet",
        "http://cs231n.stanford.edu",
        (
            Archive(
                "tiny-imagenet-200.zip",
                248_100_043,
                sha256="6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
                url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            ),
        ),
        read_tiny_imagenet,
    ),
    "stl10": Source(
        "STL10: objects of 10 classes, the labelled part",
        "https://cs.stanford.edu/~acoates/stl10/",
        (
            Archive(
                "stl10_binary.tar.gz",
                2_640_397_119,
                sha256="f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
                url="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            ),
        ),
        as_a_whole(read_stl10),
    ),
    "imagenet32": Source(
        "ImageNet 32x32: 1000 classes, box-resized",
        "https://image-net.org/download-images",
        (
            Archive(
                "Imagenet32_train_npz.zip",
                3_580_435_279,
                sha256="94226337ecc1b0309d9fcd0167127aaadc931587035fbcb53925235edbaec4fc",
                splits=("train",),
            ),
            Archive(
                "Imagenet32_val_npz.zip",
                139_697_668,
                sha256="013990e6dec1237dcd1f9beadbab81ead6604cc119af5cacbfb59ae28148377a",
                splits=("test",),
            ),
        ),
        read_imagenet32,
    ),
    "celebahq128": Source(
        "CelebA-HQ: faces, scaled to 128x128",
        "https://github.com/switchablenorms/CelebAMask-HQ",
        (Archive("a folder or zip of the 30,000 pictures", None),),
        read_celebahq128,
    ),
    "celeba128": Source(
        "CelebA: aligned faces at 128x128, where CelebA-HQ cannot be had",
        CELEBA_PAGE,
        (ALIGNED_CELEBA,),
        read_celeba128,
    ),
    "svhn": Source(
        "SVHN: street view house numbers",
        "http://ufldl.stanford.edu/housenumbers/",
        (
            Archive(
                "test_32x32.mat",
                64_275_384,
                sha256="cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
                url="http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
                splits=("test",),
            ),
            Archive(
                "train_32x32.mat",
                182_040_794,
                md5="e26dedcc434d2e4c54c9b2d4a06d8373",
                url="http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
                splits=("train",),
            ),
        ),
        as_a_whole(read_svhn),
    ),
    "celeba32": Source(
        "CelebA: aligned faces, scaled to 32x32",
        CELEBA_PAGE,
        (ALIGNED_CELEBA, Archive("list_eval_partition.txt", 2_836_386, md5="d32c9cbf5e040fd4025c592c306e6668")),
        read_celeba32,
    ),
}


def source_of(data: Dataset) -> Source:
    """Return where a dataset comes from.

    Raises `DataError` when nobody knows how to read it.
    """
    if data.name not in SOURCES:
        raise DataError(f"dataset '{data.name}' has no reader in this version: there are {', '.join(SOURCES)}")
    return SOURCES[data.name]


def how_to_prepare(data: Dataset, root: Path) -> str:
    """Return what to do to prepare a dataset under `root`, or why it cannot be."""
    command = command_to_prepare(data, root)
    return f"{command} (docs/data.md says what to get)" if command else "this version has no reader for it"


def command_to_prepare(data: Dataset, root: Path) -> str:
    """Return the command that prepares a dataset under `root`, nothing where there is no reader."""
    if data.name not in SOURCES:
        return ""
    archives = source_of(data).needed(data)
    how = "--download" if all(archive.url for archive in archives) else "--from FOLDER"
    if any(archive.size is None for archive in archives):
        how += " --unverified"
    return f"python -m harness --data {shlex.quote(str(root))} data prepare {data.name} {how}"
