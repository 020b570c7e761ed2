"""The datasets of the harness and their sources. Imports no torch and opens no files.

Hashes come from torchvision, TensorFlow Datasets and Keras; docs/data.md explains where to get each archive. The
stand-ins at the end are made from images that ship with scikit-learn (docs/scales.md).
"""

from harness.config.dataset import Images
from harness.data.registry import Archive, Source, register

CELEBA_PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
ALIGNED_CELEBA = Archive(
    "img_align_celeba.zip",
    1_443_490_838,
    sha256="46fb89443c578308acf364d7d379fe1b9efb793042c0af734b6112e4fd3a8c74",
)
UNREAD = Source("no reader in this version")


def _images(name: str, shape: tuple[int, int], num_classes: int, train: int, test: int) -> Images:
    channels, size = shape
    return Images(
        name=name,
        image_size=size,
        channels=channels,
        num_classes=num_classes,
        train_examples=train,
        test_examples=test,
    )


def _stand_in(name: str, shape: tuple[int, int], num_classes: int, train: int, test: int) -> Images:
    source = Source("stand-in, made on first use", f"harness.data.stand_ins.embedded:{name}")
    return register(_images(name, shape, num_classes, train, test), source)


CIFAR10 = register(
    _images("cifar10", (3, 32), 10, 50_000, 10_000),
    Source(
        title="CIFAR-10: objects of 10 classes",
        reader="harness.data.originals.cifar:read_cifar10",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        archives=(
            Archive(
                "cifar-10-python.tar.gz",
                170_498_071,
                sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            ),
        ),
    ),
)
CIFAR100 = register(
    _images("cifar100", (3, 32), 100, 50_000, 10_000),
    Source(
        title="CIFAR-100: objects of 100 classes",
        reader="harness.data.originals.cifar:read_cifar100",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        archives=(
            Archive(
                "cifar-100-python.tar.gz",
                169_001_437,
                sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            ),
        ),
    ),
)
TINY_IMAGENET = register(
    _images("tiny_imagenet", (3, 64), 200, 100_000, 10_000),
    Source(
        title="Tiny-ImageNet: 200 classes of ImageNet",
        reader="harness.data.originals.tiny_imagenet:read_tiny_imagenet",
        page="http://cs231n.stanford.edu",
        archives=(
            Archive(
                "tiny-imagenet-200.zip",
                248_100_043,
                sha256="6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
                url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            ),
        ),
    ),
)
STL10 = register(
    _images("stl10", (3, 96), 10, 5_000, 8_000),
    Source(
        title="STL10: objects of 10 classes, the labelled part",
        reader="harness.data.originals.stl10:read_stl10",
        page="https://cs.stanford.edu/~acoates/stl10/",
        archives=(
            Archive(
                "stl10_binary.tar.gz",
                2_640_397_119,
                sha256="f31fd99273a1acb8609c8db427cebb1de3f71de77758cdc0e22956e1289b9866",
                url="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
            ),
        ),
    ),
)
IMAGENET32 = register(
    _images("imagenet32", (3, 32), 1000, 1_281_167, 50_000),
    Source(
        title="ImageNet 32x32: 1000 classes, box-resized",
        reader="harness.data.originals.imagenet32:read_imagenet32",
        page="https://image-net.org/download-images",
        archives=(
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
    ),
)
CELEBAHQ128 = register(
    _images("celebahq128", (3, 128), 10, 30_000, 30_000),
    Source(
        title="CelebA-HQ: faces, scaled to 128x128",
        reader="harness.data.originals.faces:read_celebahq128",
        page="https://github.com/switchablenorms/CelebAMask-HQ",
        archives=(Archive("a folder or zip of the 30,000 pictures", None),),
    ),
)
"""One folder serves as every split. It has no classes; the network's class head of 10 is unused."""
CELEBA128 = register(
    _images("celeba128", (3, 128), 10, 30_000, 30_000),
    Source(
        title="CelebA: aligned faces at 128x128, a fallback for CelebA-HQ",
        reader="harness.data.originals.faces:read_celeba128",
        page=CELEBA_PAGE,
        archives=(ALIGNED_CELEBA,),
    ),
)
"""A fallback for CelebA-HQ with as many aligned CelebA faces. Its values are not comparable with CelebA-HQ's."""
IMAGENET128 = register(_images("imagenet128_10", (3, 128), 1000, 13_000, 500), UNREAD)
IMAGENET224 = register(_images("imagenet224_10", (3, 224), 10, 13_000, 500), UNREAD)
"""Ten ImageNet classes, 1,300 training and 50 validation images each; `IMAGENET128` keeps a class head of 1000."""
SVHN = register(
    _images("svhn", (3, 32), 10, 0, 26_032),
    Source(
        title="SVHN: street view house numbers",
        reader="harness.data.originals.svhn:read_svhn",
        page="http://ufldl.stanford.edu/housenumbers/",
        archives=(
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
    ),
)
CELEBA32 = register(
    _images("celeba32", (3, 32), 10, 0, 19_962),
    Source(
        title="CelebA: aligned faces, scaled to 32x32",
        reader="harness.data.originals.faces:read_celeba32",
        page=CELEBA_PAGE,
        archives=(
            ALIGNED_CELEBA,
            Archive(
                "list_eval_partition.txt",
                2_836_386,
                md5="d32c9cbf5e040fd4025c592c306e6668",
                other_names=("list_eval_partition.csv",),
            ),
        ),
    ),
)
"""Outliers serve evaluations only: their training images (73,257 and 162,770) are not prepared."""

DIGITS = _stand_in("digits", (1, 8), 10, 1_437, 360)
PAIRS = _stand_in("pairs", (3, 8), 100, 2_400, 600)
TRIPLES = _stand_in("triples", (3, 8), 1000, 8_000, 1_000)
MOSAICS = _stand_in("mosaics", (1, 16), 200, 2_400, 600)
SCENES = _stand_in("scenes", (1, 12), 10, 480, 360)
PHOTOS16 = _stand_in("photos16", (3, 16), 10, 860, 360)
PHOTOS14 = _stand_in("photos14", (3, 14), 10, 860, 360)
TEMPLE = _stand_in("temple", (1, 8), 10, 360, 360)
FLOWER = _stand_in("flower", (1, 8), 10, 360, 360)
OVERLAYS = _stand_in("overlays", (1, 8), 100, 360, 360)
