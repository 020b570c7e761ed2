"""Estimates of contrasts over hand-made measurements: the parts of runs, pools, bounds and cited values."""

import math
from dataclasses import replace

import pytest
from scipy import stats
from toy_paper import HYBRID

from harness.registry.claims import Claim, Contrast, Term, mean_difference, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.report.results.claims import ClaimStatus, decide
from harness.report.results.contrasts import Estimator, half_a_unit
from harness.report.results.series import Series

SIZES = tuple(replace(FID, key=f"u{number}", noise="absolute") for number in range(3))
UNITS = SIZES[0]
WORDS = {"says": "s", "where": "w"}


def series(row, metric, values, run="", kind="k", items=0, data="d", first_seed=0):
    """Return the entry of a cell: one value for each seed."""
    seeds = tuple(range(first_seed, first_seed + len(values)))
    runs = tuple(f"{run or row} {seed}" for seed in seeds)
    evaluation = f"e {row}" if run else "e"  # of one run, each row has its own
    return (row, metric.key, ""), Series(evaluation, data, "l", items, seeds, tuple(values), runs, kind=kind)


def estimates(claim, *found, spread=None, cited=()):
    """Return the estimates of the contrasts of a claim."""
    terms = list(claim.terms())
    metrics = tuple(dict.fromkeys(term.metric for term in terms))
    cited = dict(cited)
    rows = tuple(
        Row(key, None if key in cited else HYBRID, (cited.get(key),) * len(metrics))
        for key in dict.fromkeys(term.row for term in terms)
    )
    exhibit = Table(number=1, title="t", metrics=metrics, rows=rows)
    scale = Scale("s", "n", comparable=True, spread=spread or {})
    estimator = Estimator(claim, exhibit, dict(found), scale)
    return [estimator.estimate(contrast) for contrast in claim.contrasts]


def dfs(found):
    """Return the degrees of freedom of an estimate."""
    return [df for _, df in found.variances]


def test_cells_of_one_run_are_summed_seed_by_seed():
    """Values that move together cancel in their difference, whatever each of them does."""
    gain = Claim("s", "w", (Contrast((Term(1, "late", UNITS), Term(-1, "early", UNITS)), low=0),))
    early, late = [10.0, 50.0, 90.0], [21.0, 60.0, 102.0]
    (found,) = estimates(gain, series("early", UNITS, early, run="r"), series("late", UNITS, late, run="r"))
    assert (found.value, dfs(found)) == (pytest.approx(11), [2])
    assert found.standard_error == pytest.approx(stats.sem([11, 10, 12]))
    (apart,) = estimates(gain, series("early", UNITS, early), series("late", UNITS, late))
    assert apart.standard_error == pytest.approx(math.hypot(stats.sem(early), stats.sem(late)), rel=0.01)


def test_values_of_one_run_that_move_together_widen_their_mean():
    claim = Claim("s", "w", (Contrast(mean_difference(SIZES, "a", "b"), low=0),))
    of_a, of_b = [1.0, 2.0, 6.0], [5.0, 7.0, 9.0]
    cells = [series(row, size, of) for row, of in (("a", of_a), ("b", of_b)) for size in SIZES]
    (found,) = estimates(claim, *cells)
    pool = math.sqrt((stats.tvar(of_a) + stats.tvar(of_b)) / 2)
    assert found.standard_error == pytest.approx(pool * math.sqrt(2 / 3))
    assert dfs(found) == [4]


def test_a_sum_of_a_single_seed_has_the_bound_of_its_cells():
    claim = Claim("s", "w", (Contrast(mean_difference(SIZES, "a", "b"), low=0),))
    cells = [series(row, size, [1.0]) for row in "ab" for size in SIZES]
    spread = {("d", size.key, "k"): Spread(2.0, 5) for size in SIZES}
    (found,) = estimates(claim, *cells, spread=spread)
    assert found.standard_error == pytest.approx(2.0 * math.sqrt(2))  # and not 2 / sqrt(3) of independent cells
    assert dfs(found) == [5]


def test_only_seeds_of_which_all_cells_are_measured_count():
    gain = Claim("s", "w", (Contrast((Term(1, "late", UNITS), Term(-1, "early", UNITS)), low=0),))
    early = series("early", UNITS, [1.0, 2.0, 3.0, 4.0], run="r")
    (found,) = estimates(gain, early, series("late", UNITS, [7.0, 9.0, 8.0], run="r", first_seed=1))
    assert found.value == pytest.approx(((7 - 2) + (9 - 3) + (8 - 4)) / 3)


def test_kinds_of_models_have_their_own_noise():
    claim = rises(UNITS, "a", "b", **WORDS)
    calm, wild = [1.0, 1.2, 1.4], [10.0, 20.0, 30.0]
    (found,) = estimates(claim, series("a", UNITS, calm), series("b", UNITS, wild, kind="other"))
    assert sorted(found.variances) == [(pytest.approx(0.04 / 3), 2), (pytest.approx(100 / 3), 2)]
    assert found.half_width(0.95) == pytest.approx(stats.t.ppf(0.975, 2) * math.sqrt(0.04 / 3 + 100 / 3))


def test_each_pool_has_its_own_quantile():
    """With few seeds, Welch's single quantile for both would give too short an interval."""
    claim = rises(UNITS, "a", "b", **WORDS)
    many, few = [float(seed) for seed in range(10)], [10.0, 12.0]
    (found,) = estimates(claim, series("a", UNITS, many), series("b", UNITS, few, kind="other"))
    wide, narrow = (stats.t.ppf(0.975, df) ** 2 * stats.sem(of) ** 2 for df, of in ((1, few), (9, many)))
    assert found.half_width(0.95) == pytest.approx(math.sqrt(wide + narrow))


def test_differences_of_one_run_do_not_stand_for_each_other():
    """Its accuracy rises from 100 to 300 epochs as it likes, and hardly changes after."""
    claim = rises(UNITS, "100", "300", "500", **WORDS)
    values = {"100": [10.0, 50.0, 90.0], "300": [40.0, 60.0, 100.0], "500": [41.0, 61.0, 101.5]}
    first, last = estimates(claim, *(series(row, UNITS, of, run="r") for row, of in values.items()))
    assert first.standard_error == pytest.approx(stats.sem([30, 10, 10]))
    assert last.standard_error == pytest.approx(stats.sem([1, 1, 1.5]))


def test_cells_without_a_common_seed_leave_a_claim_undecided():
    exhibit = Table(
        number=1, title="t", metrics=(UNITS,), rows=tuple(Row(r, HYBRID, (1.0,)) for r in ("early", "late"))
    )
    cells = series("early", UNITS, [1.0, 2.0], run="r"), series("late", UNITS, [3.0], run="r", first_seed=2)
    joined = dict(cells)
    joined["late", "u0", ""] = replace(joined["late", "u0", ""], runs=("r 1",))
    scale = Scale("s", "n", comparable=False, spread={("d", "u0", "k"): Spread(1.0, 3)})
    found = decide(GAIN, exhibit, joined, scale)
    assert (found.status, found.reason) == (ClaimStatus.UNDECIDED, "not measured with a common seed: early, late")


def test_a_run_that_joins_two_groups_of_cells_joins_them():
    """Cells measured with seeds 0 and 1, with 2 and 3, and with all four, are of one run."""
    terms = (Term(1, "x", UNITS), Term(1, "z", UNITS), Term(-2, "y", UNITS))
    claim = Claim("s", "w", (Contrast(terms, low=0),))
    x, y = series("x", UNITS, [1.0, 2.0, 4.0], run="r"), series("y", UNITS, [5.0] * 4, run="r")
    z = series("z", UNITS, [7.0, 9.0, 8.0], run="r", first_seed=1)
    (found,) = estimates(claim, x, z, y)
    assert found.value == pytest.approx(((2 + 7) + (4 + 9)) / 2 - 10)
    assert len(found.variances) == 1


def test_zero_noise_of_values_with_digits_is_that_of_their_last_digit():
    """An AUROC that is 1.00 for all seeds is not exactly 1."""
    claim = rises(UNITS, "a", "b", **WORDS)
    (found,) = estimates(claim, series("a", UNITS, [1.0] * 3), series("b", UNITS, [1.0001] * 3))
    assert found.standard_error == pytest.approx(0.1 / math.sqrt(12) * math.sqrt(2 / 3))


def test_a_value_of_zero_has_no_relative_noise_and_harms_no_other_row():
    claim = rises(FID, "a", "b", **WORDS)
    (found,) = estimates(claim, series("a", FID, [0.0] * 3), series("b", FID, [10.0, 11.0, 10.5]))
    assert found.standard_error == pytest.approx(stats.sem([10, 11, 10.5]), rel=0.01)


def test_a_declaration_is_of_one_kind():
    claim = rises(UNITS, "a", "b", **WORDS)
    rows = series("a", UNITS, [1.0]), series("b", UNITS, [9.0], kind="other")
    assert estimates(claim, *rows, spread={("d", "u0", "k"): Spread(0.1, 30)})[0].standard_error == math.inf
    both = {("d", "u0", kind): Spread(0.1, 30) for kind in ("k", "other")}
    assert estimates(claim, *rows, spread=both)[0].standard_error == pytest.approx(0.1 * math.sqrt(2))


def test_a_kind_without_known_noise_leaves_a_claim_undecided_and_is_named():
    claim = rises(UNITS, "a", "b", **WORDS)
    exhibit = Table(number=1, title="t", metrics=(UNITS,), rows=(Row("a", HYBRID, (1.0,)), Row("b", HYBRID, (1.0,))))
    rows = dict([series("a", UNITS, [1.0]), series("b", UNITS, [99.0], kind="other")])
    scale = Scale("s", "n", comparable=False, spread={("d", "u0", "k"): Spread(0.1, 30)})
    found = decide(claim, exhibit, rows, scale)
    assert found.status is ClaimStatus.UNDECIDED
    assert found.reason == "the spread between seeds is unknown for b: run --seeds 3"


def test_an_accuracy_of_few_images_is_never_exact():
    claim = rises(ACCURACY, "a", "b", **WORDS)
    same = [80.0, 80.0, 80.0]
    cells = [series(row, ACCURACY, same, items=50) for row in "ab"]
    (found,) = estimates(claim, *cells)
    assert found.standard_error == pytest.approx(2 / math.sqrt(12) * math.sqrt(2 / 3))  # an image is 2 points


@pytest.mark.parametrize(
    ("value", "half"), [(37.9, 0.05), (8.11, 0.005), (110.0, 0.05), (3.125, 0.0005), (1e-5, 5e-6), (1.5e-7, 5e-9)]
)
def test_half_a_unit_is_of_the_last_printed_digit(value, half):
    assert half_a_unit(value, FID) == pytest.approx(half)


def test_cited_values_are_as_exact_as_they_are_printed():
    claim = rises(FID, "a", "b", **WORDS)
    (found,) = estimates(claim, cited={"a": 10.0, "b": 10.1}.items())
    assert (found.standard_error, found.rounding) == (0.0, pytest.approx(0.1))
    assert found.half_width(0.95) == pytest.approx(0.1)
    row = series("b", FID, [12.0, 12.4, 12.8])
    alone, beside = (estimates(claim, row, series("a", FID, [10.0] * 3), cited=c)[0] for c in ((), {"a": 10.0}.items()))
    assert beside.half_width(0.95) == pytest.approx(beside.standard_error * stats.t.ppf(0.975, 2) + 0.05)
    assert alone.rounding == 0


def test_one_of_many_contrasts_has_to_fail_at_a_higher_level():
    """At 95 % the second difference lies outside; among three that would happen too often by chance."""
    rows = ["a", "b", "c", "d"]
    exhibit = Table(number=1, title="t", metrics=(UNITS,), rows=tuple(Row(row, HYBRID, (1.0,)) for row in rows))
    scale = Scale("s", "n", comparable=False, spread={("d", "u0", "k"): Spread(1.0, 8)})
    limit = stats.t.ppf(0.975, 8) * math.sqrt(2)

    def status(names, drop):
        values = {"a": 0.0, "b": 20.0, "c": 20.0 - drop, "d": 40.0}
        found = dict(series(row, UNITS, [values[row]]) for row in names)
        return decide(rises(UNITS, *names, **WORDS), exhibit, found, scale).status

    assert status(["b", "c"], 1.01 * limit) is ClaimStatus.FAILS
    assert status(rows, 1.01 * limit) is ClaimStatus.UNDECIDED
    assert status(rows, 1.01 * stats.t.ppf(1 - 0.025 / 3, 8) * math.sqrt(2)) is ClaimStatus.FAILS


GAIN = Claim("s", "w", (Contrast((Term(1, "late", UNITS), Term(-1, "early", UNITS)), low=0),))


def test_the_sums_of_two_seeds_are_too_few_to_know_their_noise():
    """One degree of freedom would give an interval of thirteen standard errors."""
    cells = series("early", UNITS, [10.0, 12.0], run="r"), series("late", UNITS, [21.0, 23.1], run="r")
    (found,) = estimates(GAIN, *cells, spread={("d", "u0", "k"): Spread(2.0, 8)})
    pool = math.sqrt((2.0 + 2.205 + 8 * 4.0) / 10)  # of the cells, with the declared spread
    assert found.standard_error == pytest.approx(2 * pool / math.sqrt(2))
    assert dfs(found) == [10]


def test_the_noise_of_relative_sums_grows_with_their_cells():
    """Ten times the values have ten times the noise, and both models tell of it."""
    metrics = replace(FID, key="f1"), replace(FID, key="f2")
    claim = Claim("s", "w", (Contrast(mean_difference(metrics, "small", "large"), high=0),))
    small, large = [9.0, 10.0, 11.0], [80.0, 100.0, 120.0]
    cells = [series(row, m, of) for row, of in (("small", small), ("large", large)) for m in metrics]
    (found,) = estimates(claim, *cells)
    pool = math.sqrt((0.1**2 + 0.2**2) / 2)
    assert found.standard_error == pytest.approx(pool * math.hypot(10, 100) / math.sqrt(3))
    assert dfs(found) == [4]


def test_sums_of_accuracies_are_never_exact():
    gain = Claim("s", "w", (Contrast((Term(1, "late", ACCURACY), Term(-1, "early", ACCURACY)), low=0),))
    cells = [series(row, ACCURACY, [80.0] * 3, run="r", items=50) for row in ("early", "late")]
    (found,) = estimates(gain, *cells)
    assert found.standard_error == pytest.approx(math.hypot(2, 2) / math.sqrt(12) / math.sqrt(3))
