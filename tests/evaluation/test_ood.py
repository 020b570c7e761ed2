"""Out-of-distribution detection: the AUROC against scikit-learn, interpolated images, scores, and other datasets."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from harness.config.dataset import Images
from harness.config.evaluations import LogDensity, MaxProbability, OutOfDistribution
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import DatasetManifest, PreparedDataset
from harness.errors import HarnessError
from harness.evaluation import ood
from harness.metrics.auroc import auroc
from harness.randomness import Stream

NOISE = Images(name="noise", image_size=8, channels=1, num_classes=10, train_examples=10, test_examples=250)


@pytest.fixture
def noise(tmp_path):
    """A prepared dataset of coarse noise."""
    folder = tmp_path / "noise"
    folder.mkdir()
    random = np.random.default_rng(0)
    np.save(folder / "test-images.npy", random.integers(0, 256, size=(250, 1, 8, 8), dtype=np.uint8))
    np.save(folder / "test-labels.npy", np.zeros(250, dtype=np.int64))
    files = {"test-images.npy": "0" * 64, "test-labels.npy": "0" * 64}
    return PreparedDataset(folder, DatasetManifest(name="noise", files=files), NOISE)


def by_sklearn(positives, negatives):
    truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    return roc_auc_score(truth, np.r_[positives, negatives])


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), m=st.integers(1, 60), levels=st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_area_equals_that_of_sklearn_also_among_ties(seed, n, m, levels):
    random = np.random.default_rng(seed)
    positives, negatives = random.integers(0, levels, n) / 7, random.integers(0, levels, m) / 7
    assert auroc(positives, negatives) == pytest.approx(by_sklearn(positives, negatives), abs=1e-12)


def test_area_of_the_extremes():
    low, high = np.array([0.0, 1.0]), np.array([2.0, 3.0])
    assert auroc(high, low) == 1
    assert auroc(low, high) == 0
    assert auroc(low, low) == 0.5


def test_interpolations_are_means_of_the_right_images(digits):
    """Image i of batch k and image i of batch k + 1, for all whole batches of the shuffled split."""
    images = digits.split("test")["images"]
    loader = ResidentLoader(digits.split("test"), torch.device("cpu"))
    made, last = (
        torch.cat(list(ood.interpolations(loader, Stream("order"), p))) for p in (range(200), range(100, 200))
    )
    assert torch.equal(last, made[100:])
    assert not list(ood.interpolations(loader, Stream("order"), range(200, 200)))
    assert len(made) == ood.interpolation_count(360) == 200
    shuffled = images[Stream("order").permutation(360).numpy()].astype(np.float64)
    expected = [(shuffled[k * 100 + i] + shuffled[(k + 1) * 100 + i]) / 2 for k in (0, 1) for i in range(100)]
    np.testing.assert_allclose(made.numpy(), np.array(expected) / 127.5 - 1, atol=1e-6)


def test_the_paper_has_9900_interpolations():
    assert ood.interpolation_count(10_000) == 9_900
    with pytest.raises(HarnessError, match="Interp needs at least 200 test examples: there are 199"):
        ood.interpolation_count(199)


def test_scores():
    logits = np.array([[0.0, 1.0, 2.0], [60.0, 0.0, 0.0], [70.0, 0.0, 0.0]], dtype=np.float32)
    e = math.e
    assert ood.scores(LogDensity(), logits)[0] == pytest.approx(math.log(1 + e + e**2))
    assert ood.scores(MaxProbability(), logits)[0] == pytest.approx(e**2 / (1 + e + e**2))
    assert ood.scores(LogDensity(), logits)[2] == pytest.approx(70)
    sure = ood.scores(MaxProbability(), np.array([[20.0, 0.0], [25.0, 0.0]], dtype=np.float32))
    assert sure[0] < sure[1], "in float32 both would be 1"


@pytest.mark.parametrize("score", ["log_density", "max_probability"])
def test_interp_is_measured_against_the_test_split(subject, subject_of, config, model, score):
    evaluation, told = OutOfDistribution(score=score), []
    findings = ood.evaluate(evaluation, subject)
    again = subject_of(config, model, report=lambda *at: told.append(at))
    assert ood.evaluate(evaluation, again) == findings
    inside, outside = (np.load(subject.artefacts / f"{name}_scores.npy") for name in ("in", "out"))
    assert (len(inside), len(outside)) == (360, 200)
    assert findings.quantities["auroc"].value == pytest.approx(by_sklearn(inside, outside))
    assert findings.quantities.keys() == evaluation.labels(config.data).keys()
    assert findings.details["outliers"] == "Interp"
    assert findings.details["outliers_n"] == 200
    assert told[-1] == (560, 560)
    assert sorted(told) == told


def test_a_trained_classifier_separates_digits_from_noise(subject_of, config, model, noise, digits):
    asked = []
    subject = subject_of(config, model, open_data=lambda data: asked.append(data) or noise)
    findings = ood.evaluate(OutOfDistribution(score="max_probability", outliers=NOISE), subject)
    assert asked == [NOISE]
    assert findings.quantities["auroc"].value > 0.7
    assert findings.quantities["auroc"].n == 610
    details = {"outliers": "noise", "outliers_n": 250, "outliers_sha256": noise.manifest.sha256}
    assert findings.details == details
    inside, outside = (np.load(subject.artefacts / f"{name}_scores.npy") for name in ("in", "out"))
    with torch.no_grad():
        for scores, data in ((inside, digits), (outside, noise)):
            images = torch.from_numpy(np.array(data.split("test")["images"])).float() / 127.5 - 1
            np.testing.assert_allclose(scores, model.logits(images).softmax(1).amax(1), rtol=1e-4)


def test_a_model_that_sees_nothing_is_at_chance(subject_of, config, constant):
    findings = ood.evaluate(OutOfDistribution(), subject_of(config, constant))
    assert findings.quantities["auroc"].value == 0.5


def test_outliers_of_another_shape_are_refused_before_they_are_opened(subject):
    large = NOISE.but(name="large", image_size=32, channels=3)
    with pytest.raises(HarnessError, match="outliers 'large' are 3x32x32, but the model of 'digits' takes 1x8x8"):
        ood.evaluate(OutOfDistribution(outliers=large), subject)


def test_logits_that_are_no_numbers_give_none(subject_of, config, broken):
    findings = ood.evaluate(OutOfDistribution(), subject_of(config, broken))
    assert math.isnan(findings.quantities["auroc"].value)
