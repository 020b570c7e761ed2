"""Archives and arrays that nobody vouches for: every limit at its boundary, and one line for every damage."""

import io
import os
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib

import numpy as np
import pytest

from harness.errors import SpecError
from harness.store import zips
from harness.store.arrays import ArrayWriter, begun_sha256, load_array, save_array
from harness.store.files import (
    DamagedError,
    StoreError,
    corrupted,
    read_bytes,
    read_json,
    sha256_of,
    write_bytes,
    write_json,
    writing,
)
from harness.store.untrusted import check_name, damaged, reading
from harness.store.zips import open_zip


def archive(members, flags=0, attributes=0, claimed=None):
    """Return an archive of pairs of names and contents, of which the first claims another size."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w") as file:
        warnings.simplefilter("ignore")
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    content = bytearray(stream.getvalue())
    entry = content.find(b"PK\x01\x02")
    content[entry + 8] |= flags
    if claimed is not None:
        content[entry + 24 : entry + 28] = claimed.to_bytes(4, "little")
    return io.BytesIO(bytes(content))


TWO = (("a/labels.txt", b"12345"), ("a/", b""), ("b/image.png", b"678"))


def test_members_are_read_by_name():
    with open_zip(archive(TWO), "pack", 8, StoreError) as opened:
        assert opened.names == ["a/labels.txt", "b/image.png"]
        assert (opened.size("a/labels.txt"), opened.size("b/image.png")) == (5, 3)
        assert (opened.named("image.png"), opened.where("x")) == ("b/image.png", "pack: x")
        assert opened.read("a/labels.txt") == opened.read("a/labels.txt", 5) == b"12345"
        with opened.open("b/image.png") as stream:
            assert stream.read() == b"678"
        for ask, says in (
            (lambda: opened.read("a/labels.txt", 4), "pack: a/labels.txt unpacks to more than 4 bytes: refused"),
            (lambda: opened.read("c"), "pack holds no 'c'"),
            (lambda: opened.read("a/"), "pack holds no 'a/'"),
            (lambda: opened.named("c"), "pack holds no 'c': one is needed"),
            (lambda: opened.named("age.png"), "pack holds no 'age.png': one is needed"),
        ):
            with pytest.raises(StoreError) as caught:
                ask()
            assert str(caught.value) == says


def test_a_name_of_two_members_is_ambiguous():
    with (
        open_zip(archive([("a/x", b""), ("b/x", b"")]), "pack", 0, StoreError) as opened,
        pytest.raises(StoreError, match=r"^pack holds 2 'x': one is needed$"),
    ):
        opened.named("x")


def test_large_members_are_read_in_pieces(monkeypatch):
    monkeypatch.setattr(zips, "PIECE", 4)
    with open_zip(archive([("a", b"0123456789")]), "pack", 10, StoreError) as opened:
        assert opened.read("a") == b"0123456789"
        with pytest.raises(StoreError, match="unpacks to more than 9 bytes"):
            opened.read("a", 9)


def test_a_member_that_is_shorter_than_it_says_is_damaged():
    with open_zip(archive([("a", b"0123456789")], claimed=11), "pack", 11, StoreError) as opened:
        assert opened.size("a") == 11
        with pytest.raises(StoreError, match=r"^pack: a is damaged: it is shorter than the archive says$"):
            opened.read("a")


@pytest.mark.parametrize(
    ("members", "settings", "says"),
    [
        (TWO, {}, "pack unpacks to 8 bytes: more than the 7 allowed"),
        ([("a", b"1"), ("a", b"2")], {}, "pack: member 'a' appears twice: refused"),
        ([("a", b"1")], {"attributes": stat.S_IFLNK | 0o777}, "pack: member 'a' is not a regular file: refused"),
        ([("a", b"1")], {"attributes": stat.S_IFIFO | 0o777}, "pack: member 'a' is not a regular file: refused"),
        ([("a", b"1")], {"flags": 1}, "pack: member 'a' is not a regular file: refused"),
        ([("../a", b"1")], {}, "pack: member '../a' leads out of the archive: refused"),
        ([(str(number), b"") for number in range(4)], {}, "pack holds more than 3 members: refused"),
    ],
)
def test_archives_beyond_the_limits_are_refused(monkeypatch, members, settings, says):
    monkeypatch.setattr(zips, "MEMBERS", 3)
    with pytest.raises(StoreError) as caught, open_zip(archive(members, **settings), "pack", 7, StoreError):
        pytest.fail("it was opened")
    assert str(caught.value) == says


@pytest.mark.parametrize("attributes", [0, stat.S_IFREG | 0o644, 0o644])
def test_archives_at_the_limits_are_read(monkeypatch, attributes):
    monkeypatch.setattr(zips, "MEMBERS", 3)
    with open_zip(archive(TWO, attributes=attributes), "pack", 8, StoreError) as opened:
        assert len(opened.names) == 2
    with (
        pytest.raises(StoreError, match=r"^cannot read pack: truncated or damaged \("),
        open_zip(io.BytesIO(b"no archive"), "pack", 8, StoreError),
    ):
        pytest.fail("it was opened")
    assert (zips.MEMBER_LIMIT, zips.PIECE) == (67_108_864, 1_048_576)


@pytest.mark.parametrize("name", ["/a", "\\a", "..", "a/../b", "a\\..\\b", "C:/a", "C:a", "a\0b"])
def test_names_that_lead_out_are_refused(name):
    with pytest.raises(StoreError, match=r"^pack: member .* leads out of the archive: refused$"):
        check_name(name, "pack", StoreError)


@pytest.mark.parametrize("name", ["a", "a/b", "a..b/..c", "a/C:b", "a b", "./a"])
def test_other_names_are_allowed(name):
    check_name(name, "pack", StoreError)


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (OSError(13, "Permission denied"), "cannot read it: Permission denied"),
        (OSError("why"), "cannot read it: why"),
        (EOFError("two\n lines"), "cannot read it: truncated or damaged (two lines)"),
        (EOFError(), "cannot read it: truncated or damaged (EOFError)"),
        (KeyError("a"), "cannot read it: truncated or damaged ('a')"),
        (OverflowError("a"), "cannot read it: truncated or damaged (a)"),
        (MemoryError("a"), "cannot read it: truncated or damaged (a)"),
        (RuntimeError("a"), "cannot read it: truncated or damaged (a)"),
        (struct.error("a"), "cannot read it: truncated or damaged (a)"),
        (zlib.error("a"), "cannot read it: truncated or damaged (a)"),
        (tarfile.ReadError("a"), "cannot read it: truncated or damaged (a)"),
        (zipfile.BadZipFile("a"), "cannot read it: truncated or damaged (a)"),
        (StoreError("as it is"), "as it is"),
    ],
)
def test_what_a_library_cannot_read_is_told_on_one_line(raised, says):
    with pytest.raises(StoreError) as caught, reading("it", StoreError):
        raise raised
    assert str(caught.value) == says
    with pytest.raises(TypeError), reading("it", StoreError):
        raise TypeError("a mistake of the harness")


def test_a_long_reason_is_cut(tmp_path):
    assert (
        len(str(damaged("it", ValueError("x" * 999), SpecError)))
        == len("cannot read it: truncated or damaged ()") + 160
    )
    error = corrupted(tmp_path, "two\n lines" + "x" * 999)
    assert str(error) == f"corrupted record {error.mend}"
    assert error.mend == f"{tmp_path}: two lines{'x' * 111}; delete this file and run again to recompute it"


def test_files_are_told_on_one_line(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "absent")
    with pytest.raises(DamagedError, match=r": Is a directory; delete this file and run again"):
        read_bytes(tmp_path)
    with (
        pytest.raises(StoreError, match=r"^cannot write here: why \(is the disk full\?\); nothing was lost"),
        writing("here"),
    ):
        raise OSError("why")
    write_json(tmp_path / "new/a.json", {"b": 1.5, "a": "ä"})
    assert (tmp_path / "new/a.json").read_text() == '{\n  "b": 1.5,\n  "a": "ä"\n}\n'
    assert read_json(tmp_path / "new/a.json") == {"b": 1.5, "a": "ä"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "new/a.json", float("inf"))
    write_bytes(tmp_path / "b", b"abc")
    assert sha256_of(tmp_path / "b") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


ARRAY = np.arange(24, dtype=np.int16).reshape(4, 3, 2)


def holds(path, shape, dtype, rows):
    return begun_sha256(path, shape, dtype, rows) is not None


def test_arrays_are_written_by_rows_as_they_are_at_once(tmp_path):
    whole, pieces = tmp_path / "whole.npy", tmp_path / "pieces.npy"
    save_array(whole, ARRAY)
    writer = ArrayWriter(pieces, ARRAY.shape, "int16")
    writer.append(ARRAY[:1])
    writer.append(np.asfortranarray(ARRAY[1:3]).astype(np.float64))
    writer.flush()
    assert [holds(pieces, ARRAY.shape, "int16", rows) for rows in (0, 3, 4)] == [True, True, False]
    writer.append(ARRAY[3:])
    writer.close()
    writer.close()
    assert pieces.read_bytes() == whole.read_bytes()
    assert [holds(pieces, ARRAY.shape, "int16", rows) for rows in (3, 4, 5)] == [True, True, False]
    os.truncate(pieces, pieces.stat().st_size - 1)
    assert [holds(pieces, ARRAY.shape, "int16", rows) for rows in (3, 4)] == [True, False]
    assert not holds(pieces, (5, 3, 2), "int16", 1) and not holds(pieces, ARRAY.shape, "uint16", 1)
    assert not holds(tmp_path / "absent", ARRAY.shape, "int16", 0)
    for mapped in (False, True):
        read = load_array(whole, mapped=mapped)
        assert isinstance(read, np.memmap) is mapped and np.array_equal(read, ARRAY)
    with pytest.raises(ValueError, match="allow_pickle"):
        save_array(tmp_path / "o.npy", np.array([{}], dtype=object))
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="contains object, not plain numbers"):
        load_array(tmp_path / "o.npy")


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_an_array_is_continued_after_the_rows_that_are_kept(tmp_path, kept):
    path = tmp_path / "a.npy"
    save_array(path, ARRAY)
    writer = ArrayWriter(path, ARRAY.shape, "int16", kept=kept)
    assert begun_sha256(path, ARRAY.shape, "int16", kept) == writer.sha256
    assert holds(path, ARRAY.shape, "int16", kept) and not holds(path, ARRAY.shape, "int16", kept + 1)
    writer.append(-ARRAY[kept:])
    writer.close()
    assert np.array_equal(load_array(path), np.concatenate([ARRAY[:kept], -ARRAY[kept:]]))
    assert writer.sha256 == sha256_of(path) == begun_sha256(path, ARRAY.shape, "int16", len(ARRAY))


def test_an_array_is_on_the_disk_when_it_is_flushed_or_closed(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    writer = ArrayWriter(tmp_path / "a.npy", (2, 1), "uint8")
    writer.append(np.zeros((1, 1)))
    writer.flush()
    writer.append(np.zeros((1, 1)))
    writer.close()
    assert synced == [129, 130]
