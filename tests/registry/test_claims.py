"""Claims as weighted sums of cells, written out by hand; tolerances as sums of allowances."""

from math import inf

import pytest

from harness.errors import SpecError
from harness.registry.claims import (
    Claim,
    Contrast,
    Term,
    bounded,
    close,
    drops_at_most,
    exceed,
    falls,
    gap_closes,
    improves,
    mean_difference,
    ratio,
    rises,
    rises_at_most,
)
from harness.registry.metrics import ACCURACY, ECE, FID
from harness.registry.tolerances import Allowance, Tolerance

WORDS = {"says": "A sentence.", "where": "§1"}


def contrast(*terms, low=-inf, high=inf, metric=FID):
    return Contrast(tuple(Term(weight, row, metric) for weight, row in terms), low, high)


AB, BC = ((-1.0, "A"), (1.0, "B")), ((-1.0, "B"), (1.0, "C"))
CLAIMS = [
    (rises(FID, "A", "B", "C", **WORDS), [contrast(*AB, low=0), contrast(*BC, low=0)]),
    (falls(FID, "A", "B", "C", **WORDS), [contrast(*AB, high=0), contrast(*BC, high=0)]),
    (exceed(FID, "B", "C", over="A", **WORDS), [contrast(*AB, low=0), contrast((-1, "A"), (1, "C"), low=0)]),
    (
        improves("A", "B", "C", metrics=(ACCURACY, FID), **WORDS),
        [
            contrast(*AB, low=0, metric=ACCURACY), contrast(*BC, low=0, metric=ACCURACY),
            contrast(*AB, high=0), contrast(*BC, high=0),
        ],
    ),
    (
        close(FID, "A", "B", "C", within=1.5, **WORDS),
        [contrast(*AB, low=-1.5, high=1.5), contrast((-1, "A"), (1, "C"), low=-1.5, high=1.5)],
    ),
    (drops_at_most(FID, "A", "B", 2, **WORDS), [contrast(*AB, low=-2)]),
    (rises_at_most(FID, "A", "B", 2, **WORDS), [contrast(*AB, high=2)]),
    (bounded(FID, "A", low=3, **WORDS), [contrast((1, "A"), low=3)]),
    (bounded(FID, "A", high=4, **WORDS), [contrast((1, "A"), high=4)]),
    (
        gap_closes(FID, ("A", "B"), ("C", "D"), **WORDS),
        [contrast((1, "A"), (-1, "B"), (-1, "C"), (1, "D"), low=0)],
    ),
    (
        ratio(FID, "A", "B", low=1.5, high=2.5, **WORDS),
        [contrast((1, "A"), (-1.5, "B"), low=0), contrast((1, "A"), (-2.5, "B"), high=0)],
    ),
    (ratio(FID, "A", "B", low=1.5, **WORDS), [contrast((1, "A"), (-1.5, "B"), low=0)]),
    (ratio(FID, "A", "B", high=2.5, **WORDS), [contrast((1, "A"), (-2.5, "B"), high=0)]),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "contrasts"), CLAIMS)
def test_a_claim_is_a_conjunction_of_weighted_sums(claim, contrasts):
    assert claim == Claim("A sentence.", "§1", tuple(contrasts))
    assert list(claim.terms()) == [term for each in contrasts for term in each.terms]


def test_differences_are_averaged_over_metrics():
    assert mean_difference((ACCURACY, ECE), "A", "B", weight=3) == (
        Term(1.5, "A", ACCURACY), Term(-1.5, "B", ACCURACY), Term(1.5, "A", ECE), Term(-1.5, "B", ECE)
    )  # fmt: skip
    assert mean_difference((FID,), "A", "B") == (Term(1, "A", FID), Term(-1, "B", FID))


def test_a_contrast_has_no_bounds_by_default():
    assert (Contrast(()).low, Contrast(()).high) == (-inf, inf)


@pytest.mark.parametrize("make", [rises, falls])
def test_an_order_of_one_row_is_refused(make):
    with pytest.raises(SpecError, match=r"an ordering claim needs at least two rows, not \('A',\)"):
        make(FID, "A", **WORDS)


def test_allowances_are_absolute_or_relative_and_add_up():
    both = Allowance("both", absolute=0.5, relative=0.1)
    assert [both.around(value) for value in (0, 20, -20)] == [0.5, 2.5, 2.5]
    assert (Allowance("none").around(20), Allowance("a", absolute=3).around(20)) == (0, 3)
    binomial = Allowance("binomial", at_half=4.0)
    found = [binomial.around(value) for value in (50, 0, 100, 2, 98, 101)]
    assert found == pytest.approx([4, 0, 0, 4 * 14 / 50, 4 * 14 / 50, 0])
    tolerance = Tolerance((both, Allowance("rounding", absolute=0.05)))
    assert tolerance.around(-20) == pytest.approx(2.55)
    assert tolerance.explain(20, FID) == ("2.5 for both", "0.05 for rounding")
    assert Tolerance(()).around(20) == 0


@pytest.mark.parametrize("make", [lambda: ratio(FID, "A", "B", **WORDS), lambda: close(FID, "A", within=1, **WORDS)])
def test_a_claim_compares_something(make):
    with pytest.raises(SpecError, match=r"claim 'A sentence\.' compares nothing: name two rows"):
        make()
