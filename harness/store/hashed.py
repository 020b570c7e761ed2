"""Files with their SHA-256 beside them, for results that a later step continues from.

`NAME.sha256` is written after `NAME`, in the format of `sha256sum`. A file without a matching hash is recomputed: it is
damaged, from an earlier version, or left by a crash between the two writes.
"""

import hashlib
import logging
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.store.arrays import load_array
from harness.store.files import StoreError, read_bytes, sha256_of, write_atomically, write_bytes

log = logging.getLogger("harness.store")

SUFFIX = ".sha256"


class HashingWriter:
    """A binary file that hashes everything written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        """Write and hash some bytes."""
        self._digest.update(data)
        return self._file.write(data)

    @property
    def sha256(self) -> str:
        """The SHA-256 of all bytes so far, in hexadecimal."""
        return self._digest.hexdigest()


def write_hashed(path: Path, write: Callable[[HashingWriter], object], made_from: str = "") -> None:
    """Create or replace a file, then its hash. `made_from` identifies the inputs of its content, such as weights."""
    hashes = []

    def write_and_hash(file: IO[bytes]) -> None:
        hashing = HashingWriter(file)
        write(hashing)
        hashes.append(hashing.sha256)

    write_atomically(path, write_and_hash)
    write_bytes(hash_path(path), _beside(path, hashes[0], made_from))


def write_hash(path: Path) -> None:
    """Write the hash of a file that was verified in another way."""
    write_bytes(hash_path(path), _beside(path, sha256_of(path), ""))


def save_hashed(path: Path, array: NDArray[Any], made_from: str = "") -> None:
    """Write an array, then its hash."""
    write_hashed(path, lambda file: np.save(file, array, allow_pickle=False), made_from)


def load_hashed(path: Path, made_from: str = "", *, mapped: bool = False) -> NDArray[Any] | None:
    """Read an array, None if there is none, or with a warning if it does not match its hash and inputs."""
    return load_array(path, mapped=mapped) if is_intact(path, made_from) else None


def is_intact(path: Path, made_from: str = "") -> bool:
    """Return whether a file matches the hash beside it and was made from these inputs.

    Warns, naming the file, if it exists and does not.
    """
    if why := complaint_of(path, made_from):
        if path.exists():
            log.warning("%s %s: it is recomputed", path, why)
        return False
    return True


def complaint_of(path: Path, made_from: str = "") -> str:
    """Return why a file cannot be used, or an empty string if it matches the hash beside it and these inputs."""
    try:
        beside, sha256 = read_bytes(hash_path(path)), current_sha256(path)
    except FileNotFoundError:
        return "has no hash beside it" if path.exists() else "is missing"
    except (StoreError, OSError) as error:
        return f"cannot be read ({error})"
    if beside == _beside(path, sha256, made_from):
        return ""
    if beside.startswith(sha256.encode()):
        return "was made from other inputs"
    return "does not match its SHA-256"


def matches_hash(path: Path) -> bool:
    """Return whether a file matches the hash beside it, whatever it was made from."""
    return complaint_of(path) in ("", "was made from other inputs")


def current_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hashed once per process while its size and modification time stay."""
    found = os.stat(path)
    return _hashed(path, found.st_ino, found.st_size, found.st_mtime_ns)


def hash_path(path: Path) -> Path:
    """Return the path of the hash beside a file."""
    return path.with_name(path.name + SUFFIX)


@lru_cache(maxsize=4096)
def _hashed(path: Path, *identity: int) -> str:
    return sha256_of(path)


def _beside(path: Path, sha256: str, made_from: str) -> bytes:
    inputs = f"# made from {made_from}\n" if made_from else ""
    return f"{sha256}  {path.name}\n{inputs}".encode()
