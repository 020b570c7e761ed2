"""The plan: distinct runs, shared between rows and tables, with state and cost."""

import pytest
from toy_paper import HYBRID

from harness.config.training import BestOn
from harness.errors import SpecError
from harness.launch.plan import CHECKPOINTS_KEPT, PlannedRun, disk_bytes, make_plan
from harness.registry.papers import find_exhibits
from harness.store.records import Outcome
from harness.store.results import Results
from harness.store.run_directory import RunState

TABLE6 = find_exhibits(["table6"])


def plan(tmp_path, selection=TABLE6, scale="laptop", seeds=1, rows=()):
    return make_plan(selection, scale, seeds, rows, Results(tmp_path))


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_table6_is_thirteen_distinct_runs(tmp_path, scale):
    document = plan(tmp_path, scale=scale).to_json()
    assert document["totals"]["runs"] == len({run["id"] for run in document["runs"]}) == 13


def test_the_base_run_at_paper_scale(tmp_path):
    (base,) = plan(tmp_path, scale="paper", rows=["HybViT"]).to_json()["runs"]
    assert base["parameters"] == 11_185_068
    assert base["iterations"] == 585_500
    assert base["train_flops"] == pytest.approx(6.49e17, rel=0.01)
    assert (base["reported_gpu_hours"], base["gpu_hours_source"]) == (31.2, "stated")
    assert base["tables"] == ["hybvit/table6"]
    assert base["state"] == "missing"


def test_laptop_runs_have_no_hours_of_the_paper(tmp_path):
    assert {run["reported_gpu_hours"] for run in plan(tmp_path).to_json()["runs"]} == {None}


def test_seeds_multiply_runs_and_patterns_choose_rows(tmp_path):
    assert len(plan(tmp_path, seeds=3).runs) == 39
    assert len(plan(tmp_path, seeds=2, rows=["GenViT*"]).runs) == 6


def test_runs_are_shared_between_tables(tmp_path):
    paper, table = TABLE6[0]
    from dataclasses import replace

    twin = replace(table, number=66)
    shared = plan(tmp_path, selection=[(paper, table), (paper, twin)])
    assert len(shared.runs) == 13
    assert {tuple(run.exhibits) for run in shared.runs} == {("hybvit/table6", "hybvit/table66")}


def test_planning_writes_nothing(tmp_path):
    plan(tmp_path).to_json()
    assert list(tmp_path.iterdir()) == []


def test_states_are_read_off_the_directory(tmp_path):
    (planned,) = plan(tmp_path, rows=["GenViT(dim=192)"]).runs
    assert planned.state is RunState.MISSING
    planned.request()
    assert planned.state is RunState.PENDING
    planned.directory.segments.mkdir()
    assert planned.state is RunState.INTERRUPTED
    Outcome.now("failed", "boom").save(planned.directory.outcome)
    assert planned.state is RunState.FAILED


def test_every_checkpoint_holds_the_best_state_too_where_it_is_selected(tmp_path):
    last, best = HYBRID, HYBRID.but(select=BestOn(split="test"))
    sizes = [disk_bytes(PlannedRun(run, Results(tmp_path).directory(run), None)) for run in (last, best)]
    assert sizes[1] - sizes[0] == CHECKPOINTS_KEPT * 4 * HYBRID.parameters


def test_the_most_expensive_comes_first(tmp_path):
    flops = [planned.run.train_flops for planned in plan(tmp_path).unfinished()]
    assert flops == sorted(flops, reverse=True)


def test_an_unknown_scale_is_refused(tmp_path):
    with pytest.raises(SpecError, match="unknown scale 'papr': did you mean 'paper'"):
        plan(tmp_path, scale="papr")


def test_a_pattern_has_to_match_in_one_of_several_exhibits(tmp_path):
    both = find_exhibits(["table6", "table9"])
    assert len(plan(tmp_path, selection=both, rows=["GenViT*"]).runs) == 3
    with pytest.raises(SpecError, match="unknown row of table6, table9 'GanViT'"):
        plan(tmp_path, selection=both, rows=["GanViT"])
