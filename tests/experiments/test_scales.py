"""HybViT's laptop scale: how its rules change the paper's runs and protocols."""

import hashlib

import pytest

from harness.config.augmentation import Augmentation
from harness.config.changes import KEEP
from harness.config.evaluations import Generation, OutOfDistribution
from harness.data.catalogue import CIFAR100
from harness.registry.cells import cells
from harness.registry.collisions import collisions
from harness.registry.scale_rules import Rules, everywhere
from harness_papers.hybvit import PAPER, baselines, energy_baselines, runs
from harness_papers.hybvit.scales import LAPTOP, OUTLIERS, STAND_INS

ROWS = [row for exhibit in PAPER.exhibits for row in exhibit.rows if row.run]


@pytest.mark.parametrize(
    ("scale", "digest"),
    [("laptop", "a070993019bd86fa"), ("paper", "fda0a615c054e227"), ("paper-fp32", "67f4da266c24c4e7")],
)
def test_every_run_and_evaluation_is_the_one_that_it_was(scale, digest):
    """Stored results depend on these ids; a change of `SEMANTICS` changes them all."""
    ids = {
        f"{cell.run.id} {cell.evaluation.id}\n"
        for exhibit in PAPER.exhibits
        for cell in cells(PAPER, exhibit, exhibit.rows, PAPER.scale(scale), [0])
    }
    assert hashlib.sha256("".join(sorted(ids)).encode()).hexdigest()[:16] == digest


def test_no_two_runs_become_one():
    assert not list(collisions([(exhibit, exhibit.rows) for exhibit in PAPER.exhibits], LAPTOP))


def test_without_rules_every_run_is_unchanged():
    for row in ROWS:
        assert Rules(()).run(row.run) == row.run
    kept = Rules((everywhere(width=KEEP, depth=KEEP, heads=KEEP, epochs=KEEP, learning_rate=KEEP),))
    assert [kept.run(row.run).id for row in ROWS] == [row.run.id for row in ROWS]


def test_the_transformers_shrink_and_train_for_12_epochs():
    config = LAPTOP.shrink(runs.HYBVIT).config
    network, training = config.network, config.training
    assert (network.dim, network.depth, network.heads, network.patch_size) == (48, 3, 3, 2)
    assert (training.epochs, training.batch_size, training.schedule.warmup_epochs) == (12, 32, 0.24)
    assert (training.optimizer.learning_rate, training.ema_decay, training.precision) == (0.01, 0.99, "fp32")
    assert config.method.process.timesteps == 25
    assert config.method.augmentation == Augmentation(policy="digits", erasing=0.05, mix=0.1)
    assert LAPTOP.shrink(runs.HYBVIT_WEAK).config.method.augmentation == Augmentation()


@pytest.mark.parametrize(
    ("run", "epochs"),
    [
        (runs.VIT, 12), (runs.VIT_CIFAR100, 12), (runs.GENVIT_CELEBAHQ, 12), (runs.VIT_TINY, 36),
        (runs.HYBVIT_STL10, 36), (runs.HYBVIT_STL10_LONG, 60), (runs.VIT_IMAGENET32, 7), (baselines.WRN, 5),
        (energy_baselines.VERA, 10),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)  # fmt: skip
def test_what_is_learnt_slowly_trains_for_longer(run, epochs):
    assert LAPTOP.shrink(run).config.training.epochs == epochs


def test_the_baselines_shrink_alike():
    ddpm, wrn = (LAPTOP.shrink(run).config for run in (baselines.DDPM, baselines.WRN))
    assert (ddpm.network.base_channels, ddpm.network.multipliers, ddpm.network.attention) == (16, (1, 2), (4,))
    assert (ddpm.network.blocks, ddpm.network.groups, ddpm.training.optimizer.learning_rate) == (1, 8, 2e-3)
    assert (wrn.network.depth, wrn.network.widen_factor, wrn.training.optimizer.learning_rate) == (16, 2, 0.1)
    jem, vera = (LAPTOP.shrink(run).config for run in (energy_baselines.JEM, energy_baselines.VERA))
    assert (jem.method.buffer_size, jem.method.langevin_steps, jem.method.sampling_steps) == (1000, 20, 20)
    assert (vera.method.generator.features, vera.method.generator.noise_dim) == (32, 32)
    assert vera.method.generator.doublings == 2
    assert vera.training.player_optimizers["generator"].learning_rate == pytest.approx(6e-4)


def test_one_dataset_has_two_stand_ins_as_training_data_and_as_outliers():
    on_cifar100 = LAPTOP.shrink(runs.VIT_CIFAR100).config.data
    outliers = LAPTOP.evaluation(OutOfDistribution(outliers=CIFAR100), runs.VIT).outliers
    assert (on_cifar100, outliers) == (STAND_INS["cifar100"], OUTLIERS["cifar100"])
    assert on_cifar100 != outliers


def test_as_many_samples_are_drawn_of_every_model():
    stl10 = LAPTOP.evaluation(Generation(samples=5_000), runs.HYBVIT_STL10)
    assert (
        stl10
        == LAPTOP.evaluation(Generation(samples=10_000), runs.HYBVIT)
        == Generation(samples=1_000, features="classifier")
    )
