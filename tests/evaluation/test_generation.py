"""Generation: a model that is also a classifier labels its own samples."""

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.config.evaluations import Generation
from harness.config.methods import Denoising, Hybrid
from harness.config.processes import GaussianProcess
from harness.evaluation import generation
from harness.methods.base import build_method
from harness.metrics.class_score import class_score

PROCESS = GaussianProcess(timesteps=3)
SHORT = Generation(samples=130, features="classifier", score_splits=2)


class PixelSpace:
    """A feature space without training: the first pixels."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def describe(self):
        return {"kind": "pixels"}

    def embed(self, images, report):
        flat = np.array(images).reshape(len(images), -1).astype(np.float32)
        return flat[:, :4], flat[:, 10:20]


@pytest.fixture
def generated(config, subject_of, monkeypatch, tmp_path):
    """Draw from an untrained model of a method; return the model and the folder of the arrays."""
    monkeypatch.setattr(generation, "space_of", lambda embedding, subject: PixelSpace(tmp_path))

    def draw(method):
        generative = config.but(method=method)
        model = build_method(generative, torch.device("cpu")).eval()
        subject = subject_of(generative, model)
        generation.evaluate(SHORT, subject)
        return model, subject.artefacts

    return draw


def test_a_hybrid_s_own_logits_are_those_of_the_stored_samples(generated):
    model, folder = generated(Hybrid(alpha=1, process=PROCESS))
    samples, logits = np.load(folder / "samples.npy"), np.load(folder / "own_logits.npy")
    assert samples.dtype == np.uint8
    assert logits.shape == (130, 10)
    assert logits.dtype == np.float32
    with torch.no_grad():
        expected = model.logits(torch.from_numpy(samples).float() / 127.5 - 1).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_model_that_only_generates_has_none(generated):
    _, folder = generated(Denoising(process=PROCESS))
    names = {path.name for path in folder.glob("*.npy")} - {path.name for path in folder.glob("shard-*")}
    assert names == {"samples.npy", "features.npy", "sample_logits.npy"}


class SortedSpace(PixelSpace):
    """Assigns the first half of the samples to one class, and the rest to another."""

    def embed(self, images, report):
        features, _ = super().embed(images, report)
        later = np.arange(len(images)) >= len(images) // 2
        return features, 20.0 * np.stack([~later, later], axis=1).astype(np.float32)


def test_samples_are_shuffled_before_the_class_score(config, subject_of, monkeypatch, tmp_path):
    """In drawing order each half would have a single class, and the score would be 1."""
    monkeypatch.setattr(generation, "space_of", lambda embedding, subject: SortedSpace(tmp_path))
    generative = config.but(method=Denoising(process=PROCESS))
    subject = subject_of(generative, build_method(generative, torch.device("cpu")).eval())
    score = generation.evaluate(SHORT, subject).quantities["class_score"].value
    logits = np.load(subject.artefacts / "sample_logits.npy")
    expected, _ = class_score(logits[np.random.RandomState(2020).permutation(130)], 2)
    assert class_score(logits, 2)[0] == pytest.approx(1)
    assert score == pytest.approx(expected)
    assert score > 1.9
