"""All loaders yield the same pixels, labels and order, for any request and after any early exit."""

import subprocess
import sys
import threading
from contextlib import closing
from itertools import count, islice

import numpy as np
import pytest
import torch
from backends import CPU, EVERY, needs_ffcv, opened
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import arrays_of

from harness.config.augmentation import Augmentation
from harness.config.dataset import Images
from harness.data.catalogue import DIGITS, PHOTOS16
from harness.data.errors import DataError
from harness.data.loaders import ShuffledOrder, shard
from harness.data.loaders.open_loader import open_split
from harness.data.prepared.blocks import labelled
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.prepare import DatasetSource, prepare, silent
from harness.randomness import Stream
from harness.training.batches import prefetch

__all__ = ["opened"]

FIVE = Images(name="five", image_size=8, channels=1, num_classes=10, train_examples=0, test_examples=5)


@pytest.fixture(scope="module")
def photos(data_root):
    return open_dataset(PHOTOS16, data_root)


@pytest.fixture(scope="module")
def five(data_root):
    """A split of five digits: fewer than ranks."""
    images, labels = arrays_of(open_dataset(DIGITS, data_root).split("test"))
    prepare(FIVE, data_root, lambda: DatasetSource([labelled(("test",), images[:5], labels[:5])], {}))
    return open_dataset(FIVE, data_root)


def check(batches, order, data, split):
    """Compare batches with the prepared arrays, indexed by numpy in the given order."""
    images, labels = (np.load(data.folder / f"{split}-{kind}.npy") for kind in ("images", "labels"))
    for batch, indices in zip(batches, order, strict=True):
        taken = images[indices.numpy()].astype(np.float32)
        np.testing.assert_array_equal(batch.images.numpy(), taken / np.float32(127.5) - np.float32(1))
        np.testing.assert_array_equal(batch.labels.numpy(), labels[indices.numpy()])
        assert batch.indices.tolist() == indices.tolist()
        assert (batch.images.dtype, batch.labels.dtype, batch.labels.ndim) == (torch.float32, torch.int64, 1)


@pytest.mark.parametrize("backend", EVERY)
@pytest.mark.parametrize("split", ["train", "test"])
def test_blocks_are_the_prepared_arrays(opened, backend, photos, split):
    loader = opened(backend, photos, split)
    assert len(loader) == PHOTOS16.splits[split]
    check(loader.blocks(100), torch.arange(len(loader)).split(100), photos, split)


@pytest.mark.parametrize("backend", EVERY)
def test_several_epochs_of_fresh_permutations_are_served_as_drawn(opened, backend, photos):
    """More steps than fit in one FFCV epoch; each pass yields every image of its set once."""
    loader = opened(backend, photos, "train")
    order = ShuffledOrder(Stream(7), len(loader), 60)
    wanted = [order.indices(step) for step in range(14 * 18)]
    with closing(loader.batches(map(order.indices, count()))) as batches:
        served = list(islice(batches, len(wanted)))
    check(served, wanted, photos, "train")
    for first in range(0, len(served), 14):
        seen = torch.cat([batch.indices for batch in served[first : first + 14]])
        assert len(seen.unique()) == len(seen) == 840


@pytest.mark.parametrize("backend", EVERY)
@pytest.mark.parametrize("sizes", [[1], [3, 500, 1, 128, 127, 129, 2], [1280, 1280], [128] * 101, []])
def test_batches_of_any_sizes_hold_what_was_asked_for(opened, backend, photos, sizes):
    order = [Stream("positions", i).integers(torch.arange(size), 860) for i, size in enumerate(sizes)]
    check(opened(backend, photos, "train").batches(order), order, photos, "train")


@pytest.mark.parametrize("backend", EVERY)
@pytest.mark.parametrize("world_size", range(1, 9))
def test_the_ranks_see_every_evaluation_sample_exactly_once(opened, backend, photos, five, world_size):
    for data in (photos, five):
        loader = opened(backend, data, "test")
        parts = [list(loader.blocks(7, shard(len(loader), rank, world_size))) for rank in range(world_size)]
        blocks = [block for blocks in parts for block in blocks]
        check(blocks, [block.indices for block in blocks], data, "test")
        assert torch.cat([block.indices for block in blocks]).tolist() == list(range(len(loader)))


@settings(deadline=None)
@given(n=st.integers(0, 10_000), world_size=st.integers(1, 600))
def test_parts_cover_exactly_and_evenly(n, world_size):
    parts = [shard(n, rank, world_size) for rank in range(world_size)]
    assert [position for one in parts for position in one] == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("rank", [-1, 4])
def test_a_rank_outside_of_the_world_is_refused(rank):
    with pytest.raises(ValueError, match=f"rank {rank}: allowed are 0 to 3"):
        shard(100, rank, 4)


@pytest.mark.parametrize("backend", EVERY)
@pytest.mark.parametrize("position", [-1, 860])
def test_a_position_outside_of_the_split_is_an_error_not_a_pixel(opened, backend, photos, position):
    with pytest.raises(IndexError):
        list(opened(backend, photos, "train").batches([torch.tensor([0, position])]))


@pytest.mark.parametrize("backend", EVERY)
def test_two_iterations_at_once_do_not_disturb_each_other(opened, backend, photos):
    loader = opened(backend, photos, "train")
    orders = [ShuffledOrder(Stream(name), len(loader), 50) for name in ("a", "b")]
    endless = [loader.batches(map(order.indices, count())) for order in orders]
    with closing(endless[0]), closing(endless[1]):
        for step in range(40):
            for batches, order in zip(endless, orders, strict=True):
                check([next(batches)], [order.indices(step)], photos, "train")


@pytest.mark.parametrize("backend", EVERY)
def test_batches_do_not_change_while_others_are_fetched(opened, backend, photos):
    """FFCV's own batches are views of a ring buffer."""
    kept = list(opened(backend, photos, "train").blocks(128))
    before = [batch.images.clone() for batch in kept]
    list(opened(backend, photos, "train").batches(torch.arange(860).flip(0).split(128)))
    assert all(torch.equal(batch.images, images) for batch, images in zip(kept, before, strict=True))


@pytest.mark.parametrize("backend", EVERY)
def test_training_resumed_in_the_middle_gets_the_same_batches(opened, backend, photos):
    loader, stream = opened(backend, photos, "train"), Stream("training")
    augmentations = {"class": Augmentation(), "noise": Augmentation(flip=True)}
    with (
        closing(prefetch(loader, 32, range(32), augmentations, stream, 0)) as whole,
        closing(prefetch(loader, 32, range(32), augmentations, stream, 37)) as rest,
    ):
        for expected, found in zip(islice(whole, 37, 60), islice(rest, 23), strict=True):
            for name in augmentations:
                assert torch.equal(expected[name].images, found[name].images)
                assert torch.equal(expected[name].labels, found[name].labels)


@pytest.mark.parametrize("backend", EVERY)
def test_leaving_early_leaves_no_thread(backend, photos):
    loader = open_split(backend, photos, "train", CPU, silent)
    threads = set(threading.enumerate())
    for taken in (1, 3, 86):
        with closing(loader.batches(torch.arange(860).split(10))) as batches:
            assert len(list(islice(batches, taken))) == taken
        assert set(threading.enumerate()) == threads
    check(loader.blocks(100), torch.arange(860).split(100), photos, "train")


@pytest.mark.parametrize("backend", EVERY)
def test_no_global_random_number_is_drawn(backend, photos):
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    loader = open_split(backend, photos, "train", CPU, silent)
    list(loader.blocks(100))
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


@needs_ffcv
def test_a_failure_in_the_thread_of_ffcv_is_raised_here(photos, monkeypatch):
    from harness.data.loaders.ffcv_loader import _Epoch

    loader, original = open_split("ffcv", photos, "train", CPU, silent), _Epoch.run_pipeline

    def fail_at_third(self, number, *rest):
        if number == 2:
            raise MemoryError("no room")
        return original(self, number, *rest)

    monkeypatch.setattr(_Epoch, "run_pipeline", fail_at_third)
    threads = threading.active_count()
    batches = loader.batches(torch.arange(860).split(128))
    assert [len(next(batches)) for _ in range(2)] == [128, 128]
    with pytest.raises(DataError, match=r"FFCV failed to read .*train\.beton: MemoryError\('no room'\); or use"):
        next(batches)
    assert threading.active_count() == threads


@needs_ffcv
def test_torch_keeps_its_threads(photos):
    """Runs in a separate process, because importing FFCV changes the number of threads."""
    script = (
        "import sys, torch; from pathlib import Path; torch.set_num_threads(3)\n"
        "from harness.data.catalogue import PHOTOS16; from harness.data.prepared.dataset import open_dataset\n"
        "from harness.data.loaders.open_loader import open_split; from harness.data.prepared.prepare import silent\n"
        "assert 'ffcv' not in sys.modules\n"
        "data, seen = open_dataset(PHOTOS16, Path(sys.argv[1])), []\n"
        "loader = open_split('ffcv', data, 'train', torch.device('cpu'), silent)\n"
        "seen.append(torch.get_num_threads())\n"
        "for _ in loader.blocks(100): seen.append(torch.get_num_threads())\n"
        "print(set(seen), 'ffcv' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(photos.folder.parent)]
    assert subprocess.check_output(command, text=True) == "{3} True\n"
