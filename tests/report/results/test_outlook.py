"""What undecided claims turn on, who needs another seed, and what seeds cannot decide."""

from dataclasses import replace

import numpy as np
import pytest
from hand_made import UNITS, WORDS, cells, measured
from toy_paper import HYBRID

from harness.registry.claims import close, exceed, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import MINUTES_PER_EPOCH
from harness.registry.row import Row
from harness.registry.scale import Scale, Spread
from harness.report.results.claims import ClaimStatus, decide
from harness.report.results.levels import level_for
from harness.report.results.outlook import expected_runs, outlook


def seen(claim, data, sd=1.0, cited=(), most=10):
    """Return the outlook of a claim over a table with its rows, at a scale that declares a spread."""
    metrics = tuple(dict.fromkeys(term.metric for term in claim.terms()))
    keys = dict.fromkeys(term.row for term in claim.terms())
    rows = tuple(Row(key, None if key in cited else HYBRID, (1.0,) * len(metrics)) for key in keys)
    spread = {("d", "u", ""): Spread(sd, 8)} if sd else {}
    scale = Scale("s", "n", comparable=False, spread=spread)
    return outlook(claim, Table(number=1, title="t", metrics=metrics, rows=rows), data, scale, most)


def test_a_decided_claim_has_none():
    assert seen(rises(UNITS, "a", "b", **WORDS), measured(a=[0.0], b=[50.0])) is None


def test_only_rows_of_undecided_contrasts_get_a_seed():
    found = seen(rises(UNITS, "a", "b", "c", **WORDS), measured(a=[0.0, 0.2], b=[50.0, 50.1], c=[51.0, 51.2]))
    assert found.next_seeds == {"b": 2, "c": 2}
    assert found.turns_on.contrast.terms[0].row == "b"


def test_a_missing_seed_between_others_is_the_next():
    data = cells([("a", UNITS, 0, 0.0), ("a", UNITS, 2, 0.4), ("b", UNITS, 0, 1.0), ("b", UNITS, 1, 1.6)])
    assert seen(rises(UNITS, "a", "b", **WORDS), data).next_seeds == {"a": 1, "b": 2}


def test_no_row_gets_more_than_the_most_seeds():
    claim, values = rises(UNITS, "a", "b", **WORDS), [0.0, 1.0, 0.3, 0.8]
    shifted = [value + 1.6 for value in values[:3]]
    assert set(seen(claim, measured(a=values, b=shifted), most=4).next_seeds) == {"b"}
    full = seen(claim, measured(a=values, b=[*shifted, 1.5]), most=4)
    assert full.futility == "undecided with 4 seeds" and not full.rows


def test_a_claim_far_from_any_decision_is_futile():
    """Equal rows are decided by neither side: of ten seeds, fewer than one in ten would."""
    found = seen(rises(UNITS, "a", "b", **WORDS), measured(a=[0.0] * 5, b=[0.0, 0.01, -0.01, 0.0, 0.0]), sd=1.0)
    assert found.futility == "a chance below 10 % to be decided by 10 seeds" and not found.rows and found.turns_on


def test_reasons_that_seeds_do_not_help():
    times = rises(MINUTES_PER_EPOCH, "a", "b", **WORDS)
    data = cells([(row, MINUTES_PER_EPOCH, 0, value) for row, value in (("a", 1.0), ("b", 1.1))])
    assert "machine" in seen(times, data).futility
    assert "cited values" in seen(rises(UNITS, "a", "b", **WORDS), measured(b=[1.0]), cited=("a",)).futility


def test_a_row_that_is_not_measured_needs_its_first_seed():
    found = seen(rises(UNITS, "a", "b", **WORDS), measured(a=[1.0]))
    assert found.next_seeds == {"b": 0} and not found.futility
    assert found.result.reason == "not measured yet: b"


def test_rows_without_a_known_spread_need_a_second_seed():
    found = seen(rises(UNITS, "a", "b", **WORDS), measured(a=[0.0], b=[1.0]), sd=0)
    assert found.next_seeds == {"a": 1, "b": 1} and found.seeds is None and not found.futility


def test_the_range_of_seeds_is_about_the_one_where_the_interval_ends_at_the_bound():
    values = [0.0, 0.1, -0.1, 0.2, -0.2]
    found = seen(rises(UNITS, "a", "b", **WORDS), measured(a=values, b=[value + 0.9 for value in values]))
    of_one_seed = found.turns_on.estimated.standard_error * np.sqrt(5)
    first, last = found.seeds
    assert first < (2.555 * of_one_seed / 0.9) ** 2 < last
    assert 4 < first < 10 < last, "the upper quartile is beyond the most seeds, and says so"


def test_the_chance_is_that_of_a_simulation():
    rng, most, now = np.random.default_rng(0), 8, 4
    claim = close(UNITS, "a", "b", within=2.0, **WORDS)
    a, b = rng.normal(0, 1, now), rng.normal(1.0, 1, now)
    found = seen(claim, measured(a=list(a), b=list(b)), most=most)
    decided, repetitions = 0, 300
    noise = np.sqrt(np.mean([np.var(a, ddof=1), np.var(b, ddof=1), 1.0]))
    scale = Scale("s", "n", comparable=False, spread={("d", "u", ""): Spread(1.0, 8)})
    table = Table(number=1, title="t", metrics=(UNITS,), rows=tuple(Row(key, HYBRID, (1.0,)) for key in "ab"))
    for _ in range(repetitions):
        later = {row: [*first, *rng.normal(np.mean(first), noise, most - now)] for row, first in (("a", a), ("b", b))}
        decided += decide(claim, table, measured(**later), scale, level_for(most)).status is not ClaimStatus.UNDECIDED
    assert found.chance == pytest.approx(decided / repetitions, abs=0.15)


def test_rows_of_several_claims_are_expected_to_take_the_most():
    data = measured(a=[0.0, 0.1, 0.0], b=[1.0, 1.3, 1.2], c=[2.9, 3.0, 3.1])
    near, far = (seen(rises(UNITS, "a", other, **WORDS), data) for other in "bc")
    assert expected_runs([near, far] if far else [near])["a"] == max(expected_runs([near])["a"], 1)


def test_a_conjunction_fails_by_its_quickest_contrast():
    """One row that is far below is enough, so the claim turns on it and not on the near one."""
    data = measured(a=[0.0, 0.1], near=[0.1, 0.2], below=[-2.0, -2.1])
    found = seen(exceed(UNITS, "near", "below", over="a", **WORDS), data, sd=1.5)
    assert found.turns_on.contrast.terms[1].row == "below"
    assert replace(found, seeds=None).further(2) == (1, 8)


def test_no_row_gets_a_second_seed_if_one_is_the_most():
    found = seen(rises(UNITS, "a", "b", **WORDS), measured(a=[0.0], b=[1.0]), sd=0, most=1)
    assert not found.next_seeds and "spread between seeds is unknown" in found.futility


def test_a_chance_is_printed_by_a_bound_that_holds():
    """A chance of 9.7 % is below the limit, and must not be printed as 10 %."""
    values, chances = [0.0, 0.1, -0.1, 0.2, -0.2], []
    for apart in np.linspace(0.0, 1.0, 200):
        found = seen(rises(UNITS, "a", "b", **WORDS), measured(a=values, b=[value + apart for value in values]))
        if found is not None and found.futility:
            assert found.futility == "a chance below 10 % to be decided by 10 seeds" and found.chance < 0.1
            chances.append(found.chance)
    assert max(chances) > 0.095


@pytest.mark.parametrize("value", [1e160, 1.0, 1e-200])
@pytest.mark.parametrize("sd", [1e-300, 1.0])
def test_values_whose_squares_overflow_have_an_outlook(value, sd):
    """Finite values of trainings that diverge, and differences that are almost on the bound."""
    noisy = measured(a=[-value, value], b=[value, 0.0])
    for data in (measured(a=[0.0], b=[value]), measured(a=[0.0, 0.0], b=[value, value]), noisy):
        found = seen(rises(UNITS, "a", "b", **WORDS), data, sd=sd)
        assert found is None or 0 <= found.chance <= 1
