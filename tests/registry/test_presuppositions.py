"""What claims may presuppose: mistakes are refused in one line when a table or a scale is written."""

from dataclasses import replace

import pytest
from toy_paper import DENOISING, HYBRID, PAPER, TABLES

from harness.errors import SpecError
from harness.registry.claims import (
    Claim,
    bounded,
    close,
    drops_at_most,
    exceed,
    falls,
    gap_closes,
    improves,
    ratio,
    rises,
    rises_at_most,
)
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, ECE, FID
from harness.registry.presuppositions import at_least, at_most, comparable_operations, levelled_off
from harness.registry.row import Row
from harness.registry.scale import Scale

WORDS = {"says": "A sentence.", "where": "§1"}
NEED = levelled_off("A", FID)


def table(**more):
    rows = (
        Row("A", HYBRID, (1.0, 2.0)),
        Row("B", DENOISING, (None, 2.0)),
        Row("Cited", None, (3.0, 4.0), source="cited"),
    )
    return Table(number=5, title="t", metrics=(ACCURACY, FID), rows=rows, **more)


@pytest.mark.parametrize(
    "make",
    [
        lambda **words: rises(FID, "A", "B", **words),
        lambda **words: falls(FID, "A", "B", **words),
        lambda **words: exceed(FID, "A", over="B", **words),
        lambda **words: improves("A", "B", metrics=(FID,), **words),
        lambda **words: close(FID, "A", "B", within=1, **words),
        lambda **words: drops_at_most(FID, "A", "B", 2, **words),
        lambda **words: rises_at_most(FID, "A", "B", 2, **words),
        lambda **words: bounded(FID, "A", low=3, **words),
        lambda **words: gap_closes(FID, ("A", "B"), ("B", "A"), **words),
        lambda **words: ratio(FID, "A", "B", low=1.5, **words),
        lambda **words: Claim(contrasts=rises(FID, "A", "B", **WORDS).contrasts, **words),
    ],
)
def test_every_claim_may_presuppose_something(make):
    assert make(**WORDS).presuppositions == ()
    assert make(**WORDS, needs=NEED).presuppositions == (NEED,)
    several = (NEED, at_least(ACCURACY, 50, "A"))
    assert make(**WORDS, needs=several).presuppositions == several


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: levelled_off("A", ACCURACY), "levelled_off of 'A': accuracy needs within=, a number in its unit"),
        (lambda: levelled_off("A", FID, within=0), "levelled_off of 'A': within is 0: allowed: numbers above 0"),
        (lambda: levelled_off("A", FID, since=0.75), "since is 0.75: allowed: tenths from 0.1 to 0.9"),
        (lambda: levelled_off("A", FID, loss="l", loss_within=-1), "loss_within is -1: allowed: numbers above 0"),
        (lambda: levelled_off("A", "fid"), r"metric is 'fid': allowed: a Metric, such as FID"),
        (lambda: levelled_off(FID, "A"), "row is Metric.*: allowed: the key of a row in quotes"),
        (lambda: at_least(ACCURACY, 50), "at_least and at_most need a row or more"),
        (lambda: at_most(ACCURACY, "50", "A"), "range of accuracy: bounds is .*: allowed: a finite number or two"),
        (lambda: comparable_operations("A", "B", 1), "factor is 1: allowed: numbers above 1"),
        (lambda: rises(FID, "A", "B", **WORDS, needs="A"), r"a claim: needs is 'A': allowed: levelled_off\(\.\.\.\)"),
        (lambda: rises(FID, "A", "B", **WORDS, needs=((NEED,),)), "a claim: needs is .*tuple.*: allowed: levelled_off"),
    ],
)
def test_a_presupposition_that_makes_no_sense_is_refused(make, says):
    with pytest.raises(SpecError, match=says) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("need", "says"),
    [
        (levelled_off("C", FID), "unknown row in needs of a claim of table5 'C': .*allowed: A, B, Cited"),
        (at_least(ECE, 1, "A"), "unknown metric in needs of a claim of table5 'ece': .*allowed: accuracy, fid"),
        (at_least(ACCURACY, 1, "B"), "table5: needs of a claim needs accuracy of 'B', which is a dash"),
        (comparable_operations("A", "Cited"), "name row 'Cited', which has no run to check: rows with one: A, B"),
    ],
)
def test_a_presupposition_about_no_measured_cell_is_refused(need, says):
    with pytest.raises(SpecError, match=says):
        table(claims=(rises(FID, "A", "B", **WORDS, needs=need),))


def test_a_claim_leaves_with_the_rows_that_it_presupposes_something_of():
    whole = table(claims=(bounded(FID, "A", low=1, **WORDS, needs=levelled_off("B", FID)),))
    assert whole.only(whole.rows[:2]).claims == whole.claims
    assert whole.only(whole.rows[:1]).claims == ()


SAYS = TABLES[0].claims[0].says


def scale(key=("table101", SAYS), reason="no room", comparable=False):
    return Scale("small", "n", comparable=comparable, beyond={key: reason})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: scale(key="table101"), r"scale 'small': a key of beyond is 'table101': allowed: \(exhibit, sentence"),
        (lambda: scale(reason=" "), "the reason of beyond for table101 is ' ': allowed: text in quotes that says why"),
        (lambda: scale(comparable=True), "scale 'small': beyond names claims, but no claim is beyond a scale with"),
        (
            lambda: replace(PAPER, scales=(scale(key=("table1O1", SAYS)),)),
            "unknown exhibit in beyond of scale 'small' 'table1O1': did you mean 'table101'?",
        ),
        (
            lambda: replace(PAPER, scales=(scale(key=("table101", SAYS.replace("worse", "wors"))),)),
            f"unknown claim of table101 in beyond of scale 'small', '.*': did you mean '{SAYS}'?",
        ),
    ],
)
def test_a_scale_names_claims_that_exist(make, says):
    with pytest.raises(SpecError, match=says):
        make()
    assert replace(PAPER, scales=(scale(),)).scale("small").beyond
