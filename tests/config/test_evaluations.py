"""Cost of evaluations, counted by hand."""

import math

import pytest
from foreign import PlainMLP
from toy_paper import DENOISING, HYBRID

from harness.config.dataset import Arrays
from harness.config.evaluations import (
    Accuracy,
    Evaluation,
    Generation,
    Likelihood,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
)
from harness.config.methods import Classification
from harness.config.samplers import DDIM
from harness.data.catalogue import DIGITS

CONFIG = HYBRID.config
CLASSIFIED = CONFIG.network.flops(DIGITS, "logits")
DENOISED = CONFIG.network.flops(DIGITS, "predict_noise")
TEST = DIGITS.test_examples


@pytest.mark.parametrize(
    ("evaluation", "passes", "flops"),
    [
        (Accuracy(split="train"), DIGITS.train_examples, CLASSIFIED),
        (OutOfDistribution(), 2 * TEST, CLASSIFIED),
        (Generation(samples=50), 50 * 4, DENOISED),
        (Generation(samples=50, sampler=DDIM(steps=3)), 50 * 3, DENOISED),
        (Likelihood(), TEST * 4, DENOISED),
        (Robustness(norm="l2", epsilons=(1, 2, 3), steps=9, restarts=2, images=7), 7 * 3 * 2 * 10, 3 * CLASSIFIED),
        (Runtime(warmup_steps=1, timed_steps=2, windows=3), 7 * 64, 3 * (CLASSIFIED + DENOISED)),
        (Size(), 0, 0.0),
    ],
)
def test_passes_and_their_operations(evaluation, passes, flops):
    assert evaluation.work(CONFIG) == (passes, pytest.approx(flops))
    assert evaluation.work(CONFIG).total == pytest.approx(passes * flops)


def test_no_more_images_are_attacked_than_there_are():
    attack = Robustness(norm="l2", epsilons=(1,), steps=1, images=10 * TEST)
    assert attack.work(CONFIG).passes == 2 * TEST


@pytest.mark.parametrize(
    ("splits", "settings", "passes"),
    [
        ({"train": 8, "test": 3}, {}, 3),
        ({"train": 8, "test": 3, "holdout": 5}, {"split": "holdout"}, 5),
        ({"train": 8, "holdout": 5}, {}, 8),
    ],
)
def test_what_says_nothing_of_its_work_passes_over_its_split_or_another(monkeypatch, splits, settings, passes):
    monkeypatch.setattr(Evaluation, "kinds", dict(Evaluation.kinds))

    class Mine(Evaluation):
        kind: str = "mine"
        split: str = "test"

    data = Arrays(name="table", fields={"x": ((3,), "float32"), "y": ((), "int64")}, splits=splits, num_classes=2)
    config = CONFIG.but(data=data, network=PlainMLP(), method=Classification())
    assert Mine(**settings).work(config).passes == passes


def test_every_kind_has_its_work_on_every_method():
    """Including methods without a sampling chain. Only the size of a network takes no computation."""
    settings = {"robustness": {"norm": "linf", "epsilons": (1,)}}
    for config in (CONFIG, DENOISING.config, CONFIG.but(method=Classification())):
        for kind, evaluation in Evaluation.kinds.items():
            total = evaluation(**settings.get(kind, {})).work(config).total
            assert (total == 0) == (kind == "size"), kind
            assert math.isfinite(total), kind


def test_every_field_of_generation_decides_samples_or_scores():
    assert Generation.scoring == Generation.model_fields.keys() - {"kind", "sampler", "after"}
