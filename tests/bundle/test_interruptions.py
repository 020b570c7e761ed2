"""Bundle writers that get killed, run out of disk space, or find something else at the target path."""

import resource
import signal
import subprocess
import sys
import time

import pytest
from bundles import reports_of

from harness.bundle.manifest import BundleError
from harness.bundle.reading import open_bundle
from harness.bundle.writing import write_bundle
from harness.store.files import StoreError


def test_what_stands_there_and_is_no_bundle_is_never_replaced(measured, whole, tmp_path):
    reports = reports_of(measured)
    thesis = tmp_path / "thesis.zip"
    thesis.write_bytes(b"years of work")
    with pytest.raises(BundleError, match="exists and is not a bundle, not replaced"):
        write_bundle(thesis, reports, measured)
    assert thesis.read_bytes() == b"years of work"
    with pytest.raises(BundleError, match="exists and is not a bundle"):
        write_bundle(measured.root, reports, measured)
    folder = tmp_path / "folder"
    write_bundle(folder, reports, measured)
    write_bundle(folder, reports, measured)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"contains more than its bundle.*move notes.txt away"):
        write_bundle(folder, reports, measured)
    assert (folder / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "thesis.zip"]


@pytest.mark.parametrize("name", ["b.zip", "folder"])
def test_a_full_disk_leaves_the_older_bundle(measured, tmp_path, name):
    """A file size limit stands in for a full disk: both fail in the middle of a write."""
    path = tmp_path / name
    reports = reports_of(measured)
    write_bundle(path, reports, measured)
    before = {item: item.read_bytes() for item in [path, *path.rglob("*")] if item.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        with pytest.raises(StoreError, match=r"cannot write .*; nothing was lost, run again"):
            write_bundle(path, reports, measured)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert {item: item.read_bytes() for item in [path, *path.rglob("*")] if item.is_file()} == before
    assert [item.name for item in tmp_path.iterdir()] == [name]


KILLED = """
import sys, time
from pathlib import Path
from harness.bundle import contents, writing
from harness.store.results import Results
from bundles import reports_of
slow = contents.records
def records(*arguments):
    for number, entry in enumerate(slow(*arguments)):
        if number == 20:
            print("half-way", flush=True)
            time.sleep(60)
        yield entry
contents.records = records
results = Results(Path(sys.argv[1]))
writing.write_bundle(Path(sys.argv[2]), reports_of(results), results)
"""


@pytest.mark.parametrize("name", ["b.zip", "folder"])
def test_a_writer_that_is_killed_leaves_nothing_under_the_name(measured, toy_environment, tmp_path, name):
    command = [sys.executable, "-c", KILLED, str(measured.root), str(tmp_path / name)]
    with subprocess.Popen(command, env=toy_environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half-way\n"
        time.sleep(0.1)
        process.kill()
    assert not (tmp_path / name).exists()
    assert list(tmp_path.iterdir()), "it was writing to a temporary file"
    write_bundle(tmp_path / name, reports_of(measured), measured)
    with open_bundle(tmp_path / name):
        pass


def test_an_unpacked_bundle_is_gone_whatever_happens(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def interrupted():
        with open_bundle(whole):
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
