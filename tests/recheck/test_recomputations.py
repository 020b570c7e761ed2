"""Every recomputation agrees with the numbers that evaluations record, NaN and ties included."""

import math

import numpy as np
import pytest
from hostile_features import constant, duplicates, immense, integers, undefined
from scipy.special import log_softmax

from harness.config.evaluations import (
    Accuracy,
    Calibration,
    Evaluation,
    Generation,
    Likelihood,
    LInf,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
)
from harness.metrics.auroc import auroc
from harness.metrics.calibration import reliability
from harness.metrics.class_score import class_score
from harness.metrics.frechet import frechet_distance, moments
from harness.metrics.prdc import prdc
from harness.recheck.compare import compare
from harness.recheck.recomputation import NotRecomputed
from harness.store.records import EvaluationRecord, Measurement


class Arrays:
    """Arrays that are all here."""

    def __init__(self, reference=None, **arrays):
        self._reference, self._arrays = reference, arrays

    def array(self, name):
        if name not in self._arrays:
            raise NotRecomputed(f"{name}.npy is missing")
        return self._arrays[name]

    def reference(self):
        return self._reference


def record(evaluation, quantities, n, **details):
    return EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"),
        quantities={name: Measurement(value=value, n=n) for name, value in quantities.items()},
        details=details,
        weights_sha256="0" * 64,
        seconds=1.0,
    )


def agreeing(found):
    """Return the quantities with the libraries that agree; fail if one differs."""
    assert all(value.agrees for value in found.values), found.values
    return {(value.quantity, value.by.split()[0]) for value in found.values}


def classified(scale, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, size=500)
    return (random.normal(size=(500, 10)) * scale + scale * np.eye(10)[labels]).astype(np.float32), labels


def calibration_record(logits, labels, bins):
    found = reliability(logits, labels, bins)
    quantities = {
        "expected_calibration_error": 100 * found.expected_calibration_error(),
        "confidence_gap": 100 * found.confidence_gap(),
    }
    stored = np.stack([found.count, found.accuracy, found.confidence], axis=1)
    return record(Calibration(bins=bins), quantities, len(labels)), Arrays(logits=logits, labels=labels, bins=stored)


@pytest.mark.parametrize("bins", [1, 15, 20])
@pytest.mark.parametrize("scale", [0, 0.5, 4, 100])
def test_calibration(bins, scale):
    """Confidences of exactly 1, and on the edges of bins, belong to the bin below (scale 100 and 0)."""
    assert agreeing(compare(*calibration_record(*classified(scale), bins))) == {
        ("expected_calibration_error", "torchmetrics"),
        ("expected_calibration_error", "numpy"),
        ("confidence_gap", "numpy"),
    }


def test_confidences_on_the_edges_of_bins():
    logits = np.log(np.array([[0.5, 0.5], [0.75, 0.25], [0.25, 0.75], [0.6, 0.4]]))
    agreeing(compare(*calibration_record(logits, np.array([0, 0, 0, 1]), 4)))


def test_a_calibration_error_of_another_number_of_bins_differs():
    measured, arrays = calibration_record(*classified(2), 20)
    other = measured.model_copy(update={"evaluation": Calibration(bins=15).model_dump(mode="json")})
    (differing,) = [value for value in compare(other, arrays).values if not value.agrees]
    assert (differing.quantity, differing.by.split()[0]) == ("expected_calibration_error", "torchmetrics")


def test_logits_that_are_not_finite_are_nan():
    logits, labels = classified(1)
    logits[3, 4] = np.inf
    nan = record(Accuracy(), {"accuracy": math.nan}, 500)
    assert agreeing(compare(nan, Arrays(logits=logits, labels=labels))) == {("accuracy", "numpy")}
    number = record(Accuracy(), {"accuracy": 10.0}, 500)
    (value,) = compare(number, Arrays(logits=logits, labels=labels)).values
    assert not value.agrees and math.isinf(value.difference)
    both = record(Calibration(), {"expected_calibration_error": math.nan, "confidence_gap": math.nan}, 500)
    assert len(agreeing(compare(both, Arrays(logits=logits, labels=labels)))) == 2


def test_auroc_with_ties():
    random = np.random.default_rng(1)
    inside, outside = random.integers(3, 9, 200).astype(float), random.integers(0, 7, 300).astype(float)
    measured = record(OutOfDistribution(), {"auroc": auroc(inside, outside)}, 500)
    assert agreeing(compare(measured, Arrays(in_scores=inside, out_scores=outside))) == {("auroc", "scikit-learn")}
    swapped = compare(measured, Arrays(in_scores=outside, out_scores=inside)).values
    assert not any(value.agrees for value in swapped)


def test_robustness_and_likelihood():
    evaluation = Robustness(norm=LInf(), epsilons=(1, 2))
    fallen = np.array([[0, -1, -1, 3], [0, 1, -1, 2]], dtype=np.int32)
    quantities = {"robust_linf_1": 50.0, "robust_linf_2": 25.0}
    measured = record(evaluation, quantities, 4, clean_accuracy=75.0)
    assert agreeing(compare(measured, Arrays(fallen=fallen))) == {
        (name, "numpy") for name in (*quantities, "clean_accuracy")
    }
    bits = np.array([1.5, 2.25, 2.0], dtype=np.float32)
    assert agreeing(compare(record(Likelihood(), {"bits_per_dim": 5.75 / 3}, 3), Arrays(bits_per_dim=bits)))
    values = compare(record(Likelihood(), {"bits_per_dim": 5.75 / 3}, 4), Arrays(bits_per_dim=bits)).values
    (items,) = [value for value in values if not value.agrees]
    assert (items.quantity, items.recorded, items.recomputed) == ("number of items of bits_per_dim", 4, 3)


def generation_record(features, reference, logits, k=5):
    n = len(features)
    shuffled = np.random.RandomState(2020).permutation(n)
    score, spread = class_score(logits[shuffled], 3)
    chosen = np.sort(np.random.RandomState(2020).permutation(len(reference))[:n])
    quantities = {
        "frechet_distance": frechet_distance(moments(features), moments(reference)),
        "class_score": score,
        **vars(prdc(reference[chosen], features, k)),
    }
    evaluation = Generation(samples=n, features="classifier", score_splits=3, neighbours=k)
    arrays = Arrays(reference, features=features, sample_logits=logits)
    return record(evaluation, quantities, n, class_score_sd_over_splits=spread), arrays


def spread_out(random, n, d):
    return random.normal(size=(n, d)).astype(np.float32)


def dead(random, n, d):
    """A third of the features is always 0, as behind a ReLU."""
    return np.maximum(spread_out(random, n, d), 0) * (np.arange(d) % 3 > 0).astype(np.float32)


@pytest.mark.parametrize("make", [spread_out, dead, duplicates, constant, immense])
@pytest.mark.parametrize("d", [16, 200])
def test_samples(make, d):
    """With 200 features of 90 samples, covariances have not full rank; duplicates lie on the boundaries of balls."""
    random = np.random.default_rng(3)
    features, reference = make(random, 90, d), make(random, 140, d) * np.float32(1.5)
    found = compare(*generation_record(features, reference, classified(3)[0][:90]))
    assert {name for name, _ in agreeing(found)} >= {"frechet_distance", "class_score", "class_score_sd_over_splits"}
    if make is not immense:
        assert {name for name, by in agreeing(found) if by == "prdc"} == {"precision", "recall", "density", "coverage"}


def test_points_on_the_boundaries_of_balls_may_count_as_either():
    """prdc excludes them, so that its recall differs; one more item than the tied ones is a difference."""
    random = np.random.default_rng(4)
    features, reference = integers(random, 90, 3), integers(random, 140, 3)
    measured, arrays = generation_record(features, reference, classified(3)[0][:90])
    found = compare(measured, arrays)
    tied = [value for value in found.values if value.by.startswith("prdc") and value.difference > 1e-12]
    assert tied and agreeing(found)
    for value in tied:
        beyond = value.recomputed + value.tolerance * value.recorded + 1 / 90
        quantities = measured.quantities | {value.quantity: Measurement(value=beyond, n=90)}
        (differing,) = [each for each in compare(measured.model_copy(update={"quantities": quantities}), arrays).values
                        if not each.agrees]  # fmt: skip
        assert differing.quantity == value.quantity


def test_a_distance_near_zero_has_the_rounding_error_of_singular_covariances():
    random = np.random.default_rng(5)
    reference = dead(random, 140, 200)
    features = reference + np.float32(0.01) * dead(random, 140, 200)
    measured, arrays = generation_record(features, reference, classified(3)[0][:140])
    shifted = Arrays(reference, features=features + np.float32(0.1), sample_logits=classified(3)[0][:140])
    found = compare(measured, arrays)
    distances = [value for value in found.values if value.quantity == "frechet_distance"]
    assert all(1e-6 < value.difference < value.tolerance < 1e-3 for value in distances), distances
    assert sum(not value.agrees for value in compare(measured, shifted).values) >= 2


def test_features_that_are_not_numbers():
    random = np.random.default_rng(3)
    measured, arrays = generation_record(undefined(random, 90, 8), spread_out(random, 140, 8), classified(3)[0][:90])
    found = compare(measured, arrays)
    assert ("frechet_distance", "pytorch-fid") in agreeing(found)
    assert str(found.left_out["recall by prdc"]) == "prdc takes features with finite distances only"


@pytest.mark.parametrize(("evaluation", "why"), [(Runtime(), "a measured time"), (Size(), "a count of the network's")])
def test_times_and_sizes_are_not_recomputed(evaluation, why):
    found = compare(record(evaluation, {"minutes_per_epoch": 1.0}, 1), Arrays())
    assert not found.values
    assert str(found.left_out["minutes_per_epoch"]).startswith(why)


def test_kinds_from_outside(monkeypatch):
    """Brier names a recomputation of one of its two numbers, TokenBits none, and one may name something else."""
    from outside_paper.evaluations import Brier, TokenBits

    logits, labels = classified(1)
    loss = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(500), labels].mean()
    measured = record(Brier(), {"brier": 0.5, "log_loss": float(loss)}, 500)
    found = compare(measured, Arrays(logits=logits, labels=labels))
    assert agreeing(found) == {("log_loss", "scikit-learn")}
    assert str(found.left_out["brier"]) == "outside.brier names no recomputation of it"
    assert not compare(measured, Arrays(logits=logits, labels=np.roll(labels, 1))).values[0].agrees
    none = compare(record(TokenBits(), {"bits_per_token": 1.0}, 1), Arrays())
    assert str(none.left_out["bits_per_token"]) == "outside.token_bits names no recomputation"
    monkeypatch.setattr(Brier, "recomputations", "outside_paper.rechecks:of_probabilities")
    assert "not a tuple of Recomputations" in str(compare(measured, Arrays()).left_out["brier"])


def test_a_kind_that_is_not_installed_says_so():
    measured = record(Accuracy(), {"accuracy": 1.0}, 1)
    strange = measured.model_copy(update={"evaluation": {"kind": "strange.kind"}})
    assert "'strange.kind', which no installed paper offers" in str(compare(strange, Arrays()).left_out["accuracy"])
    assert Evaluation.kinds["accuracy"] is Accuracy
