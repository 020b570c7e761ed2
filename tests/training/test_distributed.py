"""One, two, three and four ranks: same curves up to rounding, same samples and metrics."""

import json
import os
import signal
import time

import numpy as np
import pytest
import ranks
import torch
from safetensors.torch import load_file, save_file
from toy_paper import CLASSIFIER, DENOISER, GENERATION, HYBRID

from harness.config.evaluations import Accuracy, Calibration, Likelihood, OutOfDistribution, Robustness, Runtime
from harness.errors import SpecError
from harness.methods.base import build_method
from harness.training.distributed import Communicator
from harness.training.loop import Trainer

CONFIG, STEPS = HYBRID.config.but(batch_size=60, epochs=1), 30
EVALUATIONS = (
    Accuracy(),
    Calibration(),
    GENERATION.but(samples=250),
    Likelihood(),
    OutOfDistribution(score="log_density"),
    Robustness(norm="linf", epsilons=(1.0, 8.0), images=250, steps=3, restarts=1),
)


@pytest.fixture(scope="module")
def trained(data_root, tmp_path_factory):
    """The folders of the same training on several numbers of ranks."""
    root = tmp_path_factory.mktemp("ranks")
    for size in (1, 2, 3, 4):
        ranks.run(size, ranks.train, CONFIG, data_root, 0, STEPS, root / str(size))
    return root


def curve_of(folder, rank=0):
    return np.load(folder / f"curve-{rank}.npy")


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_curves_agree_to_rounding_step_by_step(trained, size):
    alone, together = curve_of(trained / "1"), curve_of(trained / str(size))
    assert alone.shape == (STEPS, 3)
    np.testing.assert_allclose(together, alone, rtol=2e-4)
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-6)
    assert np.ptp(alone[:, 1]) > 0.05


def test_parts_of_different_sizes_weigh_by_their_rows(data_root, tmp_path):
    """Of five rows one rank has one and two have two each: losses, and the gradients by which the next step goes."""
    config = CONFIG.but(batch_size=5)
    for size in (1, 3):
        ranks.run(size, ranks.train, config, data_root, 0, 4, tmp_path / str(size))
    np.testing.assert_allclose(curve_of(tmp_path / "3"), curve_of(tmp_path / "1"), rtol=1e-4)


@pytest.mark.parametrize("size", [2, 4])
def test_all_ranks_hold_the_same_state(trained, size):
    first = load_file(trained / str(size) / f"{STEPS}.safetensors")
    for rank in range(1, size):
        other = load_file(trained / str(size) / f"rank-{rank}.safetensors")
        assert other.keys() == first.keys()
        assert all(torch.equal(other[name], first[name]) for name in first)


@pytest.mark.parametrize(("config", "steps"), [(CLASSIFIER, 2), (DENOISER, 12)], ids=["batch norm", "dropout"])
def test_batch_norm_and_dropout_are_those_of_the_global_batch(config, steps, data_root, tmp_path):
    """Weights, statistics, momenta. Rounding decides at the kink of ReLU, so states diverge after some steps."""
    for size in (1, 2, 4):
        ranks.run(size, ranks.train, config, data_root, 0, steps, tmp_path / str(size))
    alone = load_file(tmp_path / "1" / f"{steps}.safetensors")
    for size in (2, 4):
        np.testing.assert_allclose(curve_of(tmp_path / str(size)), curve_of(tmp_path / "1"), rtol=1e-4)
        together = load_file(tmp_path / str(size) / f"{steps}.safetensors")
        assert together.keys() == alone.keys()
        for name, value in together.items():
            torch.testing.assert_close(value, alone[name], rtol=0, atol=1e-4 * alone[name].abs().max().item())
        for rank in range(1, size):
            other = load_file(tmp_path / str(size) / f"rank-{rank}.safetensors")
            assert all(torch.equal(other[name], together[name]) for name in together)


def test_a_run_goes_on_with_another_number_of_ranks_and_back(trained, data_root, tmp_path):
    for size, first, steps in ((4, 0, 10), (1, 10, 20), (4, 20, STEPS)):
        ranks.run(size, ranks.train, CONFIG, data_root, first, steps, tmp_path / "moved")
        np.testing.assert_allclose(curve_of(tmp_path / "moved"), curve_of(trained / "1")[first:steps], rtol=2e-4)


def test_every_evaluation_is_the_same_on_one_rank_and_on_several(data_root, tmp_path):
    weights = tmp_path / "weights.safetensors"
    save_file(build_method(CONFIG, torch.device("cpu")).state_dict(), weights)
    for size in (1, 3, 4):
        ranks.run(size, ranks.evaluate, CONFIG, weights, EVALUATIONS, data_root, tmp_path / str(size))
    for evaluation in EVALUATIONS:
        records = [json.loads((tmp_path / str(size) / f"{evaluation.id}.json").read_text()) for size in (1, 3, 4)]
        for record in records:
            del record["seconds"]
        assert records[0] == records[1] == records[2]
        assert records[0]["artefacts"]
    samples = [np.load(tmp_path / str(size) / EVALUATIONS[2].id / "samples.npy") for size in (1, 4)]
    assert np.array_equal(samples[0][137], samples[1][137])
    assert not np.array_equal(samples[0][137], samples[0][138])
    assert not list(tmp_path.rglob("shard-*"))


def test_times_are_taken_on_one_rank_while_the_others_wait(data_root, tmp_path):
    weights = tmp_path / "weights.safetensors"
    save_file(build_method(CONFIG, torch.device("cpu")).state_dict(), weights)
    runtime = Runtime(warmup_steps=1, windows=2, timed_steps=2)
    ranks.run(2, ranks.evaluate, CONFIG, weights, [runtime], data_root, tmp_path / "2")
    record = json.loads((tmp_path / "2" / f"{runtime.id}.json").read_text())
    assert len(record["details"]["step_seconds"]) == 2


def test_a_killed_rank_ends_the_others_within_seconds(tmp_path):
    processes = ranks.start(3, ranks.sum_forever, tmp_path)
    deadline = time.monotonic() + 120
    while not all((tmp_path / str(rank)).exists() for rank in range(3)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(processes[1].pid, signal.SIGKILL)
    begun = time.monotonic()
    for process in processes:
        process.join(30)
    assert time.monotonic() - begun < 10
    assert [process.exitcode for process in processes] == [76, -signal.SIGKILL, 76]


def test_more_ranks_than_images_in_a_batch_are_refused():
    class Crowd(Communicator):
        size = 61

    with pytest.raises(SpecError, match="61 ranks exceed batch_size=60"):
        Trainer(CONFIG, build_method(CONFIG, torch.device("cpu")), None, torch.device("cpu"), comm=Crowd())


@pytest.mark.parametrize("n", [0, 1, 99, 100, 101, 360, 1000])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_parts_cover_every_position_once_in_whole_blocks(n, size):
    parts = []
    for rank in range(size):
        comm = Communicator()
        comm.rank, comm.size = rank, size
        parts.append(comm.shard(n, 100))
    assert [position for part in parts for position in part] == list(range(n))
    assert all(part.start % 100 == 0 or not part for part in parts)
