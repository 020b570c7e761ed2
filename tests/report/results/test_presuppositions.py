"""What claims presuppose, checked on records and curves of toy runs."""

import math
from dataclasses import replace

import pytest
from curves import draw
from reports import fill
from toy_paper import DENOISING, HYBRID, PAPER
from vouching import vouch

from harness.registry.claims import falls, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID
from harness.registry.presuppositions import at_least, at_most, comparable_operations, levelled_off
from harness.registry.row import Row
from harness.registry.scale import PAPER_SCALE, Scale
from harness.registry.scale_rules import Rules, everywhere
from harness.report.results.claims import ClaimStatus
from harness.report.results.report import build
from harness.store.records import EvaluationRecord, Measurement, TrainingRecord
from harness.store.results import Results

WORDS = {"says": "s", "where": "w"}
SMALL = Scale("small", "n", comparable=False)
FALLING = (40.0, 38.0, 36.0, 34.0, 32.0, 30.0, 28.0, 24.0, 22.0, 20.0)
LEVEL = (40.0, 35.0, 30.0, 26.0, 23.0, 21.0, 20.5, 20.2, 20.1, 20.0)


def exhibit(needs, make=falls):
    """Return a table of which `A` has a higher FID than `B`, with a claim that presupposes something."""
    rows = (Row("A", HYBRID, (50.0, 2.0)), Row("B", HYBRID.but(alpha=1), (50.0, 1.0)))
    more = (Row("Other", DENOISING, (None, 1.0)),)
    claims = (make(FID, "A", "B", **WORDS, needs=needs),)
    return Table(number=7, title="t", metrics=(ACCURACY, FID), rows=rows + more, claims=claims)


def measure(root, table, scale=SMALL, value=lambda cell: 30.0 if cell.row.label == "A" else 20.0):
    results = Results(root)
    fill(results, PAPER, table, scale, seeds=3, value=lambda cell: value(cell) + cell.seed / 100)
    return results


def judged(results, table, scale=SMALL):
    (result,) = build(PAPER, table, scale, Results(results.root)).claim_results
    return result


@pytest.mark.parametrize(
    ("need", "met", "status"),
    [
        (at_least(ACCURACY, 15, "A", "B"), True, "holds"),
        (at_least(ACCURACY, 25, "A", "B"), False, "beyond this scale"),
        (at_most(ACCURACY, 25, "B"), True, "holds"),
        (at_most(ACCURACY, 25, "A"), False, "beyond this scale"),
    ],
)
def test_values_lie_in_a_range(tmp_path, need, met, status):
    table = exhibit(need)
    result = judged(measure(tmp_path, table), table)
    assert ([found.met for found in result.findings], result.status) == ([met], status)
    assert result.findings[0].measured == pytest.approx([{"A": 30.01, "B": 20.01}[row] for row in need.rows])
    assert [one.status for one in result.contrasts] == [ClaimStatus.HOLDS]


@pytest.mark.parametrize(
    ("curve", "met"), [(LEVEL, True), (FALLING, False), (LEVEL[:1], None)], ids=["level", "falling", "one point"]
)
@pytest.mark.parametrize(
    ("need", "name"),
    [
        (levelled_off("A", ACCURACY, within=1.0), "test_accuracy"),
        (levelled_off("A", FID, within=0.9, loss="denoising", loss_within=0.05), "denoising"),
    ],
)
def test_a_curve_levels_off(tmp_path, need, name, curve, met):
    table = exhibit(need)
    results = measure(tmp_path, table)
    draw(results, **{name: curve})
    result = judged(results, table)
    (found,) = result.findings
    assert found.met is met
    assert found.measured == (() if met is None else (curve[6], curve[9]))
    assert found.by_loss is (name == "denoising" and met is not None)
    assert result.status == {True: "holds", False: "beyond this scale", None: "undecided"}[met]
    if met is None:
        assert result.reason == "not measured yet what it presupposes of A"


@pytest.mark.parametrize(("early", "met"), [(30.5, True), (40.0, False), (21.0, False)])
def test_states_of_the_training_come_before_its_curves(tmp_path, early, met):
    """A metric is evaluated after seven tenths and at the end; the loss would say the opposite."""
    table = exhibit(levelled_off("A", FID, within=0.05, loss="denoising"))
    results = measure(tmp_path, table)
    draw(results, denoising=FALLING if met else LEVEL)
    evaluation = PAPER.evaluation(FID, HYBRID, SMALL).but(after=0.7)
    directory = results.directory(HYBRID)
    EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"),
        quantities={FID.quantity: Measurement(value=early, n=100)},
        weights_sha256="0" * 64,
        seconds=1.0,
    ).save(directory.record_path(evaluation))
    vouch(directory)
    (found,) = judged(results, table).findings
    assert (found.met, found.measured, found.by_loss) == (met, (early, 30.0), False)


def test_the_beginning_of_the_last_part_is_chosen(tmp_path):
    table = exhibit(levelled_off("A", ACCURACY, within=7, since=0.4))
    results = measure(tmp_path, table)
    draw(results, test_accuracy=LEVEL)
    (found,) = judged(results, table).findings
    assert (found.met, found.measured) == (True, (26.0, 20.0))


def test_a_curve_that_nothing_vouches_for_does_not_count(tmp_path):
    table = exhibit(levelled_off("A", ACCURACY, within=1.0))
    results = measure(tmp_path, table)
    draw(results, test_accuracy=LEVEL)
    directory = results.directory(HYBRID)
    for run in results.all():
        record = run.training_record()
        TrainingRecord(**{**record.model_dump(), "curve_sha256": "c" * 64}).save(run.training)
    assert [found.met for found in judged(results, table).findings] == [None]
    directory.metrics.unlink()
    assert judged(results, table).status is ClaimStatus.UNDECIDED


WIDER = Scale("small", "n", comparable=False, rules=Rules((everywhere(epochs=1),)))


@pytest.mark.parametrize(
    ("run", "factor", "met"),
    [(HYBRID.but(epochs=8), 2.0, False), (HYBRID.but(epochs=8), 9.0, True), (DENOISING, 1.01, True)],
)
def test_operations_keep_their_ratio(tmp_path, run, factor, met):
    """A training of eight epochs becomes one of one epoch, as short as the other."""
    table = exhibit(comparable_operations("B", "A", factor))
    rows = (table.rows[0], replace(table.rows[1], run=run, reported=(None, 1.0)))
    table = replace(table, rows=rows)
    result = judged(measure(tmp_path, table, WIDER), table, WIDER)
    (found,) = result.findings
    here, paper = found.measured
    assert (found.met, result.status) == (met, "holds" if met else "beyond this scale")
    assert paper == pytest.approx(run.train_flops / HYBRID.train_flops)
    assert here == pytest.approx(WIDER.shrink(run).train_flops / WIDER.shrink(HYBRID).train_flops)


def test_nothing_is_beyond_the_scale_of_the_paper(tmp_path):
    table = exhibit((at_least(ACCURACY, 99, "A"), levelled_off("A", ACCURACY, within=1.0)))
    result = judged(measure(tmp_path, table, PAPER_SCALE), table, PAPER_SCALE)
    assert (result.status, result.findings) == (ClaimStatus.HOLDS, ())


def test_a_failure_is_beyond_the_scale_too_and_keeps_its_contrasts(tmp_path):
    table = exhibit(at_least(ACCURACY, 99, "A"), make=rises)
    result = judged(measure(tmp_path, table), table)
    assert result.status is ClaimStatus.BEYOND
    assert [one.status for one in result.contrasts] == [ClaimStatus.FAILS]


def test_a_claim_without_values_stays_undecided_and_one_that_is_not_finite_fails(tmp_path):
    table = exhibit(at_least(ACCURACY, 99, "A"))
    results = Results(tmp_path / "some")
    fill(results, PAPER, table, SMALL, seeds=3, keep=lambda cell: cell.row.label == "A")
    result = judged(results, table)
    assert (result.status, result.reason) == (ClaimStatus.UNDECIDED, "not measured yet: B")
    broken = measure(tmp_path / "broken", table, value=lambda cell: math.nan)
    assert judged(broken, table).status is ClaimStatus.FAILS


def test_a_scale_names_a_claim(tmp_path):
    table = exhibit(())
    named = replace(SMALL, beyond={("table7", "s"): "no reason at all"})
    results = measure(tmp_path, table)
    result = judged(results, table, named)
    assert (result.status, result.reason) == (ClaimStatus.BEYOND, "no reason at all")
    other = replace(SMALL, beyond={("table8", "s"): "another table"})
    assert judged(results, table, other).status is ClaimStatus.HOLDS
    elsewhere = replace(table, number=8)
    assert judged(results, elsewhere, named).status is ClaimStatus.HOLDS
    assert judged(Results(tmp_path / "none"), table, named).status is ClaimStatus.UNDECIDED
