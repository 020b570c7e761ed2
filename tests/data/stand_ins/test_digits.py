"""The built-in digits, and the prepared form of a dataset."""

import json

import numpy as np
import pytest
from labelled import arrays_of
from sklearn.datasets import load_digits

from harness.data.catalogue import CIFAR10, DIGITS
from harness.data.errors import DataError
from harness.data.prepared.dataset import open_dataset


def test_digits_are_the_real_ones_split_without_overlap(tmp_path):
    prepared = open_dataset(DIGITS, tmp_path)
    train, test = (arrays_of(prepared.split(split)) for split in ("train", "test"))
    assert train[0].shape == (1437, 1, 8, 8)
    assert test[0].shape == (360, 1, 8, 8)
    assert train[0].dtype == np.uint8
    original = load_digits()
    expected = sorted(np.rint(original.images * 255 / 16).astype(np.uint8).reshape(1797, 64).tolist())
    everything = np.concatenate([train[0], test[0]]).reshape(1797, 64)
    assert sorted(everything.tolist()) == expected
    assert np.bincount(test[1]).min() >= 25


def test_preparing_twice_gives_the_same_data(tmp_path):
    first, second = (open_dataset(DIGITS, tmp_path / name).manifest.sha256 for name in "ab")
    assert first == second


def test_a_changed_file_is_noticed(tmp_path):
    folder = open_dataset(DIGITS, tmp_path).folder
    content = bytearray((folder / "train-images.npy").read_bytes())
    content[-1] ^= 1
    (folder / "train-images.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"train-images.npy is not the file that was prepared: delete .*digits"):
        open_dataset(DIGITS, tmp_path)


def test_a_half_prepared_dataset_is_finished(tmp_path):
    folder = open_dataset(DIGITS, tmp_path).folder
    whole = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").unlink()
    (folder / "test-labels.npy").write_bytes(b"torn")
    open_dataset(DIGITS, tmp_path)
    assert json.loads((folder / "manifest.json").read_text()) == whole


def test_a_dataset_without_a_reader_says_so(tmp_path):
    with pytest.raises(DataError, match="'cifar10' is not prepared"):
        open_dataset(CIFAR10, tmp_path)
