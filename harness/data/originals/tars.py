"""Members of a gzipped tar archive, read into memory with bounds on everything that the archive may claim.

`tarfile` takes sizes from headers that anybody can write. So it sees the stream through a window that refuses to go
beyond what the dataset can need, be it for contents, for a gap between members, or for an overlong extended header.
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
"""More bytes than any member holds that is read, or any header: one read may ask for this much."""


def read_tar(path: Path, wanted: Collection[str], limit: int) -> dict[str, bytes]:
    """Return the contents of the wanted members by name. Nothing is written to the disk.

    The archive is read to its end, so that its checksum counts. Raises `DataError` when a member is missing, stands
    twice, is no plain file, or has a name that leads out of the archive; or when all of it exceeds `limit` bytes.
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
                    raise DataError(f"{path}: member '{member.name}' is no plain file: refused")
                name = str(PurePosixPath(member.name))
                if name in found:
                    raise DataError(f"{path}: member '{name}' stands twice in it: refused")
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
    """A stream that is read forwards, up to a limit and never too much at once."""

    def __init__(self, stream: gzip.GzipFile, limit: int, path: Path) -> None:
        self._stream = stream
        self._limit = limit
        self._path = path

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes."""
        if size is None or not 0 <= size <= AT_ONCE:
            raise DataError(f"{self._path} claims a member of {size} bytes: refused")
        self._check(self._stream.tell() + size)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place, which unpacks what is before it."""
        assert whence == io.SEEK_SET
        self._check(offset)
        return self._stream.seek(offset)

    def tell(self) -> int:
        """Return the place."""
        return self._stream.tell()

    def drain(self) -> None:
        """Read to the end."""
        while self._stream.read(2**20):
            self._check(self._stream.tell())

    def _check(self, place: int) -> None:
        if place > self._limit:
            raise DataError(f"{self._path} unpacks to more than {self._limit:,} bytes, which the original does not")
