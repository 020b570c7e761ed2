"""Robustness: attacked images, stored artefacts, strength, restarts, and resumption."""

import math

import numpy as np
import pytest
import torch
from damage import flip
from labelled import arrays_of, batch_of

from harness.config.evaluations import Robustness
from harness.evaluation import robustness
from harness.evaluation.pgd import Attack, Box, Sphere
from harness.randomness import Stream

TUNED = Robustness(norm="linf", epsilons=(8.0, 24.0), steps=15, images=150)


def values(findings):
    return {name: found.value for name, found in findings.quantities.items()}


def fallen(subject):
    return np.load(subject.artefacts / "fallen.npy")


def test_the_numbers_follow_from_what_is_kept(subject, config, model, digits):
    findings = robustness.evaluate(TUNED, subject)
    rows, indices = fallen(subject), np.load(subject.artefacts / "indices.npy")
    assert rows.shape == (2, 150)
    assert values(findings) == {
        "robust_linf_8": pytest.approx(100 * np.mean(rows[0] < 0)),
        "robust_linf_24": pytest.approx(100 * np.mean(rows[1] < 0)),
    }
    assert all(found.n == 150 for found in findings.quantities.values())
    assert findings.quantities.keys() == TUNED.labels(config.data).keys()
    images, labels = (part[indices] for part in arrays_of(digits.split("test")))
    clean = model.logits(torch.from_numpy(images) / 127.5 - 1).argmax(1).numpy() == labels
    for row in rows:
        assert np.array_equal(row != 0, clean)
    assert findings.details["clean_accuracy"] == pytest.approx(100 * clean.mean())
    assert findings.details["steps"] == 15
    assert findings.details["step_sizes"] == {"robust_linf_8": 2.5 * 8 / 15, "robust_linf_24": 2.5 * 24 / 15}
    subject.discard_shards()
    assert {path.name for path in subject.artefacts.iterdir()} == {"fallen.npy", "indices.npy"}


@pytest.mark.parametrize(("size", "expected"), [(None, 2.5 * 50 / 5), (20.0, 20.0)])
def test_sizes_are_in_255ths_of_the_range_of_pixels(subject, monkeypatch, size, expected):
    """Images in [-1, 1] have a range of 2."""
    attacks = []
    monkeypatch.setattr(
        robustness,
        "first_queries",
        lambda model, batch, correct, attack, *rest: attacks.append(attack) or torch.zeros(len(batch)),
    )
    evaluation = Robustness(norm="l2", epsilons=(50.0,), steps=5, step_size=size, images=10)
    findings = robustness.evaluate(evaluation, subject)
    (attack,) = attacks
    assert isinstance(attack.ball, Sphere)
    assert attack.ball.radius == pytest.approx(50 * 2 / 255)
    assert attack.step_size == pytest.approx(expected * 2 / 255)
    assert attack.steps == 5
    assert findings.details["step_sizes"] == {"robust_l2_50": expected}


def test_queries_are_counted_over_the_restarts(subject):
    """One restart makes 1 + steps queries after the one for the clean image."""
    robustness.evaluate(TUNED.but(restarts=3, epsilons=(20.0,), steps=4), subject)
    queries = fallen(subject)
    assert queries.min() == -1
    assert 5 < queries.max() <= 3 * 5
    assert (queries[queries > 0] <= 5).any()


class FallsAt:
    """Is right for a number of queries, and wrong from then on; its gradient moves every point."""

    def __init__(self, query):
        self.left = query

    def logits(self, images):
        right, self.left = self.left > 0, self.left - 1
        return images.flatten(1)[:, :2] * torch.tensor([-1e-3, 0.0]) + torch.tensor([float(right), 0.5])


@pytest.mark.parametrize("query", range(1, 10))
def test_a_query_is_numbered_on_after_a_restart(query):
    """The first restart is queries 1 to 4, the second 5 to 8; there are no more."""
    batch, attack = batch_of(torch.zeros(3, 1, 2, 2), torch.zeros(3, dtype=torch.int64)), Attack(Box(0.9), 1e-3, 3)
    model, correct = FallsAt(query - 1), torch.ones(3, dtype=torch.bool)
    found = robustness.first_queries(model, batch, correct, attack, 2, Stream(0), lambda done: None)
    assert found.tolist() == [query if query <= 8 else -1] * 3


def test_an_image_misclassified_before_the_attack_falls_at_query_0_and_is_not_attacked(constant):
    batch, attack = batch_of(torch.zeros(2, 1, 8, 8), torch.full((2,), 3)), Attack(Box(0.1), 0.05, 3)
    done = []
    correct = torch.tensor([True, False])
    found = robustness.first_queries(constant, batch, correct, attack, 2, Stream(0), done.append)
    assert found.tolist() == [-1, 0]
    assert done == [2, 4]


def test_larger_balls_and_more_restarts_are_never_survived_more_often(subject_of, config, model):
    once, thrice = subject_of(config, model), subject_of(config, model)
    weak = values(robustness.evaluate(TUNED.but(steps=5), once))
    strong = values(robustness.evaluate(TUNED.but(steps=5, restarts=3), thrice))
    assert weak["robust_linf_8"] > weak["robust_linf_24"]
    assert strong["robust_linf_8"] <= weak["robust_linf_8"]
    assert strong["robust_linf_24"] < weak["robust_linf_24"]
    survived_once, survived_thrice = fallen(once) == -1, fallen(thrice) == -1
    assert not (survived_thrice & ~survived_once).any()
    felled_at_once = ~survived_once
    assert np.array_equal(fallen(once)[felled_at_once], fallen(thrice)[felled_at_once])


def test_the_tuned_attack_is_at_least_as_strong_as_the_paper_s(subject_of, config, model):
    """The paper's step of 20/255 jumps between the corners of a smaller box."""
    tuned = Robustness(norm="linf", epsilons=(8.0, 12.0, 16.0), steps=50, images=150)
    strong, weak = (
        values(robustness.evaluate(evaluation, subject_of(config, model)))
        for evaluation in (tuned, tuned.but(step_size=20.0))
    )
    one_image = 100 / 150
    assert all(strong[name] <= weak[name] + one_image for name in strong), "rounding may save one"


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 28.0), ("l2", 120.0)])
def test_many_steps_are_stronger_than_one(subject_of, config, model, norm, epsilon):
    many = Robustness(norm=norm, epsilons=(epsilon,), steps=20, images=150)
    (strong,), (weak,) = (
        values(robustness.evaluate(evaluation, subject_of(config, model))).values()
        for evaluation in (many, many.but(steps=1, step_size=epsilon))
    )
    assert strong < weak < 100


def test_a_rerun_is_the_same_and_a_seed_changes_only_the_starts(subject_of, config, model):
    first, again, other = subject_of(config, model), subject_of(config, model), subject_of(config.but(seed=1), model)
    findings = [robustness.evaluate(TUNED, subject) for subject in (first, again, other)]
    assert findings[0] == findings[1]
    assert np.array_equal(fallen(first), fallen(again))
    indices = [np.load(subject.artefacts / "indices.npy") for subject in (first, other)]
    assert np.array_equal(*indices)
    assert len(set(indices[0].tolist())) == 150
    assert not np.array_equal(fallen(first), fallen(other))


def test_there_are_never_more_images_than_the_split_has(subject):
    findings = robustness.evaluate(TUNED.but(images=1000, epsilons=(1.0,), steps=1), subject)
    assert findings.quantities["robust_linf_1"].n == 360
    assert sorted(np.load(subject.artefacts / "indices.npy")) == list(range(360))


def test_an_attack_goes_on_after_the_last_finished_ball(subject_of, config, model, monkeypatch):
    whole = subject_of(config, model)
    expected = robustness.evaluate(TUNED, whole)

    class Stop(Exception):
        pass

    def stop(done, total):
        assert total == 300
        if done > 150:
            raise Stop

    stopped = subject_of(config, model, report=stop)
    with pytest.raises(Stop):
        robustness.evaluate(TUNED, stopped)
    attacked, original = [], robustness.first_queries
    monkeypatch.setattr(
        robustness,
        "first_queries",
        lambda model, batch, *rest: attacked.append(len(batch)) or original(model, batch, *rest),
    )
    told = []
    resumed = subject_of(config, model, artefacts=stopped.artefacts, report=lambda *at: told.append(at))
    assert robustness.evaluate(TUNED, resumed) == expected
    assert attacked == [150]
    assert told == sorted(told)
    assert told[0] > (150, 300)
    assert told[-1] == (300, 300)
    assert np.array_equal(fallen(resumed), fallen(whole))
    resumed.discard_shards()
    assert {path.name for path in resumed.artefacts.iterdir()} == {"fallen.npy", "indices.npy"}


@pytest.mark.parametrize("weights", ["0" * 64, "1" * 64])
def test_a_damaged_ball_or_one_of_other_weights_is_attacked_again(subject_of, config, model, weights, caplog):
    whole = subject_of(config, model)
    expected = robustness.evaluate(TUNED, whole)
    kept = whole.artefacts / "shard-robust_linf_8.npy"
    if weights == whole.weights_sha256:
        flip(kept)
    again = subject_of(config, model, artefacts=whole.artefacts, weights_sha256=weights)
    assert robustness.evaluate(TUNED, again) == expected
    assert np.array_equal(np.load(kept), fallen(again)[0])
    assert f"{kept} " in caplog.text and "recomputed" in caplog.text


def test_logits_that_are_no_numbers_give_none(subject_of, config, broken):
    findings = robustness.evaluate(TUNED, subject_of(config, broken))
    assert all(math.isnan(found.value) and found.n == 150 for found in findings.quantities.values())


def test_a_model_that_sees_nothing_keeps_its_clean_accuracy(subject_of, config, constant):
    findings = robustness.evaluate(TUNED, subject_of(config, constant))
    assert set(values(findings).values()) == {findings.details["clean_accuracy"]}
