"""Datasets made of what an installed package carries: prepared on first use, without a download."""

from collections.abc import Callable

from harness.data import composites, digits, photographs
from harness.data.digits import Splits
from harness.data.photographs import FLOWER, PHOTOGRAPHS, TEMPLE
from harness.spec.data import Dataset


def _counts(data: Dataset) -> dict[str, int]:
    return {"train": data.train_examples, "test": data.test_examples}


READERS: dict[str, Callable[[Dataset], Splits]] = {
    "digits": lambda data: digits.read(),
    "pairs": lambda data: composites.pairs(_counts(data)),
    "triples": lambda data: composites.triples(_counts(data)),
    "mosaics": lambda data: composites.mosaics(_counts(data)),
    "scenes": lambda data: composites.scenes(_counts(data)),
    "overlays": lambda data: composites.overlays(_counts(data)),
    "photos16": lambda data: photographs.read(PHOTOGRAPHS, data.image_size, 4, _counts(data)),
    "photos14": lambda data: photographs.read(PHOTOGRAPHS, data.image_size, 4, _counts(data)),
    "temple": lambda data: photographs.read([TEMPLE], data.image_size, 4, _counts(data), grey=True),
    "flower": lambda data: photographs.read([FLOWER], data.image_size, 4, _counts(data), grey=True),
}
