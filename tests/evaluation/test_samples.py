"""Samples: sample i depends on the weights, the sampler and i alone, and is drawn once."""

import json

import numpy as np
import pytest
import torch

from harness.config.evaluations import Generation
from harness.evaluation.samples import draw


class Counting:
    """A generator that records the requested samples; each depends slightly on the rest of its batch."""

    def __init__(self):
        self.asked = []

    def players(self):
        return {}

    def sample(self, sampler, stream, rows):
        self.asked += rows.tolist()
        images = stream.normal(rows, 1, 4, 4).tanh()
        return images + images.mean() / 10


@pytest.fixture
def model():
    return Counting()


@pytest.fixture
def folder(tmp_path):
    """The folder of a run's evaluations."""
    (tmp_path / "evaluations").mkdir()
    return tmp_path / "evaluations"


@pytest.fixture
def draw_for(subject_of, config, model, folder):
    """Draw for one evaluation of a run, whose artefacts are next to those of the others."""

    def run(**settings):
        weights = settings.pop("weights_sha256", "0" * 64)
        evaluation = Generation(**settings)
        subject = subject_of(config, model, artefacts=folder / evaluation.id, weights_sha256=weights)
        return draw(evaluation, subject)

    return run


def test_more_samples_begin_with_the_fewer_and_only_the_rest_is_drawn(draw_for, model):
    first = draw_for(samples=1000)
    assert model.asked == list(range(1000))
    model.asked.clear()
    more = draw_for(samples=1700)
    assert model.asked == list(range(1000, 1700))
    np.testing.assert_array_equal(more[:1000], first)


def test_fewer_samples_are_taken_from_the_more(draw_for, model):
    more = draw_for(samples=1200)
    model.asked.clear()
    fewer = draw_for(samples=700, features="classifier", neighbours=3)
    assert model.asked == []
    np.testing.assert_array_equal(fewer, more[:700])


def test_what_was_left_half_drawn_is_taken_over_too(draw_for, model, folder):
    kept = draw_for(samples=1000)
    evaluation = folder / Generation(samples=1000).id
    for start in range(500, 1000, 100):
        np.save(evaluation / f"shard-{start:06d}.npy", kept[start : start + 100])
    (evaluation / "samples.npy").unlink()
    model.asked.clear()
    np.testing.assert_array_equal(draw_for(samples=2000)[:1000], kept)
    assert model.asked == [*range(500), *range(1000, 2000)]


def test_a_count_that_fills_no_block_draws_the_same_samples(draw_for, model, folder):
    some = draw_for(samples=130)
    (folder / Generation(samples=130).id / "samples.npy").unlink()
    np.testing.assert_array_equal(draw_for(samples=200)[:130], some)
    assert model.asked == [*range(200), *range(200)]


@pytest.mark.parametrize("settings", [{"after": 0.5}, {"weights_sha256": "1" * 64}])
def test_samples_of_other_weights_are_not_taken(draw_for, model, settings):
    draw_for(samples=100)
    model.asked.clear()
    draw_for(samples=101, **settings)
    assert model.asked == list(range(200))


def test_stale_samples_of_the_same_evaluation_are_removed(draw_for, model, folder):
    draw_for(samples=600)
    note = folder / Generation(samples=600).id / "samples.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"weights_sha256": "2" * 64}))
    model.asked.clear()
    draw_for(samples=600)
    assert model.asked == list(range(600))


def test_a_broken_file_of_samples_is_redrawn(draw_for, model, folder):
    first = draw_for(samples=300)
    path = folder / Generation(samples=300).id / "samples.npy"
    path.write_bytes(path.read_bytes()[:-10])
    np.testing.assert_array_equal(draw_for(samples=200), first[:200])
    assert torch.is_grad_enabled()
