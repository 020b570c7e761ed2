"""An interrupted preparation goes on, and ends with the bytes of an undisturbed one."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from originals import ORIGINALS, jpeg, write_zip

from harness.data import catalogue, draft
from harness.data.errors import DataError
from harness.data.originals import pictures
from harness.data.originals.archive import unverified
from harness.data.originals.opening import original
from harness.data.prepared import open_dataset
from harness.data.preparing import prepare, silent

REPOSITORY = Path(__file__).parents[2]
COUNT, PER_PART = 60, 4
PROGRAM = """
    import sys, time
    from harness.cli.main import main
    from harness.data import catalogue, draft
    from harness.data.originals import faces, pictures
    count, per_part, decoded, *arguments = sys.argv[1:]
    catalogue.CELEBAHQ128 = catalogue.CELEBAHQ128.but(train_examples=int(count), test_examples=int(count))
    pictures.BLOCK, draft.SECONDS = int(per_part), 0.0
    def decode(content, where):
        time.sleep(0.03)
        with open(decoded, "ab") as log:
            log.write(b".")
        return pictures.decode(content, where)
    faces.decode = decode
    sys.exit(main(arguments))
"""


def faces(path, seed):
    """Write an archive of faces that no other seed gives."""
    rng = np.random.default_rng(seed)
    return write_zip(path, {f"{n:05d}.jpg": jpeg(rng, (130, 128))[0] for n in range(COUNT)})


def content(folder):
    """Return the files of a prepared dataset by name, as bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def interruptible():
    """Take interrupts as a terminal's command does, also where these tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Command:
    """`data prepare` of the faces in processes of its own, which count the pictures that they decode."""

    def __init__(self, folder):
        self.data = folder / "data"
        self.decoded = folder / "decoded"
        self.decoded.touch()

    def start(self, archive):
        arguments = ["--data", self.data, "data", "prepare", "celebahq128", "--unverified", "--from", archive]
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), COUNT, PER_PART, self.decoded, *arguments]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(list(map(str, command)), env=environment, preexec_fn=interruptible, **pipes)

    def count(self):
        return self.decoded.stat().st_size

    def wait_for(self, more, process):
        wanted = self.count() + more
        while self.count() < wanted and process.poll() is None:
            time.sleep(0.002)

    def finish(self, archive):
        process = self.start(archive)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return content(self.data / "celebahq128")


@pytest.fixture
def command(tmp_path):
    return Command(tmp_path)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return faces(tmp_path_factory.mktemp("faces") / "faces.zip", seed=0)


@pytest.fixture(scope="module")
def undisturbed(archive, tmp_path_factory):
    command = Command(tmp_path_factory.mktemp("undisturbed"))
    files = command.finish(archive)
    assert command.count() == COUNT
    assert set(files) == {"manifest.json", *(f"{s}-{k}.npy" for s in ("train", "test") for k in ("images", "labels"))}
    return files


def test_killed_at_any_moment_it_ends_with_the_same_bytes_and_does_nothing_twice(command, archive, undisturbed):
    moments, kills = random.Random(0), 0
    for _ in range(5):
        process = command.start(archive)
        command.wait_for(moments.randint(1, 14), process)
        time.sleep(moments.random() * 0.02)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        process.communicate()
        assert not (command.data / "celebahq128" / "manifest.json").exists()
    assert kills == 5
    before = command.count()
    assert command.finish(archive) == undisturbed
    assert command.count() - before < COUNT, "something was kept"
    assert command.count() <= COUNT + kills * (PER_PART + 1), "at most the part under way was lost"


def test_an_interrupt_says_that_it_goes_on_and_it_does(command, archive, undisturbed):
    process = command.start(archive)
    command.wait_for(22, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip() == "harness: interrupted; the same command goes on from here"
    assert command.finish(archive) == undisturbed
    assert command.count() <= COUNT + PER_PART + 1


def test_another_archive_in_between_begins_anew(command, archive, undisturbed, tmp_path):
    other = faces(tmp_path / "other.zip", seed=1)
    process = command.start(other)
    command.wait_for(30, process)
    process.kill()
    process.communicate()
    before = command.count()
    assert command.finish(archive) == undisturbed
    assert command.count() - before == COUNT


def test_of_two_at_once_the_second_goes_on_where_the_first_was_killed(command, archive, undisturbed):
    first = command.start(archive)
    command.wait_for(15, first)
    second = command.start(archive)
    time.sleep(0.1)
    first.kill()
    first.communicate()
    _, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert content(command.data / "celebahq128") == undisturbed
    assert command.count() <= COUNT + PER_PART + 1


class Interrupted:
    """Prepares in this process, and is interrupted after a number of reports."""

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
    """Let every part be two pictures, and the journal be written after each."""
    monkeypatch.setattr(pictures, "BLOCK", 2)
    monkeypatch.setattr(draft, "SECONDS", 0.0)


@pytest.mark.parametrize("name", ORIGINALS)
def test_every_dataset_may_be_interrupted_after_any_block(tmp_path, at_once, name):
    originals = tmp_path / "originals"
    originals.mkdir()
    data, _ = ORIGINALS[name](originals, np.random.default_rng(0))
    prepare(data, tmp_path / "undisturbed", lambda: original(data, originals, unverified, silent))
    expected = content(tmp_path / "undisturbed" / data.name)
    for after in range(100):
        root = tmp_path / f"after-{after}"
        try:
            Interrupted(data, originals, root)(after)
        except KeyboardInterrupt:
            assert (root / data.name / ".preparing").is_dir()
            assert Interrupted(data, originals, root)(10**6)
        else:
            break
        assert content(root / data.name) == expected
    assert after > 0


def test_what_is_done_of_imagenet32_is_not_unpacked_again(tmp_path, at_once, monkeypatch):
    from harness.data.originals import imagenet32

    data, _ = ORIGINALS["imagenet32"](tmp_path, np.random.default_rng(0))
    unpacked, real = [], imagenet32._batch
    monkeypatch.setattr(imagenet32, "_batch", lambda *given: unpacked.append(given[1]) or real(*given))
    attempt = Interrupted(data, tmp_path, tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        attempt(7)
    assert unpacked == ["train"] * 8
    assert attempt(10**6)
    assert unpacked[8:] == ["train"] * 3 + ["test"], "the one under way, and those after it"


@pytest.fixture
def half(tmp_path, at_once):
    """A preparation of Tiny-ImageNet that was interrupted in its training images."""
    originals = tmp_path / "originals"
    originals.mkdir()
    data, expected = ORIGINALS["tiny_imagenet"](originals, np.random.default_rng(0))
    attempt = Interrupted(data, originals, tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        attempt(2)
    return attempt, tmp_path / "data" / data.name / ".preparing", expected


def decoding(monkeypatch):
    """Count the pictures that are decoded in this process."""
    from harness.data.originals import tiny_imagenet

    seen = []
    monkeypatch.setattr(tiny_imagenet, "decode", lambda *given: seen.append(given[1]) or pictures.decode(*given))
    return seen


def is_whole(attempt, expected):
    dataset = open_dataset(attempt.data, attempt.root)
    for split, (images, labels) in expected.items():
        np.testing.assert_array_equal(dataset.split(split)[0], images)
        np.testing.assert_array_equal(dataset.split(split)[1], labels)


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
    ],
)
def test_a_damaged_draft_is_not_believed(half, monkeypatch, damage):
    attempt, folder, expected = half
    damage(folder)
    seen = decoding(monkeypatch)
    assert attempt(10**6)
    assert len(seen) == 10
    is_whole(attempt, expected)


@pytest.mark.parametrize("other", ["revision", "pillow", "counts"])
def test_another_reader_begins_anew(half, monkeypatch, other):
    from dataclasses import replace

    from harness.data.originals import opening, sources

    attempt, _, expected = half
    if other == "revision":
        source = sources.SOURCES["tiny_imagenet"]
        monkeypatch.setitem(sources.SOURCES, "tiny_imagenet", replace(source, revision=source.revision + 1))
    elif other == "pillow":
        monkeypatch.setattr(opening, "version", lambda package: "99")
    else:
        attempt.data = attempt.data.but(test_examples=3)
    seen = decoding(monkeypatch)
    if other == "counts":
        with pytest.raises(DataError, match="images of split test: 4 found, 3 expected"):
            attempt(10**6)
        assert len(seen) == 6, "all of the training images"
    else:
        assert attempt(10**6)
        assert len(seen) == 10
        is_whole(attempt, expected)


def test_pictures_of_a_folder_that_have_changed_begin_anew(tmp_path, at_once):
    originals = tmp_path / "originals"
    originals.mkdir()
    data, _ = ORIGINALS["celebahq128"](originals, np.random.default_rng(0))
    attempt = Interrupted(data, originals, tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        attempt(1)
    changed, shown = jpeg(np.random.default_rng(1), (128, 128))
    (originals / "00000.jpg").write_bytes(changed)
    assert attempt(10**6)
    np.testing.assert_array_equal(open_dataset(data, attempt.root).split("train")[0][0], shown)


def test_a_failure_leaves_nothing_and_a_refusal_leaves_the_draft(half):
    attempt, folder, _ = half

    def refuse(archive, path, report):
        raise DataError("not the archive")

    with pytest.raises(DataError, match="not the archive"):
        attempt(10**6, check=refuse)
    assert folder.is_dir(), "the archive of the draft may still come"
    attempt.data = attempt.data.but(num_classes=4)
    with pytest.raises(DataError, match="classes in"):
        attempt(10**6)
    assert [path.name for path in folder.parent.iterdir()] == [".lock"]


def test_the_journal_comes_after_what_it_vouches_for(tmp_path, at_once, monkeypatch):
    data, _ = ORIGINALS["tiny_imagenet"](tmp_path, np.random.default_rng(0))
    synced, vouched, fsync, replace = {}, [], os.fsync, os.replace

    def note_fsync(number):
        fsync(number)
        synced[Path(os.readlink(f"/proc/self/fd/{number}"))] = os.fstat(number).st_size

    def note_replace(source, target):
        if Path(target).name == draft.JOURNAL:
            journal = json.loads(Path(source).read_text())
            assert synced[Path(source)] == Path(source).stat().st_size
            for split, images in journal["images"].items():
                assert synced[Path(target).with_name(f"{split}-images.npy")] == 128 + images * 3 * 64 * 64
                assert synced[Path(target).with_name(f"{split}-labels.npy")] == 128 + images * 8
            vouched.append(sum(journal["images"].values()))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    prepare(data, tmp_path / "data", lambda: original(data, tmp_path, unverified, silent))
    assert vouched == [2, 4, 6, 8, 10, 10]


def test_the_journal_waits_for_the_disk_only_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "BLOCK", 1)
    data, _ = ORIGINALS["tiny_imagenet"](tmp_path, np.random.default_rng(0))
    written = []
    monkeypatch.setattr(draft, "write_json", lambda path, value: written.append(value["parts"]))
    prepare(data, tmp_path / "data", lambda: original(data, tmp_path, unverified, silent))
    assert written == [10]


def test_stand_ins_begin_anew(tmp_path):
    assert open_dataset(catalogue.TEMPLE, tmp_path).split("test")[0].shape == (360, 1, 8, 8)
    assert not (tmp_path / "temple" / ".preparing").exists()
