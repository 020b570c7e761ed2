"""Augmentation of real digits, each operation against a plain per-image implementation."""

import numpy as np
import pytest
import torch
from labelled import batch_of

from harness.config.augmentation import Augmentation, DigitsPolicy
from harness.data.augment.augment import augment, check_applicable, crop, erase, flip, mix, rotate_and_shear, select
from harness.data.augment.autoaugment import autoaugment
from harness.data.batches import Batch
from harness.data.catalogue import DIGITS
from harness.data.loaders import ResidentLoader, shard, to_signed
from harness.data.prepared.dataset import open_dataset
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read
from harness.errors import SpecError
from harness.randomness import Stream, Streams
from harness.training.batches import prefetch

ROWS = torch.arange(400)


def augment_one(batch, config, stream):
    streams = Streams([stream])
    return augment(batch, config, streams, select(config, streams, len(batch), range(len(batch))))


def mix_one(images, labels, stream):
    streams = Streams([stream])
    selection = select(Augmentation(mix=1.0), streams, len(images), range(len(images)))
    return mix(batch_of(images, labels), streams, torch.tensor([True]), selection)


@pytest.fixture(scope="module")
def batch(data_root):
    loader = ResidentLoader(open_dataset(DIGITS, data_root).split("train"), torch.device("cpu"))
    return loader.batch(ROWS)


def test_flip_mirrors_about_half_of_the_images(batch):
    flipped = flip(batch.images, ROWS, Stream(0))
    mirrored = torch.tensor(batch.images.numpy()[..., ::-1].copy())
    same = (flipped - batch.images).flatten(1).abs().sum(1) == 0
    turned = (flipped - mirrored).flatten(1).abs().sum(1) == 0
    assert (same | turned).all()
    assert 150 < turned.sum() < 250


def test_every_other_image_is_flipped_within_three_standard_deviations():
    images = torch.tensor([0.0, 1.0]).expand(10_000, 1, 1, 2)
    turned = flip(images, torch.arange(10_000), Stream(0))[:, 0, 0, 0].sum().item()
    assert turned == pytest.approx(5000, abs=3 * 50)


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


def test_rotation_and_shear_keep_the_digit_and_its_range(batch):
    turned = rotate_and_shear(DigitsPolicy(), batch.images, ROWS, Stream(0))
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


def test_erase_takes_the_first_of_a_hundred_rectangles_that_fits():
    size, rows = 16, torch.arange(300)
    erased = erase(torch.zeros(300, 1, size, size), rows, Stream(5), probability=1.0)
    later = 0
    for row, tries in enumerate(Stream(5).uniform(rows, 100, 4)):
        expected = torch.zeros(size, size)
        for index, (area, aspect, y, x) in enumerate(tries):
            area, aspect = (0.02 + 0.38 * area) * size**2, 0.3 + (1 / 0.3 - 0.3) * aspect
            height, width = (int(side.sqrt().round()) for side in (area * aspect, area / aspect))
            if height < size and width < size:
                top, left = int(y * (size - height + 1)), int(x * (size - width + 1))
                expected[top : top + height, left : left + width] = 0.5
                later += index > 0
                break
        assert torch.equal(erased[row, 0], expected)
    assert later > 5


def test_erasing_and_mixing_draw_what_they_always_drew():
    """Changing these values invalidates stored results: increment SEMANTICS in harness/config/run.py too."""
    rows = torch.arange(3)
    erased = erase(torch.zeros(3, 1, 8, 8), rows, Stream(0, "erasing"), probability=1.0)[:, 0]
    corners = [torch.nonzero(image)[[0, -1]].flatten().tolist() for image in erased]
    assert corners == [[4, 5, 7, 7], [0, 1, 1, 3], [0, 1, 4, 5]]
    images, labels = torch.zeros(4, 1, 8, 8), torch.arange(4)
    shares = [mix_one(images, labels, Stream(seed)).lam[0].item() for seed in (0, 1, 3, 5)]
    assert shares == pytest.approx([0.8950470685958862, 0.11648553609848022, 1.0, 0.625])


def test_the_box_of_cutmix_has_the_stated_sides():
    images, labels, boxes = torch.rand(2, 1, 32, 32), torch.arange(2), 0
    for seed in range(20):
        coin, lam, y, x = Stream(seed, "mixing").uniform(torch.zeros(1), 4)[0]
        if coin < 0.5:
            continue
        reach, y, x = int(32 * (1 - lam).sqrt()) // 2, int(32 * y), int(32 * x)
        top, left = (max(centre - reach, 0) for centre in (y, x))
        bottom, right = (min(centre + reach, 32) for centre in (y, x))
        partner = Stream(seed, "mixing").at("partner").permutation(2)
        expected = images.clone()
        expected[..., top:bottom, left:right] = images[partner][..., top:bottom, left:right]
        mixed = mix_one(images, labels, Stream(seed))
        assert torch.equal(mixed.images, expected)
        torch.testing.assert_close(mixed.lam, torch.full((2,), 1 - (bottom - top) * (right - left) / 32**2))
        boxes += 1
    assert boxes > 5


def test_mix_blends_pairs_and_reports_the_exact_share(batch):
    kinds = set()
    for seed in range(20):
        mixed = mix_one(batch.images, batch.labels, Stream(seed))
        partner = Stream(seed, "mixing").at("partner").permutation(len(ROWS))
        assert torch.equal(mixed.labels_b, batch.labels[partner])
        lam, other = mixed.lam[0], batch.images[partner]
        blended = lam * batch.images + (1 - lam) * other
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
        assert box.float().mean().item() == pytest.approx(1 - lam.item(), abs=0.2)
    assert kinds == {"mixup", "cutmix"}


def test_the_share_of_cutmix_is_that_of_the_unchanged_pixels():
    black, white = -torch.ones(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    images, labels = torch.cat([black, white] * 50), torch.tensor([0, 1] * 50)
    for seed in range(30):
        mixed = mix_one(images, labels, Stream(seed))
        differs = labels != mixed.labels_b
        kept = (mixed.images * images > 0).float().flatten(1).mean(1)[differs]
        if set(mixed.images.unique().tolist()) <= {-1.0, 1.0} and len(kept):
            torch.testing.assert_close(kept, mixed.lam[differs])


def test_augment_is_a_function_of_the_address(batch):
    config = Augmentation(flip=True, crop_padding=1, policy="digits", erasing=0.25, mix=0.5)
    first, again, other = (augment_one(batch, config, Stream(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


@pytest.mark.parametrize("policy", ["digits", "cifar10", "imagenet", "svhn"])
def test_several_steps_at_once_are_each_step_by_itself(policy):
    images = to_signed(torch.from_numpy(read(PHOTOGRAPHS, 32, 3, {"train": 96})["train"][0]))
    labels = torch.arange(96) % 10
    config = Augmentation(flip=True, crop_padding=4, policy=policy, erasing=0.25, mix=0.5)
    streams = [Stream(3, "step", step) for step in range(6)]
    selection = select(config, Streams(streams), 16, range(16))
    together = augment(batch_of(images, labels, torch.arange(96)), config, Streams(streams), selection).split(16)
    for step, mixed in enumerate(together):
        shard = slice(16 * step, 16 * step + 16)
        alone = augment_one(batch_of(images[shard], labels[shard], torch.arange(96)[shard]), config, streams[step])
        assert torch.equal(mixed.images, alone.images)
        assert torch.equal(mixed.lam, alone.lam)
        assert torch.equal(mixed.labels_b, alone.labels_b)


@pytest.mark.parametrize("world_size", [2, 3, 5])
@pytest.mark.parametrize("mix", [0.0, 0.6])
def test_the_parts_of_all_ranks_are_the_rows_of_the_whole(mix, world_size):
    images = to_signed(torch.from_numpy(read(PHOTOGRAPHS, 32, 3, {"train": 96})["train"][0]))
    labels, positions = torch.arange(96) % 10, torch.arange(96).reshape(6, 16)
    config = Augmentation(flip=True, crop_padding=4, policy="cifar10", erasing=0.25, mix=mix)
    streams = Streams([Stream(3, "step", step) for step in range(6)])

    def made(own):
        selection = select(config, streams, 16, own)
        loaded = positions.gather(1, selection.rows).flatten()
        return list(
            augment(batch_of(images[loaded], labels[loaded], loaded), config, streams, selection).split(len(own))
        )

    whole, shares = made(range(16)), [made(shard(16, rank, world_size)) for rank in range(world_size)]
    for step, expected in enumerate(whole):
        for name in ("images", "labels", "labels_b", "lam", "rows"):
            found = torch.cat([getattr(lam[step], name) for lam in shares])
            assert torch.equal(found, getattr(expected, name)), name


def test_no_augmentation_is_none(batch):
    plain = augment_one(batch, Augmentation(), Stream(0))
    assert torch.equal(plain.images, batch.images)
    assert (plain.lam == 1).all()


def test_images_without_classes_are_augmented_like_others_but_not_mixed(batch):
    config = Augmentation(flip=True, crop_padding=1, policy="digits", erasing=0.25)
    alone = Batch(batch.data.but(num_classes=0), {"images": batch.images}, batch.indices)
    made = augment_one(alone, config, Stream(3))
    assert set(made.fields) == {"images"}
    assert torch.equal(made.images, augment_one(batch, config, Stream(3)).images)
    check_applicable(config, alone.data)
    with pytest.raises(SpecError, match=r"^mix=0.5 mixes labels too: dataset 'digits' has no classes$"):
        check_applicable(Augmentation(mix=0.5), alone.data)


def test_a_feed_refuses_what_does_not_fit_its_dataset(batch):
    loader = type("Loader", (), {"data": batch.data.but(num_classes=0), "__len__": lambda self: 400})()
    steps = prefetch(loader, 40, range(40), {"clean": None, "mixed": Augmentation(mix=0.5)}, Stream(0), 0)
    with pytest.raises(SpecError, match="mixes labels too"):
        next(steps)


def test_mixing_happens_as_often_as_asked(batch):
    small = batch_of(batch.images[:4], batch.labels[:4], batch.indices[:4])
    mixed = sum(bool((augment_one(small, Augmentation(mix=0.5), Stream(i)).lam != 1).any()) for i in range(200))
    assert 70 < mixed < 130


def test_the_order_is_flip_crop_policy_erasing_mixing():
    images = to_signed(torch.from_numpy(read(PHOTOGRAPHS, 32, 1, {"train": 50})["train"][0]))
    batch, rows = batch_of(images, torch.arange(50), torch.arange(50)), torch.arange(50)
    config = Augmentation(flip=True, crop_padding=4, policy="cifar10", erasing=0.25, mix=1.0)
    step = flip(images, rows, Stream(0, "flip"))
    step = crop(step, rows, Stream(0, "crop"), 4)
    step = autoaugment(step, rows, Stream(0, "policy"), "cifar10")
    step = erase(step, rows, Stream(0, "erasing"), 0.25)
    expected, found = mix_one(step, batch.labels, Stream(0)), augment_one(batch, config, Stream(0))
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.labels_b, expected.labels_b)


@pytest.mark.parametrize("policy", ["digits", "cifar10", "imagenet", "svhn"])
def test_no_value_is_read_back_from_the_device(policy):
    """The meta device has no values, so reading one or a data-dependent size fails."""
    images, labels = torch.zeros(40, 3, 16, 16, device="meta"), torch.zeros(40, dtype=torch.int64, device="meta")
    config = Augmentation(flip=True, crop_padding=4, policy=policy, erasing=0.25, mix=0.9)
    for seed in range(6):
        mixed = augment_one(batch_of(images, labels, labels), config, Stream(seed))
        assert mixed.images.shape == images.shape
        assert {t.device.type for t in (mixed.images, mixed.labels_b, mixed.lam)} == {"meta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_whole_augmentation_runs_on_a_cuda_device_without_waiting(batch):
    config = Augmentation(flip=True, crop_padding=1, policy="cifar10", erasing=0.25, mix=0.9)
    there = batch_of(batch.images.cuda(), batch.labels.cuda(), batch.indices.cuda())
    augment_one(there, config, Stream(0))  # lazy initialisation at first use may synchronise
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = [augment_one(there, config, Stream(seed)) for seed in range(4)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for seed, mixed in enumerate(found):
        expected = augment_one(batch, config, Stream(seed))
        different = (mixed.images.cpu() - expected.images).abs() > 1e-5
        assert different.to(torch.float32).mean() < 1e-3
        torch.testing.assert_close(mixed.lam.cpu(), expected.lam)
