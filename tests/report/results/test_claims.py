"""Claims over hand-made measurements."""

import math
from dataclasses import replace

import pytest
from hand_made import UNITS, WORDS, cells, measured
from scipy import stats
from toy_paper import HYBRID

from harness.registry.claims import (
    Claim,
    Contrast,
    Term,
    bounded,
    close,
    drops_at_most,
    falls,
    gap_closes,
    improves,
    ratio,
    rises,
)
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row, Words
from harness.registry.scale import Scale, Spread
from harness.report.results.claims import ClaimStatus, decide_printed
from harness.report.results.claims import decide as decide_at


def decide(claim, data, spread, cited=(), comparable=False):
    """Decide a claim over a table with its rows; `cited` rows have values and no run."""
    values = dict(cited)
    metrics = tuple(dict.fromkeys(term.metric for term in claim.terms()))
    keys = dict.fromkeys(term.row for term in claim.terms())
    rows = tuple(Row(key, None if key in values else HYBRID, (values.get(key, 1.0),) * len(metrics)) for key in keys)
    scale = Scale("s", "n", comparable=comparable, spread=spread)
    return decide_at(claim, Table(number=1, title="t", metrics=metrics, rows=rows), data, scale)


NARROW = {("d", "u", ""): Spread(0.5, 30)}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((30, 20, 10), ClaimStatus.HOLDS),
        ((10, 20, 30), ClaimStatus.FAILS),
        ((30, 20, 25), ClaimStatus.FAILS),
        ((30, 20, 20.1), ClaimStatus.UNDECIDED),
        ((30, 20, 19.9), ClaimStatus.UNDECIDED),
    ],
)
def test_an_order_holds_fails_or_is_undecided(values, status):
    a, b, c = ([value] for value in values)
    decision = decide(falls(UNITS, "a", "b", "c", **WORDS), measured(a=a, b=b, c=c), NARROW)
    assert decision.status is status
    mirrored = measured(a=[-a[0]], b=[-b[0]], c=[-c[0]])
    assert decide(rises(UNITS, "a", "b", "c", **WORDS), mirrored, NARROW).status is status


def test_the_interval_is_that_of_student():
    data = measured(a=[1.0, 2.0, 3.0], b=[7.0, 9.0, 11.0])
    (contrast_result,) = decide(rises(UNITS, "a", "b", **WORDS), data, {}).contrasts
    expected = stats.ttest_ind([7, 9, 11], [1, 2, 3]).confidence_interval()
    assert contrast_result.estimate - contrast_result.half_width == pytest.approx(expected.low)
    assert contrast_result.estimate + contrast_result.half_width == pytest.approx(expected.high)


def test_one_seed_without_a_known_spread_decides_nothing():
    decision = decide(falls(UNITS, "a", "b", **WORDS), measured(a=[30], b=[10]), {})
    assert decision.status is ClaimStatus.UNDECIDED
    assert "the spread between seeds is unknown" in decision.reason


def test_relative_noise_grows_with_the_value():
    data = cells([(row, FID, 0, value) for row, value in (("a", 100.0), ("b", 80.0), ("c", 10.0), ("d", 8.0))])
    noise = {("d", "fid", ""): Spread(0.05, 1000)}
    (large,) = decide(falls(FID, "a", "b", **WORDS), data, noise).contrasts
    (small,) = decide(falls(FID, "c", "d", **WORDS), data, noise).contrasts
    assert large.half_width == pytest.approx(10 * small.half_width)
    assert large.half_width == pytest.approx(stats.t.ppf(0.975, 8) * 0.05 * math.hypot(100, 80))


def test_missing_rows_leave_a_claim_undecided_and_are_named():
    decision = decide(falls(UNITS, "a", "b", **WORDS), measured(a=[30]), NARROW)
    assert (decision.status, decision.reason) == (ClaimStatus.UNDECIDED, "not measured yet: b")
    assert decide(falls(UNITS, "a", "b", **WORDS), measured(), NARROW).status is ClaimStatus.UNDECIDED


def test_a_nan_fails_a_claim():
    assert decide(falls(UNITS, "a", "b", **WORDS), measured(a=[30], b=[math.nan]), NARROW).status is ClaimStatus.FAILS


@pytest.mark.parametrize(
    ("b", "status"), [(10.5, ClaimStatus.HOLDS), (13.0, ClaimStatus.FAILS), (12.1, ClaimStatus.UNDECIDED)]
)
def test_close_rows(b, status):
    data, noise = measured(a=[10], b=[b]), {("d", "u", ""): Spread(0.1, 100)}
    assert decide(close(UNITS, "a", "b", within=2, **WORDS), data, noise).status is status


def test_small_drops():
    data, noise = measured(a=[97], b=[96]), {("d", "u", ""): Spread(0.1, 100)}
    assert decide(drops_at_most(UNITS, "a", "b", by=2, **WORDS), data, noise).status is ClaimStatus.HOLDS
    assert decide(drops_at_most(UNITS, "a", "b", by=0.5, **WORDS), data, noise).status is ClaimStatus.FAILS


def test_a_ratio_is_a_pair_of_contrasts():
    slow = (Term(1, "slow", UNITS), Term(-1.5, "fast", UNITS)), (Term(1, "slow", UNITS), Term(-2.5, "fast", UNITS))
    claim = Claim("twice as long", "w", (Contrast(slow[0], low=0), Contrast(slow[1], high=0)))
    noise = {("d", "u", ""): Spread(0.1, 100)}
    assert decide(claim, measured(slow=[20], fast=[10]), noise).status is ClaimStatus.HOLDS
    assert decide(claim, measured(slow=[30], fast=[10]), noise).status is ClaimStatus.FAILS


def test_ratios_and_gaps_are_contrasts_too():
    noise = {("d", "u", ""): Spread(0.1, 100)}
    double = ratio(UNITS, "slow", "fast", low=1.5, high=2.5, **WORDS)
    assert decide(double, measured(slow=[20], fast=[10]), noise).status is ClaimStatus.HOLDS
    assert decide(double, measured(slow=[12], fast=[10]), noise).status is ClaimStatus.FAILS
    closing = gap_closes(UNITS, ("a", "b"), ("c", "d"), **WORDS)
    assert decide(closing, measured(a=[9], b=[5], c=[10], d=[9]), noise).status is ClaimStatus.HOLDS
    assert decide(closing, measured(a=[9], b=[8], c=[10], d=[7]), noise).status is ClaimStatus.FAILS


def test_claims_over_cited_values_alone_are_decided_at_every_scale():
    order = rises(UNITS, "a", "b", **WORDS)
    assert decide(order, measured(), {}, cited={"a": 1.0, "b": 2.0}.items()).status is ClaimStatus.HOLDS
    assert decide(order, measured(), {}, cited={"a": 3.0, "b": 2.0}.items()).status is ClaimStatus.FAILS


def test_cited_beside_measured_values_are_decided_where_values_compare():
    order, data = rises(UNITS, "a", "b", **WORDS), measured(b=[9.0])
    small = decide(order, data, NARROW, cited={"a": 1.0}.items())
    assert (small.status, "cited values are comparable at paper scale only: a") == (ClaimStatus.UNDECIDED, small.reason)
    assert decide(order, data, NARROW, cited={"a": 1.0}.items(), comparable=True).status is ClaimStatus.HOLDS


def test_values_of_different_feature_spaces_have_no_common_measure():
    apart = cells([("a", UNITS, 0, 30.0)], label="FD(x)") | cells([("b", UNITS, 0, 10.0)], label="FD(y)")
    decision = decide(falls(UNITS, "a", "b", **WORDS), apart, NARROW)
    assert (decision.status, "different feature spaces" in decision.reason) == (ClaimStatus.UNDECIDED, True)


def test_exact_values_decide_without_seeds():
    exact = replace(UNITS, noise="none")
    data = cells([("a", exact, 0, 1.0), ("b", exact, 0, 1.1), ("c", exact, 0, 1.1)])
    assert decide(rises(exact, "a", "b", **WORDS), data, {}).status is ClaimStatus.HOLDS
    assert decide(rises(exact, "b", "a", **WORDS), data, {}).status is ClaimStatus.FAILS
    assert decide(rises(exact, "b", "c", **WORDS), data, {}).status is ClaimStatus.UNDECIDED


def test_noise_is_pooled_over_rows_of_the_same_data_only():
    here = cells([("a", UNITS, 0, 1.0), ("a", UNITS, 1, 3.0)])
    there = cells([("b", UNITS, 0, 10.0), ("b", UNITS, 1, 90.0)], data="e")
    (contrast_result,) = decide(rises(UNITS, "a", "b", **WORDS), here | there, {}).contrasts
    assert contrast_result.half_width == pytest.approx(stats.t.ppf(0.975, 1) * math.sqrt(2 / 2 + 3200 / 2))


def test_the_noise_of_rows_that_a_claim_does_not_name_is_none_of_its():
    calm = {"a": [30.0, 30.2, 30.4], "b": [10.0, 10.2, 10.4]}
    claim = falls(UNITS, "a", "b", **WORDS)
    (alone,) = decide(claim, measured(**calm), {}).contrasts
    (beside,) = decide(claim, measured(**calm, wild=[0.0, 500.0, 1000.0]), {}).contrasts
    assert beside == alone


@pytest.mark.parametrize(("a", "b", "printed"), [(1.0, 2.0, "holds"), (2.0, 1.0, "fails"), (1.0, 1.0, "undecided")])
def test_the_printed_values_decide_a_claim_of_their_own(a, b, printed):
    table = Table(number=1, title="t", metrics=(UNITS,), rows=(Row("a", HYBRID, (a,)), Row("b", None, (b,))))
    assert decide_printed(rises(UNITS, "a", "b", **WORDS), table) == printed


def test_words_stand_for_what_they_mean():
    rows = (Row("a", None, (Words("3 days", 72),)), Row("b", None, (Words("8 TPUs"),)))
    table = Table(number=1, title="t", metrics=(UNITS,), rows=rows)
    assert decide_printed(bounded(UNITS, "a", low=71, **WORDS), table) is ClaimStatus.HOLDS
    assert decide_printed(bounded(UNITS, "b", low=71, **WORDS), table) is None


def test_improvement_follows_the_direction_of_each_metric():
    claim = improves("a", "b", metrics=(ACCURACY, FID), **WORDS)
    values = [("a", ACCURACY, 0, 90), ("b", ACCURACY, 0, 95), ("a", FID, 0, 30), ("b", FID, 0, 20)]
    noise = {("d", "fid", ""): Spread(0.05, 30), ("d", "accuracy", ""): Spread(0.5, 30)}
    assert decide(claim, cells(values), noise).status is ClaimStatus.HOLDS
