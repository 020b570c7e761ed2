"""Precision, recall, density and coverage against a naive count and against torch-fidelity."""

import numpy as np
import pytest
import torch
from hostile_features import KINDS, last_bits, normal, sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from harness.metrics import distances, radii, threads
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "BLOCK_ELEMENTS", block)
        found = prdc(real, generated, k)
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


def in_float64(real, generated, k, block):
    """Compute all distances in float64, in the blocks that define their last bits."""
    a, b = real.astype(np.float64), generated.astype(np.float64)

    def squared(x, y):
        step = max(1, block // len(y))
        for part in (x[start : start + step] for start in range(0, len(x), step)):
            yield ((part**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * (part @ y.T)).clip(min=0)

    def squared_radii(x):
        between = np.concatenate(list(squared(x, x)))
        np.fill_diagonal(between, -1)
        return np.sort(between, axis=1)[:, k]

    between = np.concatenate(list(squared(a, b)))
    inside, held = between <= squared_radii(a)[:, None], between <= squared_radii(b)
    mean_holding = inside.sum(axis=0).mean()
    return Prdc(inside.any(axis=0).mean(), held.any(axis=1).mean(), mean_holding / k, inside.any(axis=1).mean())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # float64 itself overflows on some kinds
@pytest.mark.parametrize("kind", KINDS)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(7, 120),
    m=st.integers(7, 120),
    d=st.sampled_from([1, 3, 17, 150]),
    k=st.integers(1, 6),
    shared=st.sampled_from(["nothing", "half", "all"]),
    block=st.sampled_from([100, 3000, 2**23]),
    spare=st.integers(0, 9),
    pairs=st.sampled_from([0, 20, 2**16]),
    rows=st.integers(1, 70),
)
@settings(max_examples=12, deadline=None)
def test_equals_float64_to_the_last_bit(kind, seed, n, m, d, k, shared, block, spare, pairs, rows):
    random = np.random.default_rng(seed)
    real, generated = kind(random, n, d), kind(random, m, d)
    if shared == "half":
        generated[: min(n, m) // 2] = real[: min(n, m) // 2]
    elif shared == "all":
        generated = real
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "BLOCK_ELEMENTS", block)
        patch.setattr(radii, "SPARE", spare)
        patch.setattr(radii, "STRIP_ROWS", rows)
        patch.setattr(module, "PAIRS", pairs)
        assert prdc(real, generated, k) == in_float64(real, generated, k, block)


@pytest.mark.parametrize("kind", [normal, sparse])
def test_ordinary_features_need_no_block_in_float64(kind, monkeypatch):
    """Otherwise the metrics would be right and slow."""
    monkeypatch.setattr(module, "float64_block", None)
    monkeypatch.setattr(radii, "float64_block", None)
    random = np.random.default_rng(4)
    assert prdc(kind(random, 700, 2048), kind(random, 600, 2048), 5).density > 0


@pytest.mark.parametrize("others", [1, 3])
def test_no_number_of_threads_changes_a_bit(others, monkeypatch):
    random = np.random.default_rng(5)
    tied = last_bits(random, 300, 300), last_bits(random, 280, 300)
    expected = prdc(*tied, 5)
    monkeypatch.setattr(threads, "THREADS", others)
    with threadpool_limits(others, user_api="blas"):
        assert prdc(*tied, 5) == expected
