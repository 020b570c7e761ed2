"""The energy-based baselines: size, cost relative to HybViT's, and the laptop scale."""

import pytest

from harness_papers.hybvit.baselines import WRN
from harness_papers.hybvit.energy_baselines import JEM, JEM_PLUS_PLUS, JEM_PLUS_PLUS_20, VERA
from harness_papers.hybvit.paper import PAPER
from harness_papers.hybvit.runs import HYBVIT

RUNS = (JEM, JEM_PLUS_PLUS, JEM_PLUS_PLUS_20, VERA)


def epoch(run):
    """Return the FLOPs of an epoch."""
    return run.train_flops / run.config.training.epochs


def test_they_have_the_parameters_and_the_epochs_of_table_8():
    assert JEM.parameters / 1e6 == pytest.approx(36.5, abs=0.05)
    assert JEM_PLUS_PLUS.parameters / 1e6 == pytest.approx(36.5, abs=0.05)
    assert 40 < VERA.parameters / 1e6 < 41
    assert {run.config.training.iterations_per_epoch(run.config.data) for run in RUNS} == {390}


def test_an_epoch_of_jem_computes_much_more_than_one_of_hybvit():
    assert epoch(JEM) > epoch(JEM_PLUS_PLUS) > 5 * epoch(HYBVIT)


@pytest.mark.parametrize("run", [*RUNS, WRN], ids=lambda run: run.name)
def test_an_epoch_costs_as_many_times_hybvit_s_at_both_scales(run):
    """Table 8 compares these times."""
    shrink = PAPER.scale("laptop").shrink
    paper, laptop = epoch(run) / epoch(HYBVIT), epoch(shrink(run)) / epoch(shrink(HYBVIT))
    assert laptop == pytest.approx(paper, rel=0.2)


def test_they_remain_distinct_at_the_laptop_scale():
    small = [PAPER.scale("laptop").shrink(run) for run in RUNS]
    assert len({run.id for run in (*RUNS, *small)}) == 8
    for run, original in zip(small, RUNS, strict=True):
        assert run.config.method.kind == original.config.method.kind
        assert run.config.training.schedule.milestones[-1] < run.config.training.epochs
        assert run.parameters < original.parameters / 50
