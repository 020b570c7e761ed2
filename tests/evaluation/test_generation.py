"""Generation: a model that classifies too is asked about its own samples."""

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.config.evaluations import Generation
from harness.config.methods import Denoising, Hybrid
from harness.config.processes import GaussianProcess
from harness.evaluation import generation
from harness.methods.base import build_method

PROCESS = GaussianProcess(timesteps=3)
SHORT = Generation(samples=130, features="classifier", score_splits=2)


class PixelSpace:
    """Features that need no training: the first pixels."""

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
    names = {path.name for path in folder.glob("*.npy")}
    assert names == {"samples.npy", "features.npy", "sample_logits.npy"}
