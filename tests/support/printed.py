"""A paper that prints numbers in every way: plain, with ±, with the number of seeds, cited, and in words."""

from dataclasses import replace

from toy_paper import HYBRID, PAPER

from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, BPD, FID, INCEPTION_SCORE
from harness.registry.row import Row, Value, Words

BESIDE = Table(
    number=201,
    title="Values with what stands beside them",
    metrics=(ACCURACY, INCEPTION_SCORE, FID, BPD),
    rows=(
        Row(
            "Own", HYBRID,
            (Value(94.1, sd=0.2, n=5), Value(2, n=5), Value(150.25, sd=1.125, n=5), Words("about 3", 3.0)),
        ),
        Row(
            "Mixed", HYBRID.but(epochs=3),
            (95.0, Value(2.5, source="cited"), Value(40.0, sd=2, n=3, source="uncertain"), None),
        ),
        Row("Cited", None, (Value(90.0, sd=12), None, 3.0, None), source="cited"),
        Row("Partly", HYBRID.but(epochs=4), (Value(93.0, sd=0.04, source="own"), 2.2, 60.0, 5.0), source="cited"),
        Row("Theirs", HYBRID.but(epochs=5), (Value(97.0, n=1, source="cited"), None, None, None)),
    ),
    best=(ACCURACY, INCEPTION_SCORE, FID),
)  # fmt: skip
STACKED = replace(BESIDE, number=202, readings={"samples=50": {"samples": 50}})
PRINTING = replace(PAPER, name="printing", title="A paper with ±", tables=(BESIDE, STACKED), figures=(), optional=())
"""Its runs are those of the toy."""
