"""Each AutoAugment operation against Pillow, on patches of photographs and on constant images."""

import numpy as np
import pillow_pipeline
import pytest
import torch

from harness.data.augment.image_ops import OPERATIONS
from harness.data.augment.policies import MAGNITUDES, SIGNED
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read


def patches(size, channels):
    """Photographs, posterised photographs, and constant images: dark, light, and a quarter of another grey."""
    images, _ = read(PHOTOGRAPHS, size, 1, {"train": 10}, grey=channels == 1)["train"]
    constant = np.stack([np.full_like(images[0], level) for level in (0, 77, 255)])
    corner = np.full_like(images[:1], 200)
    corner[..., : size // 2, : size // 2] = 10
    return np.concatenate([images, images[:4] // 64 * 64, constant, corner])


def magnitudes(operation):
    """Return half of an operation's magnitudes including both ends, with both signs if it has them."""
    found = sorted(set(MAGNITUDES[operation][::2] + MAGNITUDES[operation][-1:]))
    return found + [-magnitude for magnitude in found if operation in SIGNED and magnitude]


def both(operation, images):
    """Return our output and Pillow's for the images at every magnitude, as int arrays."""
    ours, theirs = [], []
    for magnitude in magnitudes(operation):
        strength = torch.full((len(images),), magnitude, dtype=torch.float64)
        result = OPERATIONS[operation](torch.from_numpy(images), strength)
        assert result.dtype == torch.uint8
        ours.append(result.numpy())
        theirs.append(np.stack([pillow_pipeline.apply(image, [(operation, magnitude)]) for image in images]))
    return np.stack(ours).astype(int), np.stack(theirs).astype(int)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 32, 96])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_pillows_to_a_level(operation, size, channels):
    ours, theirs = both(operation, patches(size, channels))
    assert ours.shape == theirs.shape
    difference = np.abs(ours - theirs)
    assert difference.max() <= 1
    # Equal, except where a compiler fused Pillow's multiplications and additions.
    assert (difference > 0).mean() < 1e-4


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_changes_photographs_at_its_highest_magnitude(operation):
    images = torch.from_numpy(patches(32, 3)[:10])
    highest = torch.full((len(images),), MAGNITUDES[operation][9], dtype=torch.float64)
    changed = (OPERATIONS[operation](images, highest) != images).flatten(1).any(1)
    assert changed.float().mean() > 0.8


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_image_has_its_own_magnitude(operation):
    images = torch.from_numpy(patches(32, 3))
    strengths = torch.tensor(magnitudes(operation), dtype=torch.float64).repeat(20)[: len(images)]
    together = OPERATIONS[operation](images, strengths)
    alone = [OPERATIONS[operation](images[i : i + 1], strengths[i : i + 1]) for i in range(len(images))]
    assert torch.equal(together, torch.cat(alone))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_leaves_its_input_alone(operation):
    images = torch.from_numpy(patches(32, 3))
    before = images.clone()
    OPERATIONS[operation](images, torch.full((len(images),), MAGNITUDES[operation][6], dtype=torch.float64))
    assert torch.equal(images, before)


@pytest.mark.parametrize("operation", sorted(SIGNED | {"rotate"}))
def test_magnitude_zero_changes_nothing(operation):
    images = torch.from_numpy(patches(32, 3))
    assert torch.equal(OPERATIONS[operation](images, torch.zeros(len(images), dtype=torch.float64)), images)


def test_what_comes_from_beyond_the_border_is_grey():
    white = torch.full((1, 3, 32, 32), 255, dtype=torch.uint8)
    for operation, magnitude in (("shear_x", 0.3), ("shear_y", -0.3), ("translate_x", 0.4), ("rotate", 30.0)):
        result = OPERATIONS[operation](white, torch.tensor([magnitude], dtype=torch.float64))
        assert set(result.unique().tolist()) == {128, 255}


def test_a_kernel_with_another_slope_would_be_seen():
    """Pillow's cubic kernel has the slope -1; slopes of -1/2 or -3/4 are many levels off."""

    def weight(distance, slope):
        d = abs(distance)
        if d <= 1:
            return (slope + 2) * d**3 - (slope + 3) * d**2 + 1
        return slope * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0

    image = patches(32, 1)[0]
    row, y, magnitude = image[0, 10].astype(float), 10, 0.3 * 5 / 9
    sheared = pillow_pipeline.apply(image, [("shear_x", magnitude)])[0, y]
    worst = {}
    for slope in (-1, -0.75, -0.5):
        errors = []
        for x in range(24):
            at = x + magnitude * (y + 0.5)
            taps = range(int(at) - 1, int(at) + 3)
            value = sum(row[min(max(tap, 0), 31)] * weight(tap - at, slope) for tap in taps)
            errors.append(abs(np.clip(value, 0, 255) - sheared[x]))
        worst[slope] = max(errors)
    assert worst[-1] <= 1 < 2 < worst[-0.75] < worst[-0.5]
