"""Specifications of tables, rows, claims and scales."""

import pytest

from harness.config.evaluations import Generation
from harness.config.samplers import DDIM
from harness.data.catalogue import DIGITS
from harness.errors import SpecError
from harness.registry.cells import cells
from harness.registry.claims import close, falls, improves, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, PARAMETERS
from harness.registry.row import Row
from harness.registry.scale import PAPER_SCALE
from harness_papers.hybvit.paper import PAPER
from harness_papers.hybvit.runs import HYBVIT
from harness_papers.hybvit.table6 import TABLE

LAPTOP = PAPER.scale("laptop")


def table(metrics, rows, claims=()):
    return Table(number=1, title="t", metrics=metrics, rows=rows, claims=claims)


def test_table6_is_thirteen_distinct_runs_at_every_scale():
    runs = [row.run for row in TABLE.rows]
    assert len(runs) == len(set(runs)) == 13
    assert len({LAPTOP.shrink(run).id for run in runs}) == 13


def test_a_scale_keeps_names_and_never_the_paper_values():
    small = LAPTOP.shrink(HYBVIT)
    assert small.name == HYBVIT.name
    assert small.id != HYBVIT.id
    assert small.config.data.name == "digits"


def test_only_rows_with_a_capability_get_its_cells():
    genvit = list(cells(PAPER, TABLE, TABLE.select("GenViT*"), LAPTOP, [0]))
    assert {c.metric.key for c in genvit} == {"inception_score", "fid"}
    assert len(list(cells(PAPER, TABLE, TABLE.rows, LAPTOP, [0]))) == 36


def test_labels_never_call_a_classifier_distance_fid():
    assert {c.label for c in cells(PAPER, TABLE, TABLE.rows, LAPTOP, [0])} == {
        "Acc",
        "FD(digits)",
        "CS(digits)",
    }
    assert {c.label for c in cells(PAPER, TABLE, TABLE.rows, PAPER_SCALE, [0])} == {
        "Acc",
        "FID@10k train",
        "IS@10k",
    }


def test_seeds_share_everything_but_the_seed():
    first, second = (next(iter(cells(PAPER, TABLE, TABLE.rows, LAPTOP, [seed]))).run for seed in (0, 1))
    assert first.id == LAPTOP.shrink(HYBVIT).id != second.id
    assert second.but(seed=0) == first


def test_rows_are_selected_by_pattern():
    assert [row.label for row in TABLE.select("HybViT(dim=*)")] == ["HybViT(dim=192)", "HybViT(dim=768)"]
    assert [row.label for row in TABLE.select("hybvit")] == ["HybViT"]
    assert len(TABLE.select("genvit")) == 3
    assert TABLE.select("GanViT") == ()


def test_a_row_must_report_every_metric():
    with pytest.raises(SpecError, match="row 'A' reports 1 values for 2 metrics"):
        table((ACCURACY, FID), (Row("A", HYBVIT, (1.0,)),))


def test_labels_are_unique():
    row = Row("A", HYBVIT, (1.0,))
    with pytest.raises(SpecError, match="two rows are called 'A'"):
        table((ACCURACY,), (row, row))


def test_a_claim_must_name_cells_that_exist():
    rows = (Row("A", HYBVIT, (1.0, 2.0)), Row("B", HYBVIT, (None, 2.0)))
    claim = falls(FID, "A", "C", says="s", where="w")
    with pytest.raises(SpecError, match="unknown row in a claim of table1 'C'"):
        table((ACCURACY, FID), rows, (claim,))
    with pytest.raises(SpecError, match="needs accuracy of 'B', which is a dash"):
        table((ACCURACY, FID), rows, (rises(ACCURACY, "A", "B", says="s", where="w"),))


def test_claims_become_contrasts():
    claim = improves("A", "B", metrics=(ACCURACY, FID), says="s", where="w")
    up, down = claim.contrasts
    assert (up.low, down.high) == (0, 0)
    assert [(t.weight, t.row) for t in up.terms] == [(-1.0, "A"), (1.0, "B")]
    near = close(ACCURACY, "A", "B", "C", within=1.5, says="s", where="w")
    assert [(c.low, c.high) for c in near.contrasts] == [(-1.5, 1.5)] * 2


def test_what_has_no_better_direction_does_not_improve():
    with pytest.raises(SpecError) as caught:
        improves("A", "B", metrics=(FID, PARAMETERS), says="s", where="w")
    says = "improvement of metric 'parameters_m': better is 'neither': allowed: 'higher' or 'lower'"
    assert str(caught.value) == says


def test_an_order_needs_two_rows():
    with pytest.raises(SpecError, match="two rows"):
        rises(FID, "A", says="s", where="w")


def test_gpu_hours_tell_where_they_come_from():
    hours = {row.label: PAPER.gpu_hours(row.run) for row in TABLE.rows}
    assert (hours["HybViT"].hours, hours["HybViT"].source) == (31.2, "stated")
    assert (hours["HybViT(α=1)"].hours, hours["HybViT(α=1)"].source) == (31.2, "reused")
    assert hours["HybViT(depth=12)"].source == "estimated"
    assert 31.2 < hours["HybViT(depth=12)"].hours < 77.8


def test_values_are_printed_as_the_paper_prints_them():
    printed = [FID.reported(value) for value in (26.4, 3.17, 20.0, 22.07, None)]
    assert printed == ["26.4", "3.17", "20.0", "22.07", "-"]
    assert [FID.measured(value) for value in (26.44, 3.17, float("nan"))] == ["26.4", "3.2", "NaN"]


def test_a_small_value_keeps_two_digits_on_either_side_of_zero():
    assert [ACCURACY.measured(value) for value in (0.123, 0.0123, 0.0)] == ["0.1", "0.012", "0.0"]
    assert [ACCURACY.measured(value) for value in (-0.123, -0.0123, -0.0)] == ["-0.1", "-0.012", "0.0"]


def test_labels_name_a_sampler_that_is_not_the_full_chain():
    fast = Generation(sampler=DDIM(steps=50))
    assert fast.labels(DIGITS)["frechet_distance"] == "FID@10k train, DDIM, 50 steps"
    assert fast.labels(DIGITS)["class_score"] == "IS@10k, DDIM, 50 steps"
    assert fast.but(features="classifier").labels(DIGITS)["frechet_distance"] == "FD(digits)@DDIM, 50 steps"
    assert fast.but(weights="0a1b2c3d").labels(DIGITS)["class_score"] == "CS(inception 0a1b2c3d)@DDIM, 50 steps"
