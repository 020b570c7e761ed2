"""Precision, recall, density and coverage against a naive count and against torch-fidelity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from harness.metrics import prdc as module
from harness.metrics.prdc import Prdc, prdc
from harness.torchvision_shim import make_torchvision_importable


def naive(real, generated, k):
    """All pairs, following the definitions of the two papers."""
    real_radii = [np.sort([np.linalg.norm(x - y) for y in real])[k] for x in real]
    generated_radii = [np.sort([np.linalg.norm(x - y) for y in generated])[k] for x in generated]
    inside = np.array([[np.linalg.norm(x - y) <= r for y in generated] for x, r in zip(real, real_radii)])
    held = np.array([[np.linalg.norm(x - y) <= r for y, r in zip(generated, generated_radii)] for x in real])
    return Prdc(inside.any(0).mean(), held.any(1).mean(), inside.sum() / (k * len(generated)), inside.any(1).mean())


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(6, 25),
    m=st.integers(6, 25),
    k=st.integers(1, 5),
    shift=st.floats(0, 3),
    block=st.integers(1, 60),
)
@settings(max_examples=60, deadline=None)
def test_equals_a_naive_count_whatever_the_blocks(seed, n, m, k, shift, block):
    random = np.random.default_rng(seed)
    real, generated = random.normal(size=(n, 3)), random.normal(size=(m, 3)) * 0.7 + shift
    before = module.BLOCK_ELEMENTS
    module.BLOCK_ELEMENTS = block
    try:
        found = prdc(real, generated, k)
    finally:
        module.BLOCK_ELEMENTS = before
    assert vars(found) == pytest.approx(vars(naive(real, generated, k)))


def test_equals_torch_fidelity_on_2048_features():
    make_torchvision_importable()
    from torch_fidelity.metric_prc import prc_features_to_metric

    random = np.random.default_rng(1)
    mixing = random.normal(size=(12, 2048))
    real = (random.normal(size=(400, 12)) @ mixing).clip(min=0).astype(np.float32)
    generated = (random.normal(size=(300, 12)) * 0.8 @ mixing + 1).clip(min=0).astype(np.float32)
    theirs = prc_features_to_metric(
        torch.from_numpy(generated), torch.from_numpy(real), prc_neighborhood=5, prc_batch_size=128, save_cpu_ram=True,
        verbose=False,
    )  # fmt: skip
    ours = prdc(real, generated, 5)
    assert 0.1 < ours.precision < 1
    assert 0.1 < ours.recall < 1
    assert (ours.precision, ours.recall) == pytest.approx((theirs["precision"], theirs["recall"]), abs=1.5 / 300)


def test_the_extremes():
    points = np.random.default_rng(2).normal(size=(50, 4)).astype(np.float32)
    same = prdc(points, points, 5)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert same.density == pytest.approx((cdist(points, points) <= np.sort(cdist(points, points))[:, [5]]).sum() / 250)
    assert prdc(points, points + 100, 5) == Prdc(0, 0, 0, 0)


def test_identical_images_are_neighbours_without_a_distance():
    assert prdc(np.zeros((10, 3)), np.zeros((8, 3)), 3) == Prdc(1, 1, 10 / 3, 1)


@pytest.mark.parametrize(("n", "m"), [(5, 50), (50, 5)])
def test_too_few_images_are_refused(n, m):
    with pytest.raises(ValueError, match="more than 5 generated images"):
        prdc(np.zeros((n, 2)), np.zeros((m, 2)), 5)
