"""A rehearsal finds what would make a run fail, and measures its cost at full shapes."""

import numpy as np
import pytest
import torch
from labelled import arrays_of
from toy_paper import DENOISING, GENERATION, HYBRID

from harness.config.evaluations import Accuracy, Generation, Likelihood, OutOfDistribution, Robustness, Runtime
from harness.config.networks import ViT
from harness.data.catalogue import CIFAR10, SVHN
from harness.data.prepared.dataset import open_dataset
from harness.exit_codes import ExitCode
from harness.store.rehearsals import Rehearsals
from harness.store.results import Results
from harness.store.run_directory import RunState
from harness.worker.context import Context
from harness.worker.rehearsal.excerpts import random_values
from harness.worker.rehearsal.run_rehearsal import rehearse

CPU = torch.device("cpu")
ROBUSTNESS = Robustness(norm="linf", epsilons=(1, 8), images=100)


@pytest.fixture
def rehearsed(tmp_path, data_root):
    """Rehearse a run with some evaluations; return exit code, directory and record."""

    def perform(run, *evaluations, data=data_root):
        directory = Rehearsals(tmp_path).directory(run)
        directory.request(run, evaluations)
        ending = rehearse(Context(Results(tmp_path), data, CPU), directory)
        return ending, directory, directory.record_of_rehearsal()

    return perform


def test_a_run_that_would_go_well_is_measured_and_leaves_no_result(rehearsed, tmp_path):
    evaluations = (Accuracy(), GENERATION, Likelihood(), ROBUSTNESS, OutOfDistribution(), Runtime())
    ending, directory, record = rehearsed(HYBRID, *evaluations)
    assert (ending, directory.state(), record.problems) == (ExitCode.DONE, RunState.DONE, [])
    assert record.tried_steps == 40
    assert record.random_pixels == []
    assert set(record.evaluations) == {evaluation.id for evaluation in evaluations}
    assert record.evaluations[GENERATION.id].full_passes == 150 * 4
    assert (record.evaluations[GENERATION.id].chain, record.evaluations[ROBUSTNESS.id].chain) == (4, 1)
    assert record.evaluations[ROBUSTNESS.id].full_passes == 100 * 2 * 51
    assert all(entry.full_seconds > 0 for entry in record.evaluations.values())
    assert record.expected_seconds > 134 * record.step_seconds > 0
    # Weights, two moments and the EMA; and what meters and other buffers hold.
    assert record.checkpoint_bytes > 16 * HYBRID.parameters
    assert record.peak_memory > 100e6
    assert Results(tmp_path).all() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rehearsals"]
    assert not directory.scratch.exists()


def test_images_are_attacked_for_as_long_as_they_will_be(rehearsed, monkeypatch):
    """An untrained model is mostly wrong, so it attacks its own predictions; otherwise no image would be attacked."""
    attacked = []
    from harness.evaluation.pgd import Attack

    ascend = Attack.ascend

    def count(self, logits_of, points, images, labels):
        attacked.append(len(images))
        return ascend(self, logits_of, points, images, labels)

    monkeypatch.setattr(Attack, "ascend", count)
    assert rehearsed(HYBRID, ROBUSTNESS)[0] is ExitCode.DONE
    assert len(attacked) == 2 * 3
    assert min(attacked) > 90


def test_what_is_not_at_hand_is_told_and_the_rest_is_measured(rehearsed, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("HARNESS_INCEPTION_WEIGHTS", raising=False)
    run = HYBRID.but(data=CIFAR10, patch_size=16)
    sampling, outliers = Generation(samples=1000), OutOfDistribution(outliers=SVHN)
    ending, directory, record = rehearsed(run, sampling, outliers, data=tmp_path / "empty")
    assert (ending, directory.state()) == (ExitCode.FAILED, RunState.FAILED)
    told = [str(problem) for problem in record.problems]
    assert [problem.part for problem in record.problems] == ["data", "generation", "data"]
    assert "'cifar10' is not prepared" in told[0] and "data prepare cifar10" in told[0]
    assert "needs Inception weights" in told[1] and "data prepare inception" in told[1]
    assert "'svhn' is not prepared" in told[2]
    assert record.random_pixels == ["cifar10", "svhn"]
    assert "resident" in record.loader
    assert record.step_seconds > 0
    assert record.evaluations[sampling.id].full_seconds > record.evaluations[sampling.id].seconds > 0
    assert set(record.evaluations) == {sampling.id, outliers.id}


def test_changed_data_are_not_taken_for_the_prepared_ones(rehearsed, tmp_path):
    data = open_dataset(HYBRID.config.data, tmp_path / "data")
    labels = np.load(data.folder / "test-labels.npy")
    np.save(data.folder / "test-labels.npy", labels[::-1])
    ending, _, record = rehearsed(HYBRID, Accuracy(), data=tmp_path / "data")
    assert ending is ExitCode.FAILED
    assert [problem.part for problem in record.problems] == ["data"]
    assert "is not the file that was prepared" in record.problems[0].what
    assert record.step_seconds > 0


def test_a_network_that_no_memory_holds_is_found_in_every_part(rehearsed):
    """The allocator itself refuses a terabyte."""
    run = DENOISING.but(network=ViT(dim=2**19, depth=1, heads=2, patch_size=4))
    ending, _, record = rehearsed(run, Likelihood())
    assert ending is ExitCode.FAILED
    assert {(problem.part, problem.what) for problem in record.problems} == {
        (part, "out of memory") for part in ("training", "evaluations", "likelihood")
    }
    assert record.step_seconds is None and record.expected_seconds is None


def test_rehearsing_again_overwrites(rehearsed):
    _, directory, first = rehearsed(DENOISING, GENERATION)
    _, _, second = rehearsed(DENOISING, Likelihood())
    assert second.started > first.started
    assert set(second.evaluations) == {Likelihood().id}
    assert "rehearsing generation" not in directory.log.read_text()


def test_random_pixels_take_the_memory_of_real_ones_and_little_disk(tmp_path):
    data = random_values(CIFAR10, 200, tmp_path)
    images, labels = arrays_of(data.split("train"))
    assert images.shape == (50_000, 3, 32, 32) and len(labels) == 50_000
    assert len(np.unique(images[:200])) == 256
    assert labels.min() == 0 and labels.max() == 9
    path = tmp_path / "train-images.npy"
    assert path.stat().st_size > 50_000 * 3072
    assert path.stat().st_blocks * 512 < 2e6
