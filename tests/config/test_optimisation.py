"""Learning rates against the values in the authors' log, and each schedule against its definition."""

import math

import pytest
from foreign import OddSGD

from harness.config.optimisation import SGD, Adam, AdamW, Constant, Cosine, StepDecay
from harness.config.training import Training
from harness.data.catalogue import CIFAR10
from harness.errors import SpecError
from harness_papers.hybvit.runs import HYBVIT

TRAINING = HYBVIT.config.training
PER_EPOCH = TRAINING.iterations_per_epoch(CIFAR10)


def rate(training, per_epoch, step, player="network"):
    return training.rate(step, per_epoch, player)


def test_iterations_of_the_paper():
    assert PER_EPOCH == 1171
    assert TRAINING.iterations(CIFAR10) == HYBVIT.iterations == 585_500


@pytest.mark.parametrize(("epoch", "expected"), [(0, 1e-6), (1, 1.009e-4), (100, 9.19e-4), (300, 3.59e-4), (500, 1e-6)])
def test_rates_of_the_log(epoch, expected):
    assert rate(TRAINING, PER_EPOCH, epoch * PER_EPOCH) == pytest.approx(expected, rel=2e-2)


def test_the_rate_peaks_where_the_warmup_ends():
    rates = [rate(TRAINING, PER_EPOCH, step) for step in range(0, 585_500, 97)]
    assert max(rates) <= 1e-3
    assert rate(TRAINING, PER_EPOCH, 10 * PER_EPOCH) == pytest.approx(1e-3)
    assert min(rates) >= 1e-6


def test_no_warmup_starts_at_the_top():
    assert rate(TRAINING.but(warmup_epochs=0), PER_EPOCH, 0) == pytest.approx(1e-3)


WRN = Training(
    epochs=200,
    passes_per_epoch=1,
    optimizer=SGD(learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
    schedule=StepDecay(milestones=(60, 120, 160), decay=0.2),
    clip_norm=None,
    ema_decay=None,
)


def test_the_rate_falls_at_each_milestone():
    assert WRN.iterations_per_epoch(CIFAR10) == 390
    rates = {epoch: rate(WRN, 390, epoch * 390) for epoch in (0, 59, 60, 119, 120, 160, 199)}
    assert rates == pytest.approx({0: 0.1, 59: 0.1, 60: 0.02, 119: 0.02, 120: 0.004, 160: 8e-4, 199: 8e-4})
    assert rate(WRN, 390, 60 * 390 - 1) == 0.1


def test_the_rate_rises_from_zero_over_iterations():
    warm = WRN.but(warmup_iterations=1000)
    assert [rate(warm, 390, step) for step in (0, 250, 1000)] == pytest.approx([0, 0.025, 0.1])


def test_a_warmup_may_begin_above_zero():
    warm = WRN.but(warmup_iterations=1000, warmup_start=1)
    assert [rate(warm, 390, step) for step in (0, 499, 999)] == pytest.approx([1e-4, 0.05, 0.1])
    assert rate(warm, 390, 998) < 0.1 == rate(warm, 390, 1000)


def test_a_player_may_have_a_schedule_of_its_own():
    training = WRN.but(
        player_schedules={"posterior": Constant()}, player_optimizers={"posterior": Adam(learning_rate=3e-5)}
    )
    assert [rate(training, 390, step, "posterior") for step in (0, 10, 199 * 390)] == [3e-5] * 3
    assert rate(training, 390, 199 * 390) == pytest.approx(8e-4)
    assert "player_schedules" not in WRN.canonical()
    assert Training(**training.model_dump(mode="json")) == training
    with pytest.raises(SpecError, match="milestones=300 is not before the end of epochs=200"):
        WRN.but(player_schedules={"posterior": StepDecay(milestones=(300,))})


def test_every_player_follows_the_schedule_from_a_rate_of_its_own():
    training = WRN.but(player_optimizers={"generator": Adam(learning_rate=6e-5, betas=(0, 0.9))})
    assert rate(training, 390, 60 * 390, "generator") == pytest.approx(1.2e-5)
    assert rate(training, 390, 60 * 390, "network") == pytest.approx(0.02)


def test_a_constant_rate_is_the_peak_throughout():
    training = WRN.but(schedule=Constant())
    assert {rate(training, 390, step) for step in (0, 1, 390, 199 * 390)} == {0.1}


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Cosine(warmup_epochs=11), "warmup_epochs=11 exceeds epochs=10"),
        (Cosine(warmup_epochs=10.5), "warmup_epochs=10.5 exceeds epochs=10"),
        (StepDecay(milestones=(3, 10)), "milestones=10 is not before the end of epochs=10"),
        (StepDecay(milestones=(3, 10.5)), "milestones=10.5 is not before the end of epochs=10"),
    ],
)
def test_a_schedule_that_does_not_end_is_refused(schedule, message):
    with pytest.raises(SpecError, match=message):
        Training(epochs=10, schedule=schedule)


def test_fields_of_the_common_optimiser_may_be_in_the_training():
    training = Training(epochs=10, learning_rate=5e-4, warmup_epochs=2)
    assert training.optimizer == AdamW(learning_rate=5e-4)
    assert training.schedule == Cosine(warmup_epochs=2)
    assert rate(training, 100, 200) == pytest.approx(5e-4)


@pytest.mark.parametrize(("rate", "says"), [(-0.1, "is -0.1"), (None, "is None"), (float("nan"), "is nan")])
def test_a_rate_that_is_none_is_refused(monkeypatch, rate, says):
    monkeypatch.setattr(Cosine, "rate", lambda *given: rate)
    with pytest.raises(
        SpecError, match=f"schedule 'cosine', step 7: the rate {says}, not a finite number of 0 or more"
    ):
        TRAINING.rate(7, 10, "network")


def test_a_schedule_may_end_with_its_warmup_or_its_last_milestone():
    for schedule in (Cosine(warmup_epochs=10), StepDecay(milestones=(9.9,)), Constant()):
        assert Training(epochs=10, schedule=schedule).schedule == schedule
    training = Training(epochs=10, schedule=Cosine(warmup_epochs=10))
    assert rate(training, 3, 30) == pytest.approx(1e-3)


@pytest.mark.parametrize("step", [0, 1, 7, 8, 9, 20, 39, 40])
def test_the_cosine_follows_its_equation(step):
    """4 epochs of 10 steps: 8 steps of warm-up, and half a cosine over the other 32."""
    training = Training(
        epochs=4, schedule=Cosine(warmup_epochs=0.75, min_learning_rate=0.01), optimizer=SGD(learning_rate=0.5)
    )
    up = 0.01 + 0.49 * step / 8
    down = 0.01 + 0.49 * (math.cos(math.pi * (step - 8) / 32) / 2 + 0.5)
    assert rate(training, 10, step) == pytest.approx(up if step < 8 else down, rel=1e-12)


def test_milestones_may_lie_within_an_epoch():
    """An epoch and a half of 5 iterations is 7.5 of them, rounded to 8."""
    training = WRN.but(milestones=(1.5, 2.7), warmup_iterations=0)
    assert [rate(training, 5, step) for step in (7, 8, 13, 14)] == pytest.approx([0.1, 0.02, 0.02, 0.004])


def test_a_rate_may_be_zero_but_not_infinite(monkeypatch):
    monkeypatch.setattr(Cosine, "rate", lambda *given: 0)
    assert rate(TRAINING, 10, 7) == 0
    monkeypatch.setattr(Cosine, "rate", lambda *given: math.inf)
    with pytest.raises(SpecError, match="the rate is inf"):
        rate(TRAINING, 10, 7)


def test_optimisers_are_called_with_their_fields():
    assert AdamW().arguments() == {
        "lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.05, "fused": True
    }  # fmt: skip
    assert SGD(learning_rate=0.1).arguments() == {
        "lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0, "fused": True
    }  # fmt: skip
    assert OddSGD(learning_rate=0.1).arguments() == {"lr": 0.1, "gain": 1.0}
