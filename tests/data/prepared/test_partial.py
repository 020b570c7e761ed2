"""Partial preparations: what an interrupted one leaves is reused exactly as far as its journal records it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from originals import ORIGINALS, files_of, jpeg

from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.originals import imagenet32, pictures, tiny_imagenet
from harness.data.originals.archive import unverified
from harness.data.originals.locate import original
from harness.data.prepared import partial, source
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.prepare import prepare, silent
from harness.data.registry import REGISTERED, source_of


class Interrupted:
    """Prepares in this process and raises KeyboardInterrupt after a number of progress reports."""

    def __init__(self, data, originals, root):
        self.data, self.originals, self.root = data, originals, root

    def __call__(self, after, check=unverified):
        reports = iter(range(after))

        def report(what, done, total):
            if what.startswith("preparing") and next(reports, None) is None:
                raise KeyboardInterrupt

        return prepare(self.data, self.root, lambda: original(self.data, self.originals, check, report), report)


@pytest.fixture
def at_once(monkeypatch):
    """Make every part two images, and write the journal after each."""
    monkeypatch.setattr(pictures, "BLOCK", 2)
    monkeypatch.setattr(partial, "SECONDS", 0.0)


@pytest.mark.parametrize("name", ORIGINALS)
def test_every_dataset_may_be_interrupted_after_any_block(tmp_path, at_once, name):
    originals = tmp_path / "originals"
    originals.mkdir()
    data, _ = ORIGINALS[name](originals, np.random.default_rng(0))
    prepare(data, tmp_path / "undisturbed", lambda: original(data, originals, unverified, silent))
    expected = files_of(tmp_path / "undisturbed" / data.name)
    for after in range(100):
        root = tmp_path / f"after-{after}"
        try:
            Interrupted(data, originals, root)(after)
        except KeyboardInterrupt:
            assert (root / data.name / ".preparing").is_dir()
            assert Interrupted(data, originals, root)(10**6)
        else:
            break
        assert files_of(root / data.name) == expected
    assert after > 0


def test_what_is_done_of_imagenet32_is_not_unpacked_again(tmp_path, at_once, monkeypatch):
    data, _ = ORIGINALS["imagenet32"](tmp_path, np.random.default_rng(0))
    unpacked, real = [], imagenet32._batch
    monkeypatch.setattr(imagenet32, "_batch", lambda *given: unpacked.append(given[1]) or real(*given))
    attempt = Interrupted(data, tmp_path, tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        attempt(7)
    assert unpacked == ["train"] * 8
    assert attempt(10**6)
    assert unpacked[8:] == ["train"] * 3 + ["test"], "the interrupted one and the following"


@pytest.fixture
def half(tmp_path, at_once):
    """A preparation of Tiny-ImageNet, interrupted in its training images."""
    originals = tmp_path / "originals"
    originals.mkdir()
    data, expected = ORIGINALS["tiny_imagenet"](originals, np.random.default_rng(0))
    attempt = Interrupted(data, originals, tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        attempt(2)
    return attempt, tmp_path / "data" / data.name / ".preparing", expected


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def rewrite(path, old, new):
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))


def decoding(monkeypatch):
    """Count the images decoded in this process."""
    seen = []
    monkeypatch.setattr(tiny_imagenet, "decode", lambda *given: seen.append(given[1]) or pictures.decode(*given))
    return seen


def is_whole(attempt, expected):
    dataset = open_dataset(attempt.data, attempt.root)
    for split, (images, labels) in expected.items():
        np.testing.assert_array_equal(dataset.split(split)["images"], images)
        np.testing.assert_array_equal(dataset.split(split)["labels"], labels)


def test_what_the_journal_does_not_vouch_for_is_cut_off(half, monkeypatch):
    attempt, folder, expected = half
    assert json.loads((folder / "journal.json").read_text())["images"] == {"train": 4, "test": 0}
    with open(folder / "train-images.npy", "ab") as file:
        file.write(b"written, and not yet vouched for" * 1000)
    with open(folder / "test-labels.npy", "ab") as file:
        file.write(b"begun")
    seen = decoding(monkeypatch)
    assert attempt(10**6)
    assert len(seen) == 2 + 4
    is_whole(attempt, expected)
    assert (folder.parent / "train-images.npy").stat().st_size == 128 + 6 * 3 * 64 * 64


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "journal.json").write_text("torn"),
        lambda folder: (folder / "journal.json").write_text('{"source": "x", "parts": 1}'),
        lambda folder: (folder / "journal.json").unlink(),
        lambda folder: (folder / "train-labels.npy").unlink(),
        lambda folder: os.truncate(folder / "train-images.npy", 128 + 4 * 3 * 64 * 64 - 1),
        lambda folder: (folder / "train-images.npy").write_bytes(b"x" * 200_000),
        lambda folder: flip(folder / "train-labels.npy", 130),
        lambda folder: flip(folder / "train-images.npy", 200),
        lambda folder: rewrite(folder / "journal.json", '"parts": 2', '"parts": 3'),
        lambda folder: rewrite(folder / "journal.json", '"train": 4', '"train": 2'),
    ],
)
def test_a_damaged_partial_preparation_is_not_reused(half, monkeypatch, damage):
    attempt, folder, expected = half
    damage(folder)
    seen = decoding(monkeypatch)
    assert attempt(10**6)
    assert len(seen) == 10
    is_whole(attempt, expected)


@pytest.mark.parametrize("other", ["revision", "pillow"])
def test_another_reader_restarts(half, monkeypatch, other):
    attempt, _, expected = half
    if other == "revision":
        own = source_of(attempt.data)
        monkeypatch.setitem(REGISTERED, "tiny_imagenet", (attempt.data, replace(own, revision=own.revision + 1)))
    else:
        monkeypatch.setattr(source, "version", lambda package: "99")
    seen = decoding(monkeypatch)
    assert attempt(10**6)
    assert len(seen) == 10
    is_whole(attempt, expected)


def test_other_counts_restart(half, monkeypatch):
    attempt, _, _ = half
    attempt.data = attempt.data.but(test_examples=3)
    seen = decoding(monkeypatch)
    with pytest.raises(DataError, match="images of split test: 4 found, 3 expected"):
        attempt(10**6)
    assert len(seen) == 6, "all of the training images"


def test_changed_images_of_a_folder_restart(tmp_path, at_once):
    originals = tmp_path / "originals"
    originals.mkdir()
    data, _ = ORIGINALS["celebahq128"](originals, np.random.default_rng(0))
    attempt = Interrupted(data, originals, tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        attempt(1)
    changed, shown = jpeg(np.random.default_rng(1), (128, 128))
    (originals / "00000.jpg").write_bytes(changed)
    assert attempt(10**6)
    np.testing.assert_array_equal(open_dataset(data, attempt.root).split("train")["images"][0], shown)


def test_a_failure_leaves_nothing_and_a_refusal_keeps_the_parts(half):
    attempt, folder, _ = half

    def refuse(archive, path, report):
        raise DataError("not the archive")

    with pytest.raises(DataError, match="not the archive"):
        attempt(10**6, check=refuse)
    assert folder.is_dir(), "the right archive may still be given"
    attempt.data = attempt.data.but(num_classes=4)
    with pytest.raises(DataError, match="classes in"):
        attempt(10**6)
    assert [path.name for path in folder.parent.iterdir()] == [".lock"]


def test_the_journal_comes_after_what_it_vouches_for(tmp_path, at_once, monkeypatch):
    data, _ = ORIGINALS["tiny_imagenet"](tmp_path, np.random.default_rng(0))
    synced, vouched, fsync, rename = {}, [], os.fsync, os.replace

    def note_fsync(number):
        fsync(number)
        synced[Path(os.readlink(f"/proc/self/fd/{number}"))] = os.fstat(number).st_size

    def note_replace(source, target):
        if Path(target).name == partial.JOURNAL:
            journal = json.loads(Path(source).read_text())
            assert synced[Path(source)] == Path(source).stat().st_size
            for split, images in journal["images"].items():
                assert synced[Path(target).with_name(f"{split}-images.npy")] == 128 + images * 3 * 64 * 64
                assert synced[Path(target).with_name(f"{split}-labels.npy")] == 128 + images * 8
            vouched.append(sum(journal["images"].values()))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    prepare(data, tmp_path / "data", lambda: original(data, tmp_path, unverified, silent))
    assert vouched == [2, 4, 6, 8, 10, 10]


def test_the_journal_waits_for_the_disk_only_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "BLOCK", 1)
    data, _ = ORIGINALS["tiny_imagenet"](tmp_path, np.random.default_rng(0))
    written = []
    monkeypatch.setattr(partial, "write_json", lambda path, value: written.append(value["parts"]))
    prepare(data, tmp_path / "data", lambda: original(data, tmp_path, unverified, silent))
    assert written == [10]


def test_interrupted_stand_ins_restart(tmp_path, monkeypatch):
    """Their blocks have no parts, so an interrupted one is not reused."""
    folder, original = tmp_path / "temple", partial.PartialDataset.append

    def interrupt(self, block):
        original(self, block)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(partial.PartialDataset, "append", interrupt)
        with pytest.raises(KeyboardInterrupt):
            open_dataset(catalogue.TEMPLE, tmp_path)
    written = folder / ".preparing" / "train-images.npy"
    assert np.load(written).any(), "the training images were drawn"
    np.save(written, np.zeros_like(np.load(written)))
    open_dataset(catalogue.TEMPLE, tmp_path / "undisturbed")
    open_dataset(catalogue.TEMPLE, tmp_path)
    assert files_of(folder) == files_of(tmp_path / "undisturbed" / "temple")
    assert not (folder / ".preparing").exists()
