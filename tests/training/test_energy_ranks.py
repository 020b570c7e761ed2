"""Energy-based methods on several ranks: same curves up to rounding, same chains on every rank."""

import numpy as np
import pytest
import ranks
import torch
from energy_runs import ENERGY_RUNS
from safetensors.torch import load_file

from harness.config.training import Average

STEPS = 8
AVERAGES = {"generator": Average(decay=0.5, every=3), "network": Average(decay=0.9)}
RUNS = ENERGY_RUNS | {"vera": ENERGY_RUNS["vera"].but(player_averages=AVERAGES)}
CASES = [("jem", 2), ("jem", 4), ("jem++", 2), ("vera", 2)]
"""Methods and world sizes to compare with one rank: four ranks after two would test nothing specific to a method."""


@pytest.fixture(scope="module")
def trained(data_root, tmp_path_factory):
    """Return the folder with the curves and states of a training on several ranks; each training runs once."""
    root = tmp_path_factory.mktemp("ranks")

    def folder(kind, size):
        path = root / f"{kind}-{size}"
        if not path.exists():
            ranks.run(size, ranks.train, RUNS[kind], data_root, 0, STEPS, path)
        return path

    return folder


@pytest.mark.parametrize(("kind", "size"), CASES)
def test_the_curves_agree_to_rounding(trained, kind, size):
    alone, together = (np.load(trained(kind, n) / "curve-0.npy") for n in (1, size))
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together, alone, rtol=2e-2, atol=2e-3)
    assert np.ptp(alone[:, 0]) > 1e-3


@pytest.mark.parametrize(("kind", "size"), CASES)
def test_all_ranks_hold_the_same_state_and_the_chains_of_one_rank(trained, kind, size):
    alone = load_file(trained(kind, 1) / f"{STEPS}.safetensors")
    first = load_file(trained(kind, size) / f"{STEPS}.safetensors")
    for rank in range(1, size):
        other = load_file(trained(kind, size) / f"rank-{rank}.safetensors")
        assert other.keys() == first.keys()
        assert all(torch.equal(other[name], first[name]) for name in first)
    for name, value in alone.items():
        if name.startswith(("method.", "ema.")):
            torch.testing.assert_close(first[name], value, rtol=1e-2, atol=1e-2, msg=name)
