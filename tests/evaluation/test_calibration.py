"""Calibration: the error against torchmetrics and by hand, the bins, and the stored artefacts."""

import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from harness.config.evaluations import Accuracy, Calibration
from harness.evaluation import accuracy, calibration
from harness.metrics.calibration import reliability


def by_torchmetrics(logits, labels, bins):
    probabilities = torch.from_numpy(logits).double().softmax(dim=1)
    return multiclass_calibration_error(
        probabilities, torch.from_numpy(labels), num_classes=logits.shape[1], n_bins=bins, norm="l1"
    ).item()


@pytest.mark.parametrize("bins", [1, 15, 20])
@pytest.mark.parametrize(("scale", "skill"), [(0.1, 0), (1, 0), (3, 0), (1, 5), (4, 8), (30, 10)])
def test_error_equals_that_of_torchmetrics(scale, skill, bins):
    """Inputs range from near-uniform guesses to confident, correct predictions."""
    random = np.random.default_rng(bins)
    labels = random.integers(0, 10, size=3000)
    logits = (random.normal(size=(3000, 10)) * scale + skill * np.eye(10)[labels]).astype(np.float32)
    error = reliability(logits, labels, bins).expected_calibration_error()
    assert error == pytest.approx(by_torchmetrics(logits, labels, bins), abs=1e-6)


def test_bins_by_hand():
    """Confidences 0.6 (right), 0.6 (wrong) and 0.9 (right) of two classes, in four bins."""
    logits = np.log([[0.6, 0.4], [0.4, 0.6], [0.1, 0.9]]) + np.array([[5.0], [-3.0], [0.0]])
    bins = reliability(logits, np.array([0, 0, 1]), bins=4)
    assert bins.count.tolist() == [0, 0, 2, 1]
    np.testing.assert_allclose(bins.accuracy, [np.nan, np.nan, 0.5, 1])
    np.testing.assert_allclose(bins.confidence, [np.nan, np.nan, 0.6, 0.9])
    assert bins.expected_calibration_error() == pytest.approx((2 * 0.1 + 0.1) / 3)
    assert bins.confidence_gap() == pytest.approx(0.7 - 2 / 3)


@pytest.mark.parametrize(("classes", "expected"), [(1, 19), (2, 9), (4, 4), (5, 3), (10, 1), (20, 0)])
def test_a_bin_contains_its_upper_edge_and_not_its_lower(classes, expected):
    """A uniform guess among k classes has the confidence 1 / k exactly."""
    bins = reliability(np.zeros((1, classes)), np.zeros(1, dtype=int), bins=20)
    assert bins.count.nonzero()[0].tolist() == [expected]


def test_gap_is_positive_when_overconfident():
    logits = np.eye(4)[np.arange(40) % 4] * 20
    right, wrong = np.arange(40) % 4, (np.arange(40) + 1) % 4
    assert reliability(logits, right, 20).confidence_gap() == pytest.approx(0, abs=1e-6)
    assert reliability(logits, wrong, 20).confidence_gap() == pytest.approx(1, abs=1e-6)
    assert reliability(np.zeros((40, 4)), np.zeros(40), 20).confidence_gap() == pytest.approx(0.25 - 1)


def test_evaluation_keeps_what_its_numbers_follow_from(subject):
    findings = calibration.evaluate(Calibration(bins=20), subject)
    count, correct, confidence = np.load(subject.artefacts / "bins.npy").T
    logits, labels = (np.load(subject.artefacts / f"{name}.npy") for name in ("logits", "labels"))
    error, gap = (findings.quantities[name] for name in ("expected_calibration_error", "confidence_gap"))
    assert error.n == gap.n == count.sum() == len(labels) == 360
    assert error.value == pytest.approx(100 * by_torchmetrics(logits, labels, 20), abs=1e-4)
    filled = count > 0
    by_bins = np.abs(correct - confidence)[filled] @ count[filled] / 360
    assert error.value == pytest.approx(100 * by_bins)
    share = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    assert gap.value == pytest.approx(100 * (share.max(1).mean() - (logits.argmax(1) == labels).mean()))
    assert findings.quantities.keys() == Calibration().labels(subject.config.data).keys()


def test_accuracy_and_calibration_see_the_same_logits(subject, subject_of, config, model):
    other, told = subject_of(config, model), []
    calibration.evaluate(Calibration(split="train"), subject)
    measured = accuracy.evaluate(Accuracy(split="train"), subject_of(config, model, report=lambda *at: told.append(at)))
    accuracy.evaluate(Accuracy(split="train"), other)
    logits, again = (np.load(each.artefacts / "logits.npy") for each in (subject, other))
    labels = np.load(subject.artefacts / "labels.npy")
    assert np.array_equal(logits, again)
    assert np.array_equal(labels, subject.data.split("train")["labels"])
    assert measured.quantities["accuracy"].value == pytest.approx(100 * (logits.argmax(1) == labels).mean())
    assert told[0] == (100, 1437)
    assert told[-1] == (1437, 1437)


def test_logits_that_are_no_numbers_give_none(subject_of, config, broken):
    for findings in (
        calibration.evaluate(Calibration(), subject_of(config, broken)),
        accuracy.evaluate(Accuracy(), subject_of(config, broken)),
    ):
        assert all(math.isnan(found.value) and found.n == 360 for found in findings.quantities.values())
