"""An accepted archive is hashed again only after it has changed."""

import hashlib
import os
import time

import pytest

from harness.data.errors import DataError
from harness.data.originals.accepted import remembering
from harness.data.originals.archive import unverified, verified
from harness.data.registry import Archive

CONTENT = bytes(range(256)) * 1000
ARCHIVE = Archive("a.zip", len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.zip").write_bytes(CONTENT)
    return tmp_path / "a.zip"


@pytest.fixture
def accepts(tmp_path):
    """Check a file through the cache; return its hash and whether the file was read."""

    def run(path, archive=ARCHIVE, check=verified):
        read = []
        sha256 = remembering(check, check.__name__, tmp_path / "data" / ".accepted")(
            archive, path, lambda what, *_: read.append(what)
        )
        return sha256, bool(read)

    return run


def test_a_file_is_read_once(accepts, path):
    assert accepts(path) == (ARCHIVE.sha256, True)
    assert accepts(path) == (ARCHIVE.sha256, False)
    link = path.with_name("link.zip")
    link.symlink_to(path)
    assert accepts(link) == (ARCHIVE.sha256, False), "the same file"


def test_a_file_that_has_changed_is_read_again(accepts, path):
    accepts(path)
    changed = CONTENT[:-1] + b"x"
    before = path.stat()
    path.write_bytes(changed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DataError, match="its SHA-256 is"):
        accepts(path)
    path.write_bytes(CONTENT)
    assert accepts(path) == (ARCHIVE.sha256, True)
    path.unlink()
    path.write_bytes(CONTENT)
    assert accepts(path) == (ARCHIVE.sha256, True), "another file in its place"


def test_what_was_refused_is_not_remembered(accepts, path, tmp_path):
    path.write_bytes(CONTENT[:-1] + b"x")
    for _ in range(2):
        with pytest.raises(DataError, match="its SHA-256 is"):
            accepts(path)
    assert not [*tmp_path.glob("data/.accepted/*")]


def test_another_check_and_another_archive_are_asked_for_themselves(accepts, path):
    assert accepts(path, check=unverified) == (ARCHIVE.sha256, True)
    assert accepts(path) == (ARCHIVE.sha256, True)
    other = Archive("a.zip", len(CONTENT), sha256="0" * 64)
    with pytest.raises(DataError, match="the original's is 0000"):
        accepts(path, other)


def test_a_file_that_changes_meanwhile_is_not_remembered(path, tmp_path):
    def while_read(what, done, total):
        os.utime(path, (time.time(), 0))

    folder = tmp_path / "data"
    assert remembering(verified, "verified", folder)(ARCHIVE, path, while_read) == ARCHIVE.sha256
    assert not folder.exists()


@pytest.mark.parametrize("damage", ["torn", "[]", "{}", '{"file": null}'])
def test_a_damaged_note_is_not_believed(accepts, path, tmp_path, damage):
    accepts(path)
    (note,) = tmp_path.glob("data/.accepted/*")
    note.write_text(damage)
    assert accepts(path) == (ARCHIVE.sha256, True)
    assert accepts(path) == (ARCHIVE.sha256, False)
