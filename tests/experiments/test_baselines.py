"""The convolutional baselines: as published at paper scale, reduced in proportion at laptop scale."""

import pytest

from harness.config.augmentation import Augmentation
from harness.data.catalogue import CIFAR10, CIFAR100
from harness_papers.hybvit import baselines
from harness_papers.hybvit.scales import LAPTOP

ALL = [run for run in vars(baselines).values() if isinstance(run, baselines.Run)]


def test_the_lengths_of_the_paper():
    """Table 8: 200 epochs of 390 iterations. DDPM: 800,000."""
    assert baselines.WRN.iterations == 200 * 390
    assert baselines.DDPM.iterations == pytest.approx(800_000, abs=390)
    assert f"{baselines.WRN.parameters / 1e6:.1f}" == "36.5"
    assert f"{baselines.DDPM.parameters / 1e6:.1f}" == "35.7"


@pytest.mark.parametrize("run", ALL, ids=lambda run: run.name)
def test_each_becomes_small_in_proportion(run):
    small = LAPTOP.shrink(run)
    assert small.name == run.name
    assert small.parameters < 1_000_000
    assert small.train_flops < 1e13
    old, new = run.config.training, small.config.training
    epochs = 12 if run.config.data in (CIFAR10, CIFAR100) else 36
    assert new.epochs / old.epochs == pytest.approx(epochs / 500, rel=0.25)
    share = old.schedule.warmup_iterations / run.iterations
    assert new.schedule.warmup_iterations == pytest.approx(share * small.iterations, abs=1)
    for milestone, before in zip(new.schedule.milestones, old.schedule.milestones, strict=True):
        assert milestone / new.epochs == pytest.approx(before / old.epochs)
    assert small.config.method.augmentation in (None, Augmentation())


def test_they_remain_distinct():
    assert len(ALL) >= 6
    assert len({run.id for run in ALL}) == len({LAPTOP.shrink(run).id for run in ALL}) == len(ALL)
