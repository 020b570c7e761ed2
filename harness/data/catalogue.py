"""The datasets that runs and evaluations may name. Imports no torch and touches no file.

The second group are stand-ins made of pixels that ship with scikit-learn; `docs/scales.md` says what stands for what.
"""

from harness.spec.data import Images


def _dataset(name: str, shape: tuple[int, int], num_classes: int, train: int, test: int) -> Images:
    channels, size = shape
    return Images(
        name=name,
        image_size=size,
        channels=channels,
        num_classes=num_classes,
        train_examples=train,
        test_examples=test,
    )


CIFAR10 = _dataset("cifar10", (3, 32), 10, 50_000, 10_000)
CIFAR100 = _dataset("cifar100", (3, 32), 100, 50_000, 10_000)
TINY_IMAGENET = _dataset("tiny_imagenet", (3, 64), 200, 100_000, 10_000)
STL10 = _dataset("stl10", (3, 96), 10, 5_000, 8_000)
IMAGENET32 = _dataset("imagenet32", (3, 32), 1000, 1_281_167, 50_000)
CELEBAHQ128 = _dataset("celebahq128", (3, 128), 10, 30_000, 30_000)
"""One folder serves as every split; it has no classes, and the network's class head of 10 stays unused."""
CELEBA128 = _dataset("celeba128", (3, 128), 10, 30_000, 30_000)
"""Where CelebA-HQ cannot be had: as many aligned CelebA faces. Its values are not those of CelebA-HQ."""
IMAGENET128 = _dataset("imagenet128_10", (3, 128), 1000, 13_000, 500)
IMAGENET224 = _dataset("imagenet224_10", (3, 224), 10, 13_000, 500)
"""Ten classes of ImageNet with 1,300 training and 50 validation images each; the first keeps a head of 1000."""
SVHN = _dataset("svhn", (3, 32), 10, 0, 26_032)
CELEBA32 = _dataset("celeba32", (3, 32), 10, 0, 19_962)
"""Outliers are only evaluated: their training images (73,257 and 162,770) are not prepared."""

DIGITS = _dataset("digits", (1, 8), 10, 1_437, 360)
PAIRS = _dataset("pairs", (3, 8), 100, 2_400, 600)
TRIPLES = _dataset("triples", (3, 8), 1000, 8_000, 1_000)
MOSAICS = _dataset("mosaics", (1, 16), 200, 2_400, 600)
SCENES = _dataset("scenes", (1, 12), 10, 480, 360)
PHOTOS16 = _dataset("photos16", (3, 16), 10, 860, 360)
PHOTOS14 = _dataset("photos14", (3, 14), 10, 860, 360)
TEMPLE = _dataset("temple", (1, 8), 10, 360, 360)
FLOWER = _dataset("flower", (1, 8), 10, 360, 360)
OVERLAYS = _dataset("overlays", (1, 8), 100, 360, 360)
EMBEDDED = (DIGITS, PAIRS, TRIPLES, MOSAICS, SCENES, PHOTOS16, PHOTOS14, TEMPLE, FLOWER, OVERLAYS)


def datasets() -> dict[str, Images]:
    """Return every dataset by its name, in the order of this file."""
    return {data.name: data for data in globals().values() if isinstance(data, Images)}
