"""The datasets of the paper: tables for classification and regression, and token sequences."""

from harness.config.dataset import ArrayField, Arrays
from harness.data.registry import Source, register

TOKENS = 13
LENGTH = 24

TUMOURS = register(
    Arrays(
        name="tumours",
        fields={"features": ArrayField(shape=(30,)), "malignant": ArrayField(dtype="int64")},
        splits={"train": 369, "validation": 100, "test": 100},
        num_classes=2,
    ),
    Source("breast tumours: 30 measurements, benign or malignant", "outside_paper.nn.readers:tumours"),
)
PROGRESSION = register(
    Arrays(
        name="progression",
        fields={"features": ((10,), "float32"), "progression": ((), "float32")},
        splits={"train": 262, "validation": 90, "holdout": 90},
    ),
    Source("diabetes: 10 measurements, and its progression after a year", "outside_paper.nn.readers:progression"),
)
WALKS = register(
    Arrays(
        name="walks",
        fields={"tokens": ArrayField(shape=(LENGTH,), dtype="int64", below=TOKENS)},
        splits={"train": 512, "test": 256},
    ),
    Source("walks of a Markov chain", "outside_paper.nn.readers:walks"),
)
