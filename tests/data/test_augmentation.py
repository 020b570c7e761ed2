"""Augmentation on real digits, each operation against a plain per-image account of it."""

import numpy as np
import pytest
import torch

from harness.data.augmentation import augment, crop, erase, flip, mix, wobble
from harness.data.catalogue import DIGITS
from harness.data.loaders import Batch, ResidentLoader
from harness.data.prepared import open_dataset
from harness.randomness import Stream
from harness.spec.errors import HarnessError
from harness.spec.methods import Augmentation

ROWS = torch.arange(400)


@pytest.fixture(scope="module")
def batch(data_root):
    loader = ResidentLoader(*open_dataset(DIGITS, data_root).split("train"), torch.device("cpu"))
    return loader.batch(ROWS)


def test_flip_mirrors_about_half_of_the_images(batch):
    flipped = flip(batch.images, ROWS, Stream(0))
    mirrored = torch.tensor(batch.images.numpy()[..., ::-1].copy())
    same = (flipped - batch.images).flatten(1).abs().sum(1) == 0
    turned = (flipped - mirrored).flatten(1).abs().sum(1) == 0
    assert (same | turned).all()
    assert 150 < turned.sum() < 250


def test_crop_is_a_shift_over_black_with_even_offsets(batch):
    cropped, found = crop(batch.images, ROWS, Stream(0), padding=1), []
    for image, result in zip(batch.images[:, 0].numpy(), cropped[:, 0].numpy(), strict=True):
        padded = np.pad(image, 1, constant_values=-1)
        windows = {(y, x): padded[y : y + 8, x : x + 8] for y in range(3) for x in range(3)}
        matches = [at for at, window in windows.items() if np.array_equal(window, result)]
        assert matches
        found.append(matches[0])
    assert len(set(found)) == 9
    assert np.bincount([y for y, _ in found]).min() > 100


def test_wobble_keeps_the_digit_and_its_range(batch):
    turned = wobble(batch.images, ROWS, Stream(0))
    assert turned.min() >= -1 - 1e-5
    assert turned.max() <= 1 + 1e-5
    difference = (turned - batch.images).flatten(1).abs().mean(1)
    assert (difference > 0).float().mean() > 0.95
    assert difference.max() < 0.35


def test_erase_fills_one_rectangle_of_the_stated_size(batch):
    erased = erase(batch.images, ROWS, Stream(0), probability=0.5)
    changed = (erased != batch.images)[:, 0]
    chosen = (erased == 0.5).flatten(1).any(1)
    assert 150 < chosen.sum() < 250
    for image, mask in zip(erased[chosen][:, 0], changed[chosen], strict=True):
        rows, columns = torch.where(image == 0.5)
        box = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (box == 0.5).all()
        assert 1 <= box.numel() <= 0.6 * 64
        assert mask.sum() <= box.numel()


def test_mix_blends_pairs_and_reports_the_exact_share(batch):
    kinds = set()
    for seed in range(20):
        mixed = mix(batch.images, batch.labels, Stream(seed))
        partner = Stream(seed).at("partner").permutation(len(ROWS))
        assert torch.equal(mixed.partner_labels, batch.labels[partner])
        share, other = mixed.share[0], batch.images[partner]
        blended = share * batch.images + (1 - share) * other
        if torch.allclose(mixed.images, blended, atol=1e-6):
            kinds.add("mixup")
            continue
        kinds.add("cutmix")
        from_partner = (mixed.images != batch.images).any(dim=0)[0]
        rows, columns = torch.where(from_partner)
        box = torch.zeros(8, 8, dtype=torch.bool)
        if len(rows):
            box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
        torch.testing.assert_close(mixed.images, torch.where(box, other, batch.images))
        assert box.float().mean().item() == pytest.approx(1 - share.item(), abs=0.2)
    assert kinds == {"mixup", "cutmix"}


def test_the_share_of_cutmix_is_that_of_the_pixels_that_stayed():
    black, white = -torch.ones(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    images, labels = torch.cat([black, white] * 50), torch.tensor([0, 1] * 50)
    for seed in range(30):
        mixed = mix(images, labels, Stream(seed))
        differs = labels != mixed.partner_labels
        kept = (mixed.images * images > 0).float().flatten(1).mean(1)[differs]
        if set(mixed.images.unique().tolist()) <= {-1.0, 1.0} and len(kept):
            torch.testing.assert_close(kept, mixed.share[differs])


def test_augment_is_a_function_of_the_address(batch):
    config = Augmentation(flip=True, crop_padding=1, policy="digits", erasing=0.25, mix=0.5)
    first, again, other = (augment(batch, config, Stream(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


def test_no_augmentation_is_none(batch):
    plain = augment(batch, Augmentation(), Stream(0))
    assert torch.equal(plain.images, batch.images)
    assert (plain.share == 1).all()


def test_mixing_happens_as_often_as_asked(batch):
    small = Batch(batch.images[:4], batch.labels[:4], batch.indices[:4])
    mixed = sum(bool((augment(small, Augmentation(mix=0.5), Stream(i)).share != 1).any()) for i in range(200))
    assert 70 < mixed < 130


def test_a_policy_without_implementation_is_refused(batch):
    with pytest.raises(HarnessError, match="policy 'cifar10' has no implementation"):
        augment(batch, Augmentation(policy="cifar10"), Stream(0))
