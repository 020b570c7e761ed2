"""Files with a hash beside them are read only if they match it."""

import subprocess

import numpy as np
import pytest
from damage import ARRAY_DAMAGES

from harness.store.hashed import complaint_of, hash_path, is_intact, load_hashed, save_hashed, write_hashed

ARRAY = np.arange(5000, dtype=np.float32).reshape(50, 100)


@pytest.fixture
def path(tmp_path):
    save_hashed(tmp_path / "a.npy", ARRAY, "weights")
    return tmp_path / "a.npy"


@pytest.mark.parametrize("mapped", [False, True])
def test_an_intact_array_is_read(path, mapped, caplog):
    assert np.array_equal(load_hashed(path, "weights", mapped=mapped), ARRAY)
    assert np.array_equal(np.load(path), ARRAY)
    assert not caplog.text


@pytest.mark.parametrize("damage", ARRAY_DAMAGES)
def test_a_damaged_array_is_not_read_and_named(path, damage, caplog):
    assert load_hashed(path, "weights") is not None
    damage(path)
    assert load_hashed(path, "weights") is None
    assert f"{path} does not match its SHA-256: it is recomputed" in caplog.text


def test_other_inputs_are_refused(path, caplog):
    assert load_hashed(path, "other") is None
    assert load_hashed(path) is None
    assert "was made from other inputs" in caplog.text


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"0" * 64, b"0" * 64 + b"  a.npy\n"])
def test_a_lost_or_damaged_hash_is_refused(path, content, caplog):
    hash_path(path).unlink() if content is None else hash_path(path).write_bytes(content)
    assert load_hashed(path, "weights") is None
    assert str(path) in caplog.text


def test_a_crash_between_the_two_writes_is_detected(path, tmp_path):
    """The array is replaced first, so the old hash stands beside the new array."""
    save_hashed(tmp_path / "b.npy", ARRAY + 1, "weights")
    (tmp_path / "b.npy").replace(path)
    assert complaint_of(path, "weights") == "does not match its SHA-256"


def test_a_missing_file_is_no_warning(tmp_path, caplog):
    assert not is_intact(tmp_path / "a.npy")
    assert not caplog.text


def test_hashes_have_the_format_of_sha256sum(tmp_path):
    write_hashed(tmp_path / "a.json", lambda file: file.write(b"{}"))
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "a.json.sha256"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (checked.returncode, checked.stdout) == (0, "a.json: OK\n")
