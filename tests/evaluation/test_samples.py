"""Samples: sample i depends on the weights, the sampler and i alone, and is drawn once."""

import json

import numpy as np
import pytest
import torch
from damage import ARRAY_DAMAGES

from harness.config.evaluations import Generation
from harness.evaluation.samples import draw
from harness.store.files import sha256_of
from harness.store.hashed import hash_path, save_hashed
from harness.store.records import EvaluationRecord


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


def finish(subject, evaluation):
    """Write the record of an evaluation, as after its measurement."""
    EvaluationRecord(
        evaluation=evaluation.model_dump(mode="json"),
        quantities={},
        artefacts={"samples.npy": sha256_of(subject.artefacts / "samples.npy")},
        weights_sha256=subject.weights_sha256,
        seconds=1.0,
    ).save(subject.artefacts.with_name(f"{evaluation.id}.json"))


@pytest.fixture
def draw_for(subject_of, config, model, folder):
    """Draw and finish one evaluation of a run, whose artefacts are next to those of the others."""

    def run(**settings):
        weights = settings.pop("weights_sha256", "0" * 64)
        evaluation = Generation(**settings)
        subject = subject_of(config, model, artefacts=folder / evaluation.id, weights_sha256=weights)
        samples = draw(evaluation, subject)
        subject.discard_shards()
        finish(subject, evaluation)
        return samples

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
        save_hashed(evaluation / f"shard-{start:06d}.npy", kept[start : start + 100], "0" * 64)
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


@pytest.mark.parametrize("damage", ARRAY_DAMAGES)
def test_damaged_samples_are_drawn_again(draw_for, model, folder, damage, caplog):
    first = draw_for(samples=300)
    path = folder / Generation(samples=300).id / "samples.npy"
    damage(path)
    model.asked.clear()
    np.testing.assert_array_equal(draw_for(samples=200), first[:200])
    assert model.asked == list(range(200))
    assert f"{path} does not match its record" in caplog.text
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("damage", [*ARRAY_DAMAGES, "no hash", "other weights"])
def test_a_damaged_shard_is_drawn_again(draw_for, subject_of, config, model, folder, damage, caplog):
    evaluation = Generation(samples=300)
    subject = subject_of(config, model, artefacts=folder / evaluation.id)
    whole = draw(evaluation, subject)
    shard = subject.artefacts / "shard-000100.npy"
    if damage == "no hash":
        hash_path(shard).unlink()
    elif damage == "other weights":
        save_hashed(shard, whole[:100], "1" * 64)
    else:
        damage(shard)
    model.asked.clear()
    np.testing.assert_array_equal(draw(evaluation, subject), whole)
    assert model.asked == list(range(100, 200))
    assert f"{shard} " in caplog.text and "recomputed" in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_samples_of_a_lost_origin_are_drawn_again(draw_for, model, folder, content):
    first = draw_for(samples=100)
    (folder / Generation(samples=100).id / "samples.json").write_bytes(content)
    model.asked.clear()
    np.testing.assert_array_equal(draw_for(samples=101)[:100], first)
    assert model.asked == list(range(200))
