"""Every evaluation on points of the plane: no evaluation assumes images silently."""

import numpy as np
import pytest
import torch
from points_paper import CLOUD, FAR, GENERATION, POINTS

from harness.config.augmentation import Augmentation
from harness.config.evaluations import (
    Accuracy,
    Calibration,
    Generation,
    Likelihood,
    LInf,
    OutOfDistribution,
    Robustness,
    Runtime,
)
from harness.config.feature_spaces import ClassifierSpace
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.errors import HarnessError, SpecError
from harness.evaluation.run import measure
from harness.methods.base import build_method
from harness.training.loop import Hooks, Trainer

CPU = torch.device("cpu")
TOKENS = POINTS.but(name="tokens", fields={"x": ((2,), "int64"), "y": ((), "int32")})


@pytest.fixture(scope="module")
def points(data_root):
    return open_dataset(POINTS, data_root)


@pytest.fixture(scope="module")
def cloud(points):
    """A model of the points that is right about most of them."""
    method = build_method(CLOUD.config, CPU)
    trainer = Trainer(CLOUD.config, method, ResidentLoader(points.split("train"), CPU), CPU)
    assert trainer.run(Hooks(lambda step: None, lambda step, means: None, lambda: False))
    return method.eval()


@pytest.fixture
def subject(subject_of, cloud, points):
    return subject_of(CLOUD.config, cloud, data=points)


def quantities(evaluation, subject):
    return {name: measured.value for name, measured in measure(evaluation, subject).quantities.items()}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_accuracy_is_that_of_the_split(subject, cloud, points, split):
    with torch.no_grad():
        guessed = cloud.logits(torch.from_numpy(np.array(points.split(split)["x"]))).argmax(1)
    right = (guessed.numpy() == points.split(split)["y"]).mean()
    assert right > 0.8
    assert quantities(Accuracy(split=split), subject) == {"accuracy": pytest.approx(100 * right)}
    kept = np.load(subject.artefacts / "labels.npy")
    assert np.array_equal(kept, points.split(split)["y"]) and kept.dtype == np.int32
    assert 0 <= quantities(Calibration(split=split), subject)["expected_calibration_error"] < 30


def test_outliers_are_distinguished_from_the_points(subject, cloud, points):
    found = measure(OutOfDistribution(outliers=FAR), subject)
    assert found.details["outliers"] == "far" and found.details["outliers_n"] == 50
    assert len(np.load(subject.artefacts / "in_scores.npy")) == 220
    found = measure(OutOfDistribution(), subject)
    assert (found.details["outliers"], found.details["outliers_n"]) == ("Interp", 100)


def test_outliers_of_another_form_are_refused(subject):
    wide = FAR.but(fields={"x": ((3,), "float32")})
    with pytest.raises(HarnessError, match="outliers 'far' are 3, but the model of 'points' takes 2"):
        measure(OutOfDistribution(outliers=wide), subject)
    whole = FAR.but(fields={"x": ((2,), "int64")})
    with pytest.raises(HarnessError, match="outliers 'far' are 2 int64, but the model of 'points' takes 2 float32"):
        measure(OutOfDistribution(outliers=whole), subject)


def test_whole_numbers_have_no_means(subject_of, cloud, points):
    subject = subject_of(CLOUD.config.but(data=TOKENS), cloud, data=points)
    with pytest.raises(HarnessError, match="Interp needs images or real numbers: dataset 'tokens' holds int64"):
        measure(OutOfDistribution(), subject)


def test_likelihood_is_the_mean_over_the_split(subject, cloud, points):
    x = torch.from_numpy(np.array(points.split("test")["x"]))
    with torch.no_grad():
        bits = cloud.bits_per_dim(x, None, None)
    assert quantities(Likelihood(), subject) == {"bits_per_dim": pytest.approx(float(bits.mean()), rel=1e-6)}


def test_samples_are_kept_as_the_numbers_that_they_are(subject, cloud, points):
    found = measure(GENERATION, subject)
    samples = np.load(subject.artefacts / "samples.npy")
    assert samples.shape == (150, 2) and samples.dtype == np.float32
    assert not np.array_equal(samples, samples.round())
    np.testing.assert_array_equal(np.load(subject.artefacts / "features.npy"), samples)
    with torch.no_grad():
        own = cloud.logits(torch.from_numpy(samples)).numpy()
    np.testing.assert_allclose(np.load(subject.artefacts / "own_logits.npy"), own, atol=1e-6)
    assert found.details["reference_sha256"] == points.manifest.files["train-x.npy"]
    assert found.details["reference_n"] == 240
    again = subject.cache / "features" / f"plane-{points.manifest.sha256[:12]}" / "train-features.npy"
    np.testing.assert_array_equal(np.load(again), points.split("train")["x"])
    assert found.quantities["frechet_distance"].value > 0


def test_runtime_is_measured(subject):
    found = quantities(Runtime(warmup_steps=1, timed_steps=1, windows=2), subject)
    assert found["minutes_per_epoch"] > 0


@pytest.mark.parametrize(
    ("evaluation", "match"),
    [
        (
            Robustness(norm=LInf(), epsilons=(1.0,)),
            "evaluation 'robustness' needs images: dataset 'points' holds",
        ),
        (Generation(samples=20, features=ClassifierSpace()), "space 'classifier' needs images: dataset 'points' holds"),
    ],
)
def test_what_is_about_pixels_is_refused_in_one_line(subject, evaluation, match):
    with pytest.raises(SpecError, match=match):
        measure(evaluation, subject)
    assert not list(subject.artefacts.glob("samples.npy"))


def test_an_unusable_augmentation_is_refused_before_the_first_step(points):
    method = build_method(CLOUD.config, CPU)
    method.augmentations = lambda: {"points": Augmentation(flip=True)}
    trainer = Trainer(CLOUD.config, method, ResidentLoader(points.split("train"), CPU), CPU)
    with pytest.raises(SpecError, match="augmentation is for images: dataset 'points' holds arrays"):
        trainer.train_step()
    assert trainer.step == 0
