"""FFCV files: written once, atomically, never stale, by one process at a time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from backends import CPU, needs_ffcv
from labelled import arrays_of

from harness.data.catalogue import DIGITS, PHOTOS16
from harness.data.loaders.beton import beton
from harness.data.loaders.open_loader import open_split
from harness.data.prepared.dataset import open_dataset
from harness.data.prepared.prepare import silent
from harness.store.files import StoreError
from harness.worker.stop import Stopped

pytestmark = needs_ffcv

WRITE = """
import sys, time
from pathlib import Path
from harness.data.catalogue import PHOTOS16
from harness.data.loaders.beton import beton
from harness.data.prepared.dataset import open_dataset

def report(what, done, total):
    print(what, done, flush=True)
    if what.startswith("writing"):
        time.sleep(float(sys.argv[2]))

print(beton(open_dataset(PHOTOS16, Path(sys.argv[1])), "train", report).name, flush=True)
"""


@pytest.fixture
def data(data_root, tmp_path):
    """Prepared photographs in a new folder, without an FFCV file."""
    prepared = open_dataset(PHOTOS16, data_root)
    ignored = shutil.ignore_patterns("*.beton*", ".*")
    shutil.copytree(prepared.folder, tmp_path / PHOTOS16.name, ignore=ignored)
    return open_dataset(PHOTOS16, tmp_path)


def holds_what_was_prepared(data):
    """Compare the whole file, read with FFCV, with the arrays; the folder must hold nothing else."""
    blocks = list(open_split("ffcv", data, "train", CPU, silent).blocks(300))
    images, labels = arrays_of(data.split("train"))
    np.testing.assert_array_equal(
        np.concatenate([block.images.numpy() for block in blocks]), images / np.float32(127.5) - np.float32(1)
    )
    np.testing.assert_array_equal(np.concatenate([block.labels.numpy() for block in blocks]), labels)
    names = {path.name for path in data.folder.iterdir()} - set(data.manifest.files)
    return names - {".train.beton.lock"} == {"manifest.json", "train.beton", "train.beton.json"}


def writer(data, seconds_per_report):
    command = [sys.executable, "-c", WRITE, str(data.folder.parent), str(seconds_per_report)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def test_a_file_is_written_once_and_equal_arrays_give_equal_bytes(data, tmp_path):
    told = []
    path = beton(data, "train", lambda *step: told.append(step))
    assert told == [("writing train.beton", 0, 860), ("writing train.beton", 860, 860)]
    first, content = path.stat(), path.read_bytes()
    (data.folder / ".train.beton.lock").unlink(missing_ok=True)
    assert beton(data, "train", lambda *step: told.append(step)) == path
    assert (path.stat().st_ino, path.stat().st_mtime_ns, len(told)) == (first.st_ino, first.st_mtime_ns, 2)
    assert not (data.folder / ".train.beton.lock").exists(), "reading needs no lock and no writable folder"
    path.unlink()
    assert beton(data, "train", silent).read_bytes() == content
    assert holds_what_was_prepared(data)


def cut(path):
    os.truncate(path, path.stat().st_size - 1000)


def flip(path):
    content = bytearray(path.read_bytes())
    content[3_000_000] ^= 1
    path.write_bytes(content)


def spoil_record(path):
    path.with_name("train.beton.json").write_text("{")


def lose_record(path):
    path.with_name("train.beton.json").unlink()


def take_that_of_other_data(path):
    record = path.with_name("train.beton.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"images": "0" * 64}))


@pytest.mark.parametrize("damage", [cut, flip, spoil_record, lose_record, take_that_of_other_data])
def test_what_does_not_count_is_rewritten(data, damage):
    path = beton(data, "train", silent)
    content = path.read_bytes()
    damage(path)
    told = []
    beton(data, "train", lambda *step: told.append(step))
    assert told, "the file was rewritten"
    assert path.read_bytes() == content
    assert holds_what_was_prepared(data)


def test_other_data_under_the_same_name_gets_a_file_of_its_own(data):
    beton(data, "train", silent)
    images = np.load(data.folder / "train-images.npy")
    np.save(data.folder / "train-images.npy", 255 - images)
    manifest = json.loads((data.folder / "manifest.json").read_text())
    from harness.store.files import sha256_of

    manifest["files"]["train-images.npy"] = sha256_of(data.folder / "train-images.npy")
    (data.folder / "manifest.json").write_text(json.dumps(manifest))
    assert holds_what_was_prepared(open_dataset(PHOTOS16, data.folder.parent))


def test_killed_while_writing_the_file_is_rewritten(data):
    shared = set(Path("/dev/shm").glob("psm_*"))
    process = writer(data, 60)
    assert process.stdout.readline() == "writing train.beton 0\n"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (data.folder / "train.beton").exists()
    assert set(Path("/dev/shm").glob("psm_*")) <= shared
    assert holds_what_was_prepared(data)


def test_a_stop_while_writing_leaves_nothing(data):
    def stop(what, done, total):
        raise Stopped

    with pytest.raises(Stopped):
        beton(data, "train", stop)
    assert not list(data.folder.glob("*beton")) + list(data.folder.glob(".*draft"))


def test_two_processes_at_once_write_one_file(data):
    slow = writer(data, 3)
    assert slow.stdout.readline() == "writing train.beton 0\n"
    begun = time.monotonic()
    told = []
    path = beton(data, "train", lambda *step: told.append(step))
    assert time.monotonic() - begun < 60
    output, _ = slow.communicate(timeout=60)
    assert slow.returncode == 0
    assert output.splitlines()[-1] == path.name
    assert {what for what, _, _ in told} == {"waiting for another process that writes train.beton"}
    assert holds_what_was_prepared(data)


def test_a_full_disk_is_one_line_and_leaves_nothing(data_root, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    # Room for the arrays and half of the file.
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        shutil.copytree(
            open_dataset(DIGITS, data_root).folder, disk / "digits", ignore=shutil.ignore_patterns("*beton*")
        )
        data = open_dataset(DIGITS, disk)
        before = sorted(path.name for path in data.folder.iterdir())
        with pytest.raises(StoreError, match=r"cannot write .*train\.beton: No space left on device; nothing was lost"):
            beton(data, "train", silent)
        after = sorted(path.name for path in data.folder.iterdir() if path.name != ".train.beton.lock")
        assert after == before
        subprocess.run(["mount", "-o", "remount,size=30m", disk], check=True)
        assert beton(data, "train", silent).exists()
    finally:
        subprocess.run(["umount", disk], check=True)
