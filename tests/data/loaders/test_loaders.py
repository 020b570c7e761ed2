"""Sample orders and loaders."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled import split_of

from harness.config.dataset import ArrayField, Arrays
from harness.data.catalogue import DIGITS
from harness.data.loaders import ResidentLoader, ShuffledOrder, as_inputs, as_stored, to_signed, to_uint8
from harness.data.loaders.pixels import to_256_levels
from harness.data.loaders.rebatch import BatchAssembler, rebatch
from harness.data.pictures import as_pictures
from harness.errors import SpecError
from harness.randomness import Stream


def test_each_permutation_takes_every_image_at_most_once():
    order = ShuffledOrder(Stream(0), examples=100, batch_size=8)
    for epoch in range(3):
        seen = torch.cat([order.indices(step) for step in range(epoch * 12, epoch * 12 + 12)])
        assert len(seen) == len(seen.unique()) == 96


def test_images_left_out_of_one_permutation_come_in_others():
    order = ShuffledOrder(Stream(0), examples=100, batch_size=8)
    counts = torch.cat([order.indices(step) for step in range(12 * 50)]).bincount(minlength=100)
    assert counts.min() > 40


def test_indices_are_a_function_of_the_step():
    steps = [30, 2, 17, 2, 99]
    once = [ShuffledOrder(Stream(4), 100, 8).indices(step) for step in steps]
    order = ShuffledOrder(Stream(4), 100, 8)
    for step, expected in zip(steps, once, strict=True):
        assert torch.equal(order.indices(step), expected)


def test_permutations_are_fresh():
    order = ShuffledOrder(Stream(0), 96, 96)
    assert not torch.equal(order.indices(0), order.indices(1))


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(SpecError, match="batch_size=9 exceeds the 8"):
        ShuffledOrder(Stream(0), 8, 9)


def test_blocks_show_every_image_once_in_order():
    images = np.arange(7 * 4, dtype=np.uint8).reshape(7, 1, 2, 2)
    loader = ResidentLoader(split_of(images, np.arange(7)), torch.device("cpu"))
    blocks = list(loader.blocks(3))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert torch.cat([block.labels for block in blocks]).tolist() == list(range(7))
    torch.testing.assert_close(torch.cat([block.images for block in blocks]), to_signed(torch.tensor(images)))


def test_pixels_survive_the_way_to_floats_and_back():
    levels = torch.arange(256, dtype=torch.uint8)
    signed = to_signed(levels)
    assert (signed.min(), signed.max()) == (-1, 1)
    assert (to_uint8(signed).int() - levels.int()).abs().max() <= 1
    assert to_uint8(torch.tensor([-3.0, -1.0, 0.999, 1.0, 3.0])).tolist() == [0, 0, 254, 255, 255]


@pytest.mark.parametrize("levels", [2, 17, 100, 255])
def test_images_of_other_levels_survive_exactly(levels):
    data = DIGITS.but(levels=levels)
    stored = torch.arange(levels, dtype=torch.uint8)
    signed = as_inputs(data, stored)
    assert (signed.min(), signed.max(), signed.dtype) == (-1, 1, torch.float32)
    assert torch.equal(as_stored(data, signed), stored)
    nearly = signed + 0.4 * 2 / (levels - 1)
    assert torch.equal(as_stored(data, nearly), stored), "rounded, not truncated"
    assert as_stored(data, torch.tensor([-3.0, 3.0])).tolist() == [0, levels - 1]
    spread = to_256_levels(stored, levels)
    assert (spread[0], spread[-1]) == (0, 255)
    assert torch.equal(torch.from_numpy(as_pictures(stored[:, None, None, None].numpy(), levels)).flatten(), spread)


def test_the_256_levels_of_bytes_are_those_of_the_authors():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(as_inputs(DIGITS, levels), levels.float() / 127.5 - 1)
    assert as_stored(DIGITS, torch.tensor([0.999])).tolist() == [254], "truncated"


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        (ArrayField(dtype="float64"), [0.25, -3.5], [0.25, -3.5]),
        (ArrayField(dtype="int16"), [0.75, -3.25], [1, -3]),
        (ArrayField(dtype="int64", below=5), [-1.0, 3.6, 9.0], [0, 4, 4]),
    ],
)
def test_samples_of_arrays_take_the_form_of_their_field(field, values, expected):
    data = Arrays(name="made", fields={"x": field}, splits={"train": 2})
    stored = as_stored(data, torch.tensor(values))
    assert stored.tolist() == expected
    assert stored.dtype == getattr(torch, field.dtype)
    assert as_inputs(data, stored) is stored


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 40), max_size=20), piece=st.integers(1, 50))
def test_batches_come_out_of_pieces_as_they_went_in(sizes, piece):
    """Each image is its own position, in a buffer that gets overwritten like FFCV's."""
    order = list(torch.arange(sum(sizes)).split(sizes))
    pieces = list(rebatch(order, piece))
    assert [len(one) for one in pieces[:-1]] == [piece] * (len(pieces) - 1)
    buffer = torch.empty(piece, dtype=torch.int64)

    def fetched():
        for positions in pieces:
            buffer[: len(positions)] = torch.from_numpy(positions)
            yield buffer[: len(positions)], buffer[: len(positions)]

    assembler = BatchAssembler(fetched())
    for indices in order:
        images, labels = assembler.fill((torch.empty(len(indices)), torch.empty(len(indices))))
        assert images.tolist() == labels.tolist() == indices.tolist()
