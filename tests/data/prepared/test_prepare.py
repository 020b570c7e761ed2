"""The prepared form: atomic, written once, by one process at a time, in bounded memory."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from labelled import arrays_of
from originals import ORIGINALS, prepared

from harness.config.dataset import Images
from harness.data import catalogue
from harness.data.errors import DataError
from harness.data.prepared.blocks import labelled
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.manifest import DatasetManifest, inspect, read_manifest
from harness.data.prepared.prepare import DatasetSource, prepare
from harness.store.arrays import ArrayWriter, save_array
from harness.store.files import StoreError

REPOSITORY = Path(__file__).parents[3]
DATA = Images(name="made", image_size=8, channels=3, num_classes=5, train_examples=6, test_examples=4)
COMMON = """
    import os, time
    from pathlib import Path
    import numpy as np
    from harness.data.prepared.blocks import labelled
    from harness.data.prepared.prepare import DatasetSource, prepare
    from harness.config.dataset import Images
    DATA = Images(name="made", image_size=8, channels=3, num_classes=5, train_examples=6, test_examples=4)
    def blocks(pause=lambda: None):
        for split, count in DATA.splits.items():
            for n in range(count):
                yield labelled((split,), np.full((1, 3, 8, 8), n, dtype=np.uint8), np.array([n % 5]))
                pause()
"""


def child(root, code):
    program = textwrap.dedent(COMMON) + textwrap.dedent(code)
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, str(root)],
        env=environment,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def blocks(splits=DATA.splits):
    for split, count in splits.items():
        for n in range(count):
            yield labelled((split,), np.full((1, 3, 8, 8), n, dtype=np.uint8), np.array([n % 5]))


def content(*given):
    return lambda: DatasetSource(given or blocks(), {"a.zip": "0" * 64})


def test_blocks_become_the_arrays_of_their_splits(tmp_path):
    seen = []
    assert prepare(DATA, tmp_path, content(), lambda *report: seen.append(report))
    dataset = open_dataset(DATA, tmp_path)
    images, labels = arrays_of(dataset.split("train"))
    assert images[:, 2, 7, 7].tolist() == [0, 1, 2, 3, 4, 5]
    assert labels.tolist() == [0, 1, 2, 3, 4, 0]
    assert dataset.split("test")["images"].shape == (4, 3, 8, 8)
    assert seen == [("preparing made", n, 10) for n in range(1, 11)]
    assert not (dataset.folder / ".preparing").exists()


def test_what_is_prepared_is_not_prepared_again(tmp_path):
    prepare(DATA, tmp_path, content())
    before = (tmp_path / "made" / "manifest.json").read_bytes()
    assert not prepare(DATA, tmp_path, lambda: pytest.fail("asked for the content"))
    assert (tmp_path / "made" / "manifest.json").read_bytes() == before


def test_the_hash_of_the_data_does_not_depend_on_the_archive(tmp_path):
    prepare(DATA, tmp_path / "a", lambda: DatasetSource(blocks(), {}))
    prepare(DATA, tmp_path / "b", lambda: DatasetSource(blocks(), {"x": "y"}))
    first, second = (open_dataset(DATA, tmp_path / name).manifest for name in "ab")
    assert first.sha256 == second.sha256
    assert first != second
    old = DatasetManifest(name="made", files=first.files)
    assert old.sha256 == first.sha256, "unchanged since manifests had no shapes"


def images(*shape, dtype=np.uint8):
    return np.zeros(shape, dtype=dtype)


@pytest.mark.parametrize(
    ("block", "match"),
    [
        (labelled(("train",), images(1, 3, 8, 7), np.array([0])), r"images of shape \(3, 8, 7\) uint8, not"),
        (labelled(("train",), images(1, 3, 8, 8, dtype=np.int64), np.array([0])), "int64, not .* uint8"),
        (labelled(("train",), images(2, 3, 8, 8), np.array([0])), "has 2 images for 1 labels"),
        (
            labelled(("test",), images(1, 3, 8, 8), np.array([5])),
            "test has the value 5 in labels: allowed are 0 to 4",
        ),
        (labelled(("test",), images(1, 3, 8, 8), np.array([-1])), "has the value -1 in labels"),
        (labelled(("test",), images(5, 3, 8, 8), np.zeros(5, dtype=int)), "split test has more than its 4 examples"),
        (labelled(("test",), images(4, 3, 8, 8), np.zeros(4, dtype=int)), "split train has 0 examples, not 6"),
    ],
)
def test_what_does_not_belong_into_a_split_prepares_nothing(tmp_path, block, match):
    with pytest.raises(DataError, match=match):
        prepare(DATA, tmp_path, content(block))
    assert [path.name for path in (tmp_path / "made").iterdir()] == [".lock"]
    assert prepare(DATA, tmp_path, content())


def test_files_of_the_user_are_kept(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "original.tar.gz").write_bytes(b"mine")
    with pytest.raises(DataError):
        prepare(DATA, tmp_path, content(labelled(("train",), images(1, 3, 8, 8), np.array([0]))))
    prepare(DATA, tmp_path, content())
    assert (tmp_path / "made" / "original.tar.gz").read_bytes() == b"mine"
    open_dataset(DATA, tmp_path)


def test_a_killed_preparation_leaves_nothing_that_counts(tmp_path):
    code = """
        import sys
        def die():
            print("begun", flush=True)
            time.sleep(60)
        prepare(DATA, Path(sys.argv[1]), lambda: DatasetSource(blocks(die), {}))
    """
    process = child(tmp_path, code)
    assert process.stdout.readline() == "begun\n", process.stderr.read()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = tmp_path / "made"
    assert (folder / ".preparing" / "train-images.npy").exists()
    assert read_manifest(folder) is None
    with pytest.raises(DataError, match="'made' is not prepared"):
        open_dataset(DATA, tmp_path)
    assert prepare(DATA, tmp_path, content())
    assert not (folder / ".preparing").exists()
    assert [complaint for _, complaint in inspect(folder, read_manifest(folder))] == [""] * 4


def test_two_processes_at_once_prepare_once(tmp_path):
    code = """
        import sys
        root, said = Path(sys.argv[1]), []
        (root / str(os.getpid())).touch()
        while len([*root.glob("[0-9]*")]) < 2:
            time.sleep(0.01)
        slowly = lambda: DatasetSource(blocks(lambda: time.sleep(0.1)), {})
        new = prepare(DATA, root, slowly, lambda what, *_: said.append(what))
        print(new, any("waiting" in what for what in said))
    """
    processes = [child(tmp_path, code) for _ in range(2)]
    answers = [process.communicate(timeout=60) for process in processes]
    assert sorted(out.strip() for out, _ in answers) == ["False True", "True False"], answers
    open_dataset(DATA, tmp_path)


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing(tmp_path):
    code = """
        import resource, sys
        from harness.store.files import StoreError
        resource.setrlimit(resource.RLIMIT_FSIZE, (800, 800))
        try:
            prepare(DATA, Path(sys.argv[1]), lambda: DatasetSource(blocks(), {}))
        except StoreError as error:
            print(error)
    """
    out, err = child(tmp_path, code).communicate(timeout=60)
    assert out.startswith("cannot write "), err
    assert "nothing was lost, run again" in out
    assert [path.name for path in (tmp_path / "made").iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "made").write_text("a file in the way")
    with pytest.raises(StoreError, match=r"cannot write .*made"):
        prepare(DATA, tmp_path, content())


def test_memory_is_bounded_however_large_the_dataset(tmp_path, peak_memory):
    large = DATA.but(image_size=64, train_examples=4_000, test_examples=1)
    block = labelled(("train",), images(50, 3, 64, 64), np.zeros(50, dtype=np.int64))
    one = labelled(("test",), images(1, 3, 64, 64), np.zeros(1, dtype=np.int64))
    with peak_memory() as peak:
        prepare(large, tmp_path, content(*[block] * 80, one))
    assert (tmp_path / "made" / "train-images.npy").stat().st_size > 49_000_000
    assert peak() < 5_000_000


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_written_by_rows_is_the_file_of_the_whole(tmp_path, order):
    array = np.asarray(np.random.default_rng(0).integers(0, 256, (7, 3, 5, 5)), dtype=np.uint8, order=order)
    writer = ArrayWriter(tmp_path / "rows.npy", array.shape, np.uint8)
    writer.append(array[:3])
    writer.append(array[3:])
    writer.close()
    writer.close()
    save_array(tmp_path / "whole.npy", np.ascontiguousarray(array))
    assert (tmp_path / "rows.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_other_counts_than_those_prepared_are_refused(tmp_path):
    prepare(DATA, tmp_path, content())
    with pytest.raises(DataError, match=r"without the 7 examples of split train: delete .*made"):
        open_dataset(DATA.but(train_examples=7), tmp_path)
    tests_only = DATA.but(name="tests", train_examples=0)
    prepare(tests_only, tmp_path, content(*blocks(tests_only.splits)))
    with pytest.raises(DataError, match="without the 6 examples of split train"):
        open_dataset(DATA.but(name="tests"), tmp_path)


def test_a_damaged_manifest_is_named(tmp_path):
    prepare(DATA, tmp_path, content())
    (tmp_path / "made" / "manifest.json").write_text('{"name": "made"}')
    with pytest.raises(StoreError, match=r"corrupted record .*manifest.json: .*delete this file") as caught:
        open_dataset(DATA, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (catalogue.CIFAR10, "data prepare cifar10 --download (docs/data.md"),
        (catalogue.IMAGENET32, "data prepare imagenet32 --from FOLDER (docs/data.md"),
        (catalogue.CELEBAHQ128, "data prepare celebahq128 --from FOLDER --unverified (docs/data.md"),
        (catalogue.IMAGENET128, "'imagenet128_10' is not prepared under"),
    ],
)
def test_the_error_for_an_absent_dataset_names_the_command(tmp_path, data, command):
    root = tmp_path / "my data"
    with pytest.raises(DataError) as caught:
        open_dataset(data, root)
    assert command in str(caught.value)
    if "prepare " in command:
        assert f"python -m harness --data '{root}' data prepare" in str(caught.value)


def test_opening_reads_no_original_again(tmp_path):
    data, expected = ORIGINALS["cifar10"](tmp_path, np.random.default_rng(0))
    prepared(data, tmp_path, tmp_path / "data")
    (tmp_path / "cifar-10-python.tar.gz").unlink()
    begun = time.monotonic()
    np.testing.assert_array_equal(open_dataset(data, tmp_path / "data").split("train")["images"], expected["train"][0])
    assert time.monotonic() - begun < 5
