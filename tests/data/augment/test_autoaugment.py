"""Batched AutoAugment: its random draws, and its output against Pillow image by image with the same draws."""

import numpy as np
import pillow_pipeline
import pytest
import torch
from scipy.stats import chi2

from harness.data.augment.autoaugment import KINDS, apply_plan, autoaugment, draw
from harness.data.augment.policies import POLICIES, SIGNED
from harness.data.loaders import to_signed
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read
from harness.errors import HarnessError
from harness.randomness import Stream

MANY = torch.arange(20_000)


def photographs(size, count, grey=False):
    return torch.from_numpy(read(PHOTOGRAPHS, size, 1, {"train": count}, grey=grey)["train"][0])


def steps_of(plan):
    """Return a list of (operation, magnitude) for each image."""
    pairs = zip(plan.kinds.T.tolist(), plan.magnitudes.T.tolist(), strict=True)
    return [[(KINDS[k], m) for k, m in zip(*pair, strict=True) if k < len(KINDS)] for pair in pairs]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("size", "count", "grey"), [(32, 200, False), (96, 30, False), (32, 60, True)])
def test_the_pictures_are_pillows(policy, size, count, grey):
    images, rows = photographs(size, count, grey), torch.arange(count)
    ours = autoaugment(to_signed(images), rows, Stream(3), policy)
    steps = steps_of(draw(rows, Stream(3), policy))
    theirs = np.stack([pillow_pipeline.apply(i, s) for i, s in zip(images.numpy(), steps, strict=True)])
    ours = ((ours + 1) * 127.5).round().numpy()
    difference = np.abs(ours - theirs)
    assert (difference > 0).mean() < 1e-4
    assert len({name for s in steps for name, _ in s}) >= min(7, len({s[0] for p in POLICIES[policy] for s in p}))


@pytest.mark.parametrize("policy", POLICIES)
def test_every_sub_policy_is_drawn_as_often_as_the_others(policy):
    chosen = Stream(0).at("sub-policy").integers(MANY, 25)
    counts = np.bincount(chosen.numpy(), minlength=25)
    statistic = ((counts - len(MANY) / 25) ** 2 / (len(MANY) / 25)).sum()
    assert chi2.sf(statistic, 24) > 0.001
    kinds = draw(MANY, Stream(0), policy).kinds
    for index, sub_policy in enumerate(POLICIES[policy]):
        for step, found in zip(sub_policy, kinds[:, chosen == index], strict=True):
            assert set(found.tolist()) <= {KINDS.index(step.operation), len(KINDS)}


@pytest.mark.parametrize("policy", POLICIES)
def test_steps_are_taken_with_their_probabilities(policy):
    chosen = Stream(1).at("sub-policy").integers(MANY, 25)
    taken = draw(MANY, Stream(1), policy).kinds < len(KINDS)
    statistic, freedom = 0.0, 0
    for index, sub_policy in enumerate(POLICIES[policy]):
        for step, found in zip(sub_policy, taken[:, chosen == index], strict=True):
            p, n = step.probability, found.shape[0]
            if p in (0, 1):
                assert found.to(torch.float32).mean() == p
                continue
            statistic += (found.sum().item() - n * p) ** 2 / (n * p * (1 - p))
            freedom += 1
    assert 0.001 < chi2.sf(statistic, freedom) < 0.999


def test_the_two_steps_are_taken_independently():
    chosen = Stream(2).at("sub-policy").integers(MANY, 25)
    first, second = (draw(MANY, Stream(2), "cifar10").kinds < len(KINDS)).to(torch.float64)
    statistic = 0.0
    for index, (a, b) in enumerate(POLICIES["cifar10"]):
        n, p = (chosen == index).sum().item(), a.probability * b.probability
        if p:
            statistic += ((first * second)[chosen == index].sum().item() - n * p) ** 2 / (n * p * (1 - p))
    assert 0.001 < chi2.sf(statistic, 24) < 0.999


def test_signs_are_even_where_there_are_signs():
    plan = draw(MANY, Stream(4), "cifar10")
    for kind, name in enumerate(KINDS):
        drawn = plan.magnitudes[plan.kinds == kind]
        if name not in SIGNED:
            assert (drawn >= 0).all()
        elif (drawn := drawn[drawn != 0]).numel():
            negative, n = (drawn < 0).sum().item(), drawn.numel()
            assert chi2.sf((negative - n / 2) ** 2 / (n / 4), 1) > 0.0005


@pytest.mark.parametrize("policy", POLICIES)
def test_a_result_does_not_depend_on_the_rest_of_the_batch(policy):
    images, rows = to_signed(photographs(32, 60)), torch.arange(60)
    together = autoaugment(images, rows, Stream(5), policy)
    shuffled = Stream("order").permutation(60)
    assert torch.equal(autoaugment(images[shuffled], shuffled, Stream(5), policy), together[shuffled])
    for i in range(0, 60, 7):
        assert torch.equal(autoaugment(images[i : i + 1], rows[i : i + 1], Stream(5), policy)[0], together[i])


def test_equal_addresses_give_equal_results():
    images, rows = to_signed(photographs(32, 40)), torch.arange(40)
    first, again, other = (autoaugment(images, rows, Stream(seed), "cifar10") for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("policy", POLICIES)
def test_images_keep_to_the_range_and_to_whole_levels(policy):
    images = to_signed(photographs(32, 200))
    result = autoaugment(images, torch.arange(200), Stream(6), policy)
    assert result.min() >= -1
    assert result.max() <= 1
    assert torch.equal(result, to_signed(((result + 1) * 127.5).round().to(torch.uint8)))
    idle = [not steps for steps in steps_of(draw(torch.arange(200), Stream(6), policy))]
    assert sum(idle) > 5
    assert torch.equal(result[torch.tensor(idle)], images[torch.tensor(idle)])


def test_pixels_between_levels_become_the_nearest():
    levels = torch.tensor([0, 1, 127, 254, 255], dtype=torch.uint8).repeat(5, 1)[None, None]
    exact = to_signed(levels).repeat(40, 1, 1, 1)
    off = (exact + 0.4 / 127.5 * torch.tensor([1, -1]).repeat(20)[:, None, None, None]).clamp(-1, 1)
    expected, found = (autoaugment(images, torch.arange(40), Stream(0), "svhn") for images in (exact, off))
    assert torch.equal(found, expected)


def test_images_of_two_channels_are_refused():
    with pytest.raises(HarnessError, match="policy 'svhn' needs images of 1 or 3 channels, not 2"):
        autoaugment(torch.zeros(1, 2, 8, 8), torch.arange(1), Stream(0), "svhn")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("policy", POLICIES)
def test_a_cuda_device_computes_the_same(policy):
    images, rows = photographs(32, 200), torch.arange(200)
    plan = draw(rows, Stream(7), policy)
    expected, there = apply_plan(plan, images), images.cuda()
    apply_plan(plan, there)  # lazy initialisation at first use may synchronise
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = apply_plan(plan, there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert (found.cpu() != expected).to(torch.float32).mean() < 1e-3
