"""Reads members of untrusted gzipped tar archives into memory, with bounds on every size that the archive claims.

`tarfile` trusts the sizes in headers. So it reads through a window that refuses to go beyond the dataset's limit,
whether for contents, a gap between members, or an overlong extended header.
"""

import gzip
import io
import tarfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from harness.data.errors import DataError, reading
from harness.store.untrusted import check_name

MEMBERS = 10_000
AT_ONCE = 2**28
"""The maximum bytes of a single read, larger than any wanted member or header."""


def read_tar(path: Path, wanted: Collection[str], limit: int) -> dict[str, bytes]:
    """Return the contents of the wanted members by name. Writes nothing to disk.

    Reads the archive to its end, which verifies its checksum. Raises `DataError` if a member is missing, duplicated,
    not a regular file, or has a path outside of the archive; or if the archive unpacks to more than `limit` bytes.
    """
    found: dict[str, bytes] = {}
    with reading(path), gzip.open(path) as stream:
        window = _Window(stream, limit, path)
        with tarfile.open(fileobj=window, mode="r:") as tar:
            for count, member in enumerate(tar):
                if count == MEMBERS:
                    raise DataError(f"{path} holds more than {MEMBERS:,} members: refused")
                check_name(member.name, path, DataError)
                if not (member.isdir() or member.isreg()) or member.issparse() or member.size < 0:
                    raise DataError(f"{path}: member '{member.name}' is not a regular file: refused")
                name = str(PurePosixPath(member.name))
                if name in found:
                    raise DataError(f"{path}: member '{name}' appears twice: refused")
                if name in wanted and member.isreg():
                    content = tar.extractfile(member)
                    assert content is not None
                    found[name] = content.read()
        window.drain()
    for name in wanted:
        if name not in found:
            raise DataError(f"{path} holds no '{name}'")
    return found


class _Window(io.BufferedIOBase):
    """A forward-only stream with a limit on its total size and on each read."""

    def __init__(self, stream: gzip.GzipFile, limit: int, path: Path) -> None:
        self._stream = stream
        self._limit = limit
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes."""
        if size is None or not 0 <= size <= AT_ONCE:
            raise DataError(f"{self._path} claims a member of {size} bytes: refused")
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Seek to an absolute position, decompressing everything before it."""
        assert whence == io.SEEK_SET
        self._check(offset)
        return self._stream.seek(offset)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()

    def drain(self) -> None:
        """Read to the end."""
        while self._stream.read(2**20):
            self._check(self._stream.tell())

    def _check(self, place: int) -> None:
        if place > self._limit:
            raise DataError(f"{self._path} unpacks to more than {self._limit:,} bytes, which the original does not")
