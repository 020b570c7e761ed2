"""The evidence for claims in words: digits, intervals, declared noise, and what leaves a claim undecided."""

from dataclasses import replace

import pytest
from toy_paper import HYBRID

from harness.registry.claims import Claim, bounded, improves, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.report.results.claims import decide
from harness.report.results.column_digits import ColumnDigits
from harness.report.results.series import Series
from harness.report.writers.claim_evidence import claim_evidence, reason
from harness.report.writers.contrast_formula import Formulas

WORDS = {"says": "s", "where": "w"}


class OfExhibit:
    """What evidence needs of a report."""

    def __init__(self, exhibit):
        self.exhibit = exhibit
        self.digits = ColumnDigits(())

    def label(self, metric):
        return metric.label


def evidence(claim: Claim, spread, metric=ACCURACY, **rows):
    """Decide a claim over row=[values over seeds], and return its evidence."""
    found = {}
    for row, of in rows.items():
        seeds = tuple(range(len(of)))
        runs = tuple(f"{row} {seed}" for seed in seeds)
        found[row, metric.key, ""] = Series("e", "d", "l", 10**9, seeds, tuple(of), runs, kind="k")
    exhibit = Table(number=1, title="t", metrics=(metric,), rows=tuple(Row(row, HYBRID, (None,)) for row in rows))
    scale = Scale("s", "n", comparable=False, spread={("d", metric.key, "k"): spread} if spread else {})
    result = decide(claim, exhibit, found, scale)
    report = OfExhibit(exhibit)
    assert (
        reason(result, Formulas(result, exhibit, report.label)).lower() in str(claim_evidence(result, report)).lower()
    )
    return claim_evidence(result, report)


@pytest.mark.parametrize(
    ("sd", "says"),
    [
        (0.001, "b - a = 7.123, 95 % interval 7.120 to 7.127 (claimed > 0)"),  # two decimals beyond the metric's
        (0.05, "b - a = 7.12, 95 % interval 6.96 to 7.29 (claimed > 0)"),
        (0.2, "b - a = 7.1, 95 % interval 6.5 to 7.8 (claimed > 0)"),
        (2.0, "b - a = 7, 95 % interval 1 to 14 (claimed > 0)"),
        (2.17, "b - a = 7.12, 95 % interval 0.05 to 14.20 (claimed > 0)"),  # 0 would be the claimed bound
    ],
)
def test_contrasts_have_the_digits_of_their_interval(sd, says):
    found = evidence(rises(ACCURACY, "a", "b", **WORDS), Spread(sd, 8), a=[90.0], b=[97.1234])
    assert found.contrasts == (says,)


def test_exact_values_have_no_interval():
    exact = replace(ACCURACY, noise="none", proportion=False)
    found = evidence(bounded(exact, "a", low=3, **WORDS), None, exact, a=[5.0])
    assert found.contrasts == ("a = 5.0 (claimed > 3)",)


def test_declared_noise_is_named_where_nothing_else_is_known():
    claim = rises(ACCURACY, "a", "b", **WORDS)
    assert evidence(claim, Spread(0.44, 20), a=[90.0], b=[97.0]).remarks == (
        "Seeds: 1",
        "Noise as declared at this scale: Acc 0.44 % (8 degrees of freedom)",
    )
    assert evidence(claim, Spread(0.44, 20), a=[90.0, 90.5], b=[97.0]).remarks == ("Seeds: 1 to 2",)
    relative = improves("a", "b", metrics=(FID,), **WORDS)
    of_fid = evidence(relative, Spread(0.083, 20), FID, a=[90.0], b=[20.0]).remarks[1]
    assert of_fid.endswith("FID 8.3 % (8 degrees of freedom)")
    assert evidence(claim, Spread(0.44, 1), a=[90.0], b=[97.0]).remarks[1].endswith("(1 degree of freedom)")


def test_declared_noise_of_several_kinds_of_model_names_them():
    rows = tuple(Row(row, HYBRID, (None,)) for row in "ab")
    exhibit = Table(number=1, title="t", metrics=(ACCURACY,), rows=rows)
    found = {
        (row, ACCURACY.key, ""): Series("e", "d", "l", 10**9, (0,), (value,), (f"{row} 0",), kind=kind)
        for row, value, kind in (("a", 90.0, "denoising vit"), ("b", 97.0, "hybrid vit"))
    }
    spread = {("d", ACCURACY.key, "denoising vit"): Spread(0.41, 1), ("d", ACCURACY.key, "hybrid vit"): Spread(0.02, 1)}
    scale = Scale("s", "n", comparable=False, spread=spread)
    result = decide(rises(ACCURACY, "a", "b", **WORDS), exhibit, found, scale)
    assert claim_evidence(result, OfExhibit(exhibit)).remarks[1] == (
        "Noise as declared at this scale: Acc of denoising vit 0.41 % (1 degree of freedom), "
        "Acc of hybrid vit 0.02 % (1 degree of freedom)"
    )


def test_what_leaves_a_claim_undecided_is_named():
    claim = rises(ACCURACY, "a", "b", "c", **WORDS)
    one = evidence(claim, Spread(1.0, 8), a=[80.0], b=[90.0], c=[90.5])
    assert one.remarks[-1] == "1 of 2 intervals reaches over its bound: c - b"
    two = evidence(claim, Spread(1.0, 8), a=[89.5], b=[90.0], c=[90.5])
    assert two.remarks[-1] == "2 of 2 intervals reach over their bounds: b - a, c - b"
    alone = evidence(rises(ACCURACY, "a", "b", **WORDS), Spread(1.0, 8), a=[90.0], b=[90.5])
    assert alone.remarks[-1] == "The interval reaches over a bound"


def test_a_contrast_that_fails_at_too_low_a_level_says_so():
    """One of two contrasts has to fail at 97.5 %."""
    found = evidence(rises(ACCURACY, "a", "b", "c", **WORDS), Spread(1.0, 8), a=[80.0], b=[90.0], c=[86.5])
    assert found.remarks[-1] == "Outside of its bounds at 95 %, but not at 97.5 % as one of 2 contrasts: c - b"


def test_both_reasons_are_named():
    found = evidence(rises(ACCURACY, "a", "b", "c", **WORDS), Spread(1.0, 8), a=[80.0], b=[80.5], c=[77.0])
    assert found.remarks[-1] == (
        "1 of 2 intervals reaches over its bound: b - a; "
        "outside of its bounds at 95 %, but not at 97.5 % as one of 2 contrasts: c - b"
    )
