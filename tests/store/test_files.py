"""Files are written atomically, and damage is reported on one line."""

import os
import threading

import pytest

from harness.store import files
from harness.store.curves import append_point, cut_after, read_curve
from harness.store.files import StoreError, append, read_json, write_atomically, write_bytes, write_json
from harness.store.records import Measurement, Outcome


def test_a_reader_never_sees_a_half_written_file(tmp_path):
    path, seen = tmp_path / "value.json", set()
    write_json(path, {"n": 0, "padding": "x" * 100_000})
    stop = threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            n += 1
            write_json(path, {"n": n, "padding": "x" * 100_000})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        reads = 0
        while reads < 200 or len(seen) < 5:  # a busy machine may let the writer wait
            document = read_json(path)
            assert len(document["padding"]) == 100_000
            seen.add(document["n"])
            reads += 1
    finally:
        stop.set()
        writer.join()
    assert os.listdir(tmp_path) == ["value.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "value"
    write_atomically(path, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"new")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"cannot write .*value: No space left on device; nothing was lost"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["value"]


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    """Otherwise a machine that loses power may keep the new name of an empty file."""
    calls = []

    class Watched:
        def __getattr__(self, name):
            return getattr(os, name)

        def fsync(self, descriptor):
            calls.append(("fsync", os.fstat(descriptor).st_size))
            os.fsync(descriptor)

        def replace(self, source, target):
            calls.append(("replace", os.stat(source).st_size))
            os.replace(source, target)

    monkeypatch.setattr(files, "os", Watched())
    write_atomically(tmp_path / "value", lambda file: file.write(b"whole"))
    assert calls == [("fsync", 5), ("replace", 5)]


@pytest.mark.parametrize("content", ["{", "", "[1, 2", "\x00", '{"state": "odd"}', "[]", '{"state": "done"}'])
def test_a_corrupted_record_is_one_line_that_names_the_file(tmp_path, content):
    path = tmp_path / "outcome.json"
    path.write_text(content)
    with pytest.raises(
        StoreError, match=r"corrupted record .*outcome.json: .*; delete this file and run again"
    ) as caught:
        Outcome.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), 1e300])
def test_every_float_survives_a_record(tmp_path, value):
    path = tmp_path / "m.json"
    Measurement(value=value, n=3).save(path)
    loaded = Measurement.load(path).value
    assert loaded == value or (loaded != loaded and value != value)
    assert "NaN," not in path.read_text()


def test_curves_are_cut_back_and_survive_a_torn_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    for step in (10, 20, 30):
        append_point(path, {"step": step, "loss": 1 / step})
    with open(path, "a") as file:
        file.write('{"step": 40, "lo')
    cut_after(path, 20)
    assert list(read_curve(path)) == [{"step": 10, "loss": 0.1}, {"step": 20, "loss": 0.05}]
    cut_after(tmp_path / "absent.jsonl", 5)
    assert list(read_curve(tmp_path / "absent.jsonl")) == []


def test_what_stands_in_the_place_of_a_file_or_folder_is_to_be_moved_away(tmp_path):
    (tmp_path / "folder" / "full").mkdir(parents=True)
    (tmp_path / "file").touch()
    for path in (tmp_path / "folder", tmp_path / "file" / "inside"):
        with pytest.raises(StoreError, match=r"nothing was lost, move away what stands in its place, then run again$"):
            write_bytes(path, b"")
        with pytest.raises(StoreError, match=r"move away what stands in its place"):
            append(path, b"")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match=r"it is not a regular file; nothing was lost, move away what stands in its"):
        append(tmp_path / "pipe", b"")
