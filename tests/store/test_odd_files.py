"""Odd files are refused at once, on one line, and foreign files are passed over."""

import io
import json
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from harness.array_headers import read_array_header
from harness.regular_files import open_regular, open_unlinked, read_regular
from harness.store.arrays import load_array
from harness.store.documents import MAX_DEPTH, MAX_VALUES, parse_json
from harness.store.files import DamagedError, StoreError, read_bytes, read_json, sha256_of
from harness.store.names import EVALUATION_RECORD, RUN, named, numbered
from harness.store.records import Outcome

FOREIGN = (
    "._{}", ".{}.swp", "{}~", "#{}#", ".#{}", ".nfs000000000000001a", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r",
    ".~lock.{}#", "@eaDir", "__MACOSX", ".Spotlight-V100", "{}.sync-conflict-20250101-120000-ABCDEFG.json",
    "{} (copy)", "Copy of {}", "{}.bak", "²{}",
)  # fmt: skip


@pytest.mark.timeout(10)
def test_anything_but_a_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(tmp_path / "socket"))
    for name, why in (("fifo", "not a regular file"), ("socket", "not a regular file"), ("folder", "Is a directory")):
        path = tmp_path / name
        for read in (open_regular, open_unlinked, read_regular, sha256_of, load_array):
            with pytest.raises(OSError, match=why):
                read(path)
        for read in (read_json, Outcome.load):
            with pytest.raises(StoreError, match=f"{path}: (it is )?{why}"):
                read(path)
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(Path("/dev/zero"))


def test_links_are_followed_unless_they_must_not_be(tmp_path):
    (tmp_path / "file").write_text("content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content"
    with open_unlinked(tmp_path / "file") as file:
        assert file.read() == b"content"
    with pytest.raises(OSError, match="it is a link"):
        open_unlinked(tmp_path / "link")


def test_a_document_has_a_largest_size(tmp_path):
    (tmp_path / "a.json").write_bytes(b'"' + b"x" * 2**22 + b'"')
    with pytest.raises(StoreError, match=r"^corrupted record .*a.json: it has more than 4,194,304 bytes; delete"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
        (b"\xff\xfe{\x00}\x00", "can't decode"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested too deeply"),
        (b"[" + b"1," * MAX_VALUES + b"1]", "holds more than 200,000 values"),
        (b"9" * 5000, "more than 19 digits"),
        (b"-" + b"9" * 20, "more than 19 digits"),
        (b"[1e999]", "too large"),
        (b"[NaN]", "NaN is not a number"),
        (b'{"a": -Infinity}', "-Infinity is not a number"),
        (b'["\\ud800"]', "lone surrogate"),
        (b'{"\\udfff": 1}', "lone surrogate"),
        (b'{"a": 1, "a": 2}', "twice"),
    ],
)
def test_a_document_that_no_program_of_ours_writes_is_refused(tmp_path, content, why):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(StoreError, match=f"corrupted record .*a.json: .*{why}.*delete this file") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


def test_editors_may_add_a_mark_and_other_ends_of_lines():
    document = {"a": [1, -2.5, None, True, "ä\U0001f600"], "b": {"c": 10**17}}
    text = json.dumps(document, indent=2)
    assert parse_json(text.encode()) == document
    assert parse_json(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()) == document
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@pytest.mark.parametrize("change", [lambda whole: whole[:-1], lambda whole: whole + b"0", lambda whole: whole[:100]])
@pytest.mark.parametrize("mapped", [False, True])
def test_an_array_of_another_size_than_it_claims_is_refused(tmp_path, change, mapped):
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    (tmp_path / "a.npy").write_bytes(change((tmp_path / "a.npy").read_bytes()))
    with pytest.raises((ValueError, EOFError)):
        load_array(tmp_path / "a.npy", mapped=mapped)


def test_a_link_to_nothing_is_a_damaged_file_not_an_absent_one(tmp_path):
    (tmp_path / "a.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DamagedError, match=r"a.json: it is a link to a file that does not exist; delete this file"):
        read_bytes(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nowhere")


def test_a_flipped_bit_of_a_header_is_an_error_of_one_kind():
    file = io.BytesIO()
    np.save(file, np.zeros((4, 8, 8), np.float32))
    whole = file.getvalue()[:128]
    refused = 0
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            read_array_header(io.BytesIO(damaged))
        except ValueError:
            refused += 1
    assert 400 < refused < 8 * len(whole)


def test_arrays_of_any_order_and_without_rows_are_read(tmp_path):
    for array in (np.asfortranarray(np.arange(6).reshape(2, 3)), np.zeros((0, 3), np.float32), np.array(4.0)):
        np.save(tmp_path / "a.npy", array)
        for mapped in (False, True):
            assert np.array_equal(load_array(tmp_path / "a.npy", mapped=mapped), array)


def test_foreign_names_are_passed_over(tmp_path):
    for own in ("generation-0123abcd.json", "0123456789ab", "7.json", "lease.12"):
        for foreign in FOREIGN:
            (tmp_path / foreign.format(own)).touch()
        (tmp_path / own).touch()
    assert [path.name for path in named(tmp_path, EVALUATION_RECORD)] == ["generation-0123abcd.json"]
    assert [path.name for path in named(tmp_path, RUN)] == ["0123456789ab"]
    assert numbered(tmp_path, after=".json") == {7: tmp_path / "7.json"}
    assert numbered(tmp_path, before="lease.") == {12: tmp_path / "lease.12"}
    assert named(tmp_path / "absent", RUN) == [] and numbered(tmp_path / "absent") == {}
    with pytest.raises(StoreError, match="Not a directory"):
        named(tmp_path / "7.json", RUN)


def test_numbers_are_in_their_order_and_written_in_one_way(tmp_path):
    for name in ("10.json", "9.json", "09.json", "000000160.json", "1000000000.json", "0.json"):
        (tmp_path / name).touch()
    assert list(numbered(tmp_path, after=".json")) == [0, 9, 10, 1000000000]
    assert list(numbered(tmp_path, after=".json", digits=9)) == [160, 1000000000]
