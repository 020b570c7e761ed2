"""Datasets of named arrays: prepared, interrupted, refused, loaded and rehearsed like images."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import points_nn
import pytest
import torch
from backends import CPU
from originals import files_of
from points_paper import FAR, POINTS

from harness.config.dataset import ArrayField, Arrays, Dataset
from harness.data.errors import DataError
from harness.data.loaders import ResidentLoader
from harness.data.loaders.dataloader import TorchLoader
from harness.data.loaders.open_loader import open_split
from harness.data.prepared import partial, source
from harness.data.prepared.blocks import Block
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.manifest import read_manifest
from harness.data.prepared.prepare import DatasetSource, prepare, silent
from harness.data.prepared.source import embedded
from harness.data.registry import REGISTERED, source_of
from harness.errors import SpecError
from harness.worker.rehearsal.excerpts import first_examples, random_values, relabelled

FIELDS = {
    "tokens": ArrayField(shape=(5,), dtype="int16", below=9),
    "mask": ((5,), "bool"),
    "weight": ((), "float64"),
    "code": ArrayField(shape=(2,), dtype="float32", below=4),
    "half": ((3, 2), "float16"),
    "target": ((), "int8"),
}
MIXED = Arrays(name="mixed", fields=FIELDS, splits={"fold_b": 6, "train": 7, "fold_a": 3}, num_classes=4)


def values(count, seed=0):
    random = np.random.default_rng(seed)
    return {
        "tokens": random.integers(0, 9, (count, 5), dtype=np.int16),
        "mask": random.integers(0, 2, (count, 5)) == 1,
        "weight": random.standard_normal(count),
        "code": random.integers(0, 4, (count, 2)).astype(np.float32),
        "half": random.standard_normal((count, 3, 2)).astype(np.float16),
        "target": random.integers(0, 4, count, dtype=np.int8),
    }


def blocks():
    return [Block((split,), values(count, seed)) for seed, (split, count) in enumerate(MIXED.splits.items())]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    root = tmp_path_factory.mktemp("mixed")
    prepare(MIXED, root, lambda: DatasetSource(blocks(), {}))
    return open_dataset(MIXED, root)


def test_every_field_has_a_file_of_its_type_and_shape(mixed):
    for seed, (split, count) in enumerate(MIXED.splits.items()):
        found = mixed.split(split)
        assert len(found) == count == MIXED.examples(split)
        for field, expected in values(count, seed).items():
            on_disk = np.load(mixed.folder / f"{split}-{field}.npy")
            assert on_disk.dtype == expected.dtype == found[field].dtype
            np.testing.assert_array_equal(on_disk, expected)
            np.testing.assert_array_equal(found[field], expected)
    assert np.array_equal(mixed.split("train").inputs, mixed.split("train")["tokens"])
    assert np.array_equal(mixed.split("train").targets, mixed.split("train")["target"])
    assert mixed.split("train").bytes == 7 * MIXED.example_bytes


def test_the_hash_does_not_depend_on_the_order_of_the_names(mixed, tmp_path):
    """A stored configuration sorts its names alphabetically."""
    stored = Dataset.read(dict(sorted(MIXED.model_dump(mode="json").items())))
    turned = stored.but(fields=dict(sorted(stored.fields.items())), splits=dict(sorted(stored.splits.items())))
    prepare(turned, tmp_path, lambda: DatasetSource(reversed(blocks()), {}))
    again = read_manifest(tmp_path / "mixed")
    assert again.sha256 == mixed.manifest.sha256
    assert list(again.files)[:2] == ["train-code.npy", "train-half.npy"]


def test_a_split_that_there_is_not_is_named(mixed):
    with pytest.raises(DataError, match="dataset 'mixed' has no split 'test'"):
        mixed.split("test")
    with pytest.raises(SpecError, match="unknown split of dataset 'mixed' 'fold_c': did you mean 'fold_"):
        MIXED.examples("fold_c")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"target": None}, "split train has no target: its fields are tokens, mask"),
        ({"extra": np.zeros(7)}, "has extra, which is not a field of the dataset"),
        ({"weight": [0.0] * 7}, "has weight as a list, not as an array"),
        ({"weight": np.float64(1)}, "has weight as a float64"),
        ({"weight": np.array(1.0)}, "has weight without an axis of examples"),
        ({"weight": np.zeros(6)}, "has 7 tokens for 6 weight"),
        ({"weight": np.zeros(7, np.float32)}, r"has weight of shape \(\) float32, not \(\) float64"),
        ({"weight": np.zeros(7, ">f8")}, r"has weight of shape \(\) >f8, not \(\) float64"),
        ({"half": np.zeros((7, 2, 3), np.float16)}, r"half of shape \(2, 3\) float16, not \(3, 2\) float16"),
        ({"tokens": np.full((7, 5), 9, np.int16)}, "has the value 9 in tokens: allowed are 0 to 8"),
        ({"tokens": np.full((7, 5), -1, np.int16)}, "has the value -1 in tokens"),
        ({"target": np.full(7, 4, np.int8)}, "has the value 4 in target: allowed are 0 to 3"),
        ({"code": np.full((7, 2), 1.5, np.float32)}, "the value 1.5 in code: allowed are whole numbers from 0 to 3"),
        ({"code": np.full((7, 2), np.nan, np.float32)}, "the value nan in code: allowed are whole numbers"),
    ],
)
def test_arrays_that_are_not_those_of_the_dataset_are_refused_in_one_line(tmp_path, change, match):
    given = {name: array for name, array in {**values(7), **change}.items() if array is not None}
    with pytest.raises(DataError, match=match) as caught:
        prepare(MIXED, tmp_path, lambda: DatasetSource([Block(("train",), given)], {}))
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "mixed").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (
            Block(("test",), values(7)),
            "mixed: its reader yields unknown split 'test': .*allowed: fold_a, fold_b, train",
        ),
        (("train", values(7)), "mixed: its reader yields a tuple, not blocks or chunks"),
        (Block(("train",), values(8)), "split train has more than its 7 examples"),
        (Block(("train",), values(6)), "split train has 6 examples, not 7"),
    ],
)
def test_what_a_reader_gives_must_be_blocks_of_the_splits(tmp_path, given, match):
    with pytest.raises(DataError, match=match):
        prepare(MIXED, tmp_path, lambda: DatasetSource([given], {}))


def test_nothing_is_wrong_with_numbers_that_are_none_in_a_field_of_floats(tmp_path):
    data = MIXED.but(splits={"train": 2})
    arrays = values(2) | {"weight": np.array([np.nan, np.inf])}
    prepare(data, tmp_path, lambda: DatasetSource([Block(("train",), arrays)], {}))
    assert np.isnan(open_dataset(data, tmp_path).split("train")["weight"][0])


@pytest.fixture
def at_once(monkeypatch):
    """Write the journal after each part."""
    monkeypatch.setattr(partial, "SECONDS", 0.0)


def test_an_interrupted_preparation_goes_on_after_the_parts_that_are_done(tmp_path, at_once, monkeypatch):
    prepare(POINTS, tmp_path / "undisturbed", lambda: embedded(POINTS))
    expected = files_of(tmp_path / "undisturbed" / "points")
    for after in range(100):
        root, reports = tmp_path / str(after), iter(range(after))

        def report(what, done, total, reports=reports):
            if next(reports, None) is None:
                raise KeyboardInterrupt

        try:
            prepare(POINTS, root, lambda: embedded(POINTS), report)
        except KeyboardInterrupt:
            seen = []
            assert prepare(
                POINTS, root, lambda: embedded(POINTS), lambda what, done, total, seen=seen: seen.append(done)
            )
            assert len(seen) == 14 - after
        else:
            break
        assert files_of(root / "points") == expected
    assert after == 14, "one part per forty examples"


def test_a_killed_preparation_resumes_to_the_same_bytes(tmp_path, at_once, toy_environment):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from points_paper import POINTS; from harness.data.prepared import partial\n"
        "from harness.data.prepared.source import embedded; from harness.data.prepared.prepare import prepare\n"
        "partial.SECONDS, seen = 0.0, []\n"
        "def report(*given):\n"
        "    seen.append(given)\n"
        "    if len(seen) == 9: os.kill(os.getpid(), signal.SIGKILL)\n"
        "prepare(POINTS, Path(sys.argv[1]), lambda: embedded(POINTS), report)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "killed")], env=toy_environment)
    assert done.returncode == -signal.SIGKILL
    seen = []
    prepare(POINTS, tmp_path / "killed", lambda: embedded(POINTS), lambda what, done, total: seen.append(done))
    assert len(seen) == 14 - 8
    open_dataset(POINTS, tmp_path / "whole")
    assert files_of(tmp_path / "killed" / "points") == files_of(tmp_path / "whole" / "points")


@pytest.mark.parametrize("change", ["revision", "code"])
def test_a_partial_preparation_of_another_reader_is_not_resumed(tmp_path, at_once, monkeypatch, change):
    def interrupt(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(POINTS, tmp_path, lambda: embedded(POINTS), lambda what, done, total: done < 100 or interrupt(0, 0, 0))
    if change == "revision":
        monkeypatch.setitem(REGISTERED, "points", (POINTS, replace(source_of(POINTS), revision=2)))
    else:
        monkeypatch.setattr(source, "_code_of", lambda read: "edited")
    seen = []
    prepare(POINTS, tmp_path, lambda: embedded(POINTS), lambda what, done, total: seen.append(done))
    assert len(seen) == 14


def test_data_of_an_older_revision_of_the_reader_are_said_to_be(tmp_path, monkeypatch):
    open_dataset(POINTS, tmp_path)
    assert "revision" not in (tmp_path / "points" / "manifest.json").read_text(), "as before there were revisions"
    monkeypatch.setitem(REGISTERED, "points", (POINTS, replace(source_of(POINTS), revision=2)))
    with pytest.raises(
        DataError, match=r"prepared by revision 1 of its reader, which has revision 2 now: delete .*points"
    ):
        open_dataset(POINTS, tmp_path)
    for path in (tmp_path / "points").glob("*.*"):
        path.unlink()
    assert open_dataset(POINTS, tmp_path).manifest.revision == 2


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"splits": {"train": 241}}, "without the 241 examples of split train"),
        ({"splits": {"fold": 3}}, "without the 3 examples of split fold"),
        ({"fields": {"x": ((2,), "float32"), "z": ((), "int32")}, "target": "z"}, "without z in split train"),
        ({"fields": {"x": ((3,), "float32"), "y": ((), "int32")}}, r"without x of shape \(3,\)"),
    ],
)
def test_another_dataset_of_the_name_is_not_taken_for_it(tmp_path, changes, match):
    open_dataset(POINTS, tmp_path)
    other = Arrays(**{**POINTS.model_dump(), **changes})
    with pytest.raises(DataError, match=f"{match}: delete .*points and run again"):
        open_dataset(other, tmp_path)


def test_another_type_of_a_field_is_noticed_when_it_is_read(tmp_path):
    open_dataset(POINTS, tmp_path)
    other = POINTS.but(fields={"x": ((2,), "float64"), "y": ((), "int32")})
    with pytest.raises(DataError, match=r"holds x of shape \(2,\) float32, not \(2,\) float64: delete"):
        open_dataset(other, tmp_path).split("train")


def test_a_dataset_that_nobody_reads_is_said_to_be(tmp_path):
    with pytest.raises(DataError, match=r"'mixed' is not prepared under .*: no installed paper offers it"):
        open_dataset(MIXED, tmp_path)


@pytest.mark.parametrize("split", MIXED.splits)
def test_both_loaders_give_the_stored_values_in_the_order_asked_for(mixed, split):
    count = MIXED.splits[split]
    order = [torch.tensor([count - 1, 0]), torch.arange(count), torch.tensor([], dtype=torch.int64)]
    loaders = [open_split(name, mixed, split, CPU, silent) for name in ("resident", "torch")]
    assert [type(loader) for loader in loaders] == [ResidentLoader, TorchLoader]
    stored = mixed.split(split)
    for loader in loaders:
        assert len(loader) == count and loader.data == MIXED
        for batch, indices in zip(loader.batches(order), order, strict=True):
            assert batch.indices.tolist() == indices.tolist() and len(batch) == len(indices)
            assert batch.inputs is batch["tokens"] and batch.targets is batch["target"]
            for field in FIELDS:
                expected = torch.from_numpy(stored[field][indices.numpy()])
                assert batch[field].dtype == expected.dtype
                assert torch.equal(batch[field], expected)
        blocks = list(loader.blocks(2))
        assert torch.equal(torch.cat([block["weight"] for block in blocks]), torch.from_numpy(stored["weight"]))
        with pytest.raises(IndexError):
            list(loader.batches([torch.tensor([count])]))


def test_an_excerpt_holds_the_first_examples_of_every_split(mixed, tmp_path):
    few = first_examples(mixed, MIXED, 4, tmp_path / "few")
    assert few.data.splits == {"fold_b": 4, "train": 4, "fold_a": 3}
    for split in MIXED.splits:
        for field in FIELDS:
            np.testing.assert_array_equal(few.split(split)[field], mixed.split(split)[field][:4])
    relabelled(few, "train", np.array([3, 2, 1, 0]))
    assert few.split("train").targets.tolist() == [3, 2, 1, 0]
    assert few.split("train").targets.dtype == np.int8


def test_random_values_are_such_as_the_dataset_could_have(tmp_path):
    large = MIXED.but(splits={"train": 50_000})
    found = random_values(large, 300, tmp_path / "random").split("train")
    assert len(found) == 50_000
    assert set(np.unique(found["target"][300:])) == {0, 1, 2, 3}, "targets are drawn even if larger fields are zeros"
    assert set(np.unique(found["tokens"][:300])) == set(range(9))
    assert set(np.unique(found["code"][:300])) == {0.0, 1.0, 2.0, 3.0}
    assert set(np.unique(found["mask"][:300])) == {False, True}
    assert abs(found["half"][:300].astype(np.float64).std() - 1) < 0.1
    assert not found["half"][300:].any(), "zeros, which take no disk"
    path = tmp_path / "random" / "train-half.npy"
    assert path.stat().st_size > 50_000 * 12 > 20 * path.stat().st_blocks * 512


def test_a_dataset_may_have_no_target(data_root):
    far = open_dataset(FAR, data_root).split("test")
    assert set(far.arrays) == {"x"}
    assert (far.inputs == 50).all()
    batch = ResidentLoader(far, CPU).batch(torch.arange(3))
    assert len(batch) == 3 and set(batch.fields) == {"x"}


def test_readers_give_what_they_promise():
    """The stand-in for a paper's own reader, which other tests rely on."""
    assert sum(len(block.arrays["x"]) for part in points_nn.read_points(POINTS, {}) for block in part()) == 540
    assert os.path.basename(points_nn.__file__) == "points_nn.py"
