"""A process that has lost its lease changes no file of the folder, and left-overs of killed writers are removed."""

import multiprocessing
import os
import signal
import time

import pytest

from harness.store import files, temporary
from harness.store.curves import append_point, cut_after
from harness.store.files import make_folder, remove, remove_folder, write_bytes
from harness.store.guard import LostLease, guarded
from harness.store.lease import Lease
from harness.store.temporary import has_temporary, sweep_beside, sweep_folder, temporary_beside


def stolen(lease):
    """Let another worker take the lease over, as if the heartbeat of its owner were two minutes late."""
    number = lease.guard.number
    (lease._path.parent / f"lease.{number}").write_text("null")
    other = Lease.acquire(lease._path.parent)
    assert other.guard.number == number + 1
    return other


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


@pytest.fixture
def lost(tmp_path):
    """A guarded folder whose lease was taken over, with a file and a folder of the new owner."""
    lease = Lease.acquire(tmp_path)
    with guarded(tmp_path, lease.guard):
        write_bytes(tmp_path / "deep/file", b"before")
        stolen(lease)
        (tmp_path / "deep/file").write_text("the new owner's")
        yield tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write_bytes(folder / "deep/file", b"late"),
        lambda folder: write_bytes(folder / "new/file", b"late"),
        lambda folder: append_point(folder / "deep/file", {"step": 1}),
        lambda folder: cut_after(folder / "deep/file", 0),
        lambda folder: remove(folder / "deep/file"),
        lambda folder: remove_folder(folder / "deep"),
        lambda folder: make_folder(folder / "deeper"),
    ],
)
def test_a_process_that_lost_its_lease_changes_nothing(lost, monkeypatch, change):
    monkeypatch.chdir(lost.parent)
    before = names(lost)
    for folder in (lost, lost.relative_to(lost.parent)):
        with pytest.raises(LostLease, match=f"another worker has taken over {lost}: this one stops and writes nothing"):
            change(folder)
    assert names(lost) == before
    assert (lost / "deep/file").read_text() == "the new owner's"
    write_bytes(lost.parent / f"{lost.name}-beside", b"outside")


def test_a_write_between_check_and_rename_has_no_effect_after_a_takeover(tmp_path, monkeypatch):
    """The owner stalls after its last look; the new owner removes the temporary file that it wanted to rename."""
    lease, replace = Lease.acquire(tmp_path), os.replace

    def slow(source, target):
        stolen(lease)
        replace(source, target)

    with guarded(tmp_path, lease.guard):
        write_bytes(tmp_path / "file", b"before")
        monkeypatch.setattr(files.os, "replace", slow)
        with pytest.raises(LostLease):
            write_bytes(tmp_path / "file", b"late")
    assert (tmp_path / "file").read_bytes() == b"before"
    assert not has_temporary(tmp_path)


def test_an_append_between_check_and_write_goes_to_the_replaced_file(tmp_path, monkeypatch):
    lease, check = Lease.acquire(tmp_path), files.check_owner
    curve = tmp_path / "curve"

    def slow(path):
        check(path)
        monkeypatch.setattr(files, "check_owner", check)
        stolen(lease)
        with guarded(tmp_path, Lease.acquire(tmp_path / "elsewhere").guard):
            cut_after(curve, 1)

    append_point(curve, {"step": 1})
    kept = curve.read_text()
    monkeypatch.setattr(files, "check_owner", slow)
    with guarded(tmp_path / "unrelated", lease.guard):
        append_point(curve, {"step": 2})
    assert curve.read_text() == kept


def write_slowly(path, begun):
    def write(file):
        begun.set()
        time.sleep(60)

    files.write_atomically(path, write)


def killed_while_writing(path):
    context = multiprocessing.get_context("fork")
    begun = context.Event()
    process = context.Process(target=write_slowly, args=(path, begun))
    process.start()
    assert begun.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path):
    path, other = tmp_path / ("long" * 50), tmp_path / "other"
    for each in (path, other):
        killed_while_writing(each)
    assert len(names(tmp_path)) == 2
    write_bytes(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert [name.startswith(".other.tmp-") for name in names(tmp_path) if name != path.name] == [True]


def test_the_next_owner_removes_what_all_before_it_left(tmp_path):
    killed_while_writing(tmp_path / "evaluations/a/samples.npy")
    killed_while_writing(tmp_path / "config.json")
    (tmp_path / ".weights.safetensors.4711-0123abcd").write_text("of an earlier version")
    (tmp_path / ".hidden").write_text("of somebody else")
    Lease.acquire(tmp_path)
    assert names(tmp_path) == [".hidden", "a", "evaluations", "lease.1"]


def test_files_of_live_processes_are_kept_unless_their_lease_is_lost(tmp_path):
    path = tmp_path / "file"
    mine = temporary_beside(path)
    mine.touch()
    with guarded(tmp_path, Lease.acquire(tmp_path).guard):
        owned = temporary_beside(path)
        owned.touch()
    sweep_beside(path)
    sweep_folder(tmp_path, 1)
    assert mine.exists() and owned.exists()
    sweep_folder(tmp_path, 2)
    assert mine.exists() and not owned.exists()


@pytest.mark.parametrize(("age", "kept"), [(0, True), (3500, True), (3700, False), (-3700, False)])
def test_a_file_of_an_unknown_process_is_kept_for_an_hour(tmp_path, age, kept):
    path = tmp_path / "file"
    elsewhere = path.with_name(f"{temporary._prefix(path)}0-ffffffff-1-1-01234567")
    elsewhere.touch()
    os.utime(elsewhere, (time.time() - age,) * 2)
    sweep_beside(path)
    assert elsewhere.exists() is kept
