"""Members of a zip archive, read into memory with bounds on everything that the archive may claim."""

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

from harness.data.errors import DataError, reading
from harness.data.originals.tars import check_name

MEMBERS = 1_000_000
PIECE = 2**20
MEMBER_LIMIT = 2**26
"""More bytes than any picture or list of labels needs."""


class Zip:
    """An open zip archive whose names, kinds and sizes have been checked as a whole."""

    def __init__(self, archive: ZipFile, where: str, limit: int) -> None:
        self._archive = archive
        self._where = where
        self._members: dict[str, ZipInfo] = {}
        entries = archive.infolist()
        if len(entries) > MEMBERS:
            raise DataError(f"{where} holds more than {MEMBERS:,} members: refused")
        if (declared := sum(entry.file_size for entry in entries)) > limit:
            raise DataError(f"{where} unpacks to {declared:,} bytes: more than the {limit:,} that it may need")
        for entry in entries:
            self._add(entry)

    @property
    def names(self) -> list[str]:
        """The names of all files, in the order of the archive."""
        return list(self._members)

    def named(self, last: str) -> str:
        """Return the only member whose last part is this name, in whatever folder.

        Raises `DataError` when there is none, or more than one.
        """
        matches = [name for name in self._members if name.rpartition("/")[2] == last]
        if len(matches) != 1:
            raise DataError(f"{self._where} holds {len(matches) or 'no'} '{last}': one is needed")
        return matches[0]

    def where(self, name: str) -> str:
        """Return what to call a member in a message."""
        return f"{self._where}: {name}"

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member as a stream that unpacks as it is read.

        Raises `DataError` when there is no such member, or it is damaged.
        """
        if name not in self._members:
            raise DataError(f"{self._where} holds no '{name}'")
        with reading(self.where(name)), self._archive.open(self._members[name]) as stream:
            yield stream

    def read(self, name: str, limit: int = MEMBER_LIMIT) -> bytes:
        """Return the content of a member.

        Raises `DataError` when there is no such member, or it is damaged or larger than `limit`.
        """
        content = io.BytesIO()
        with self.open(name) as stream:
            # A piece at a time: for one large read the unpacked data may exceed the declared size before it is cut.
            while piece := stream.read(PIECE):
                content.write(piece)
                if content.tell() > limit:
                    raise DataError(f"{self.where(name)} unpacks to more than {limit:,} bytes: refused")
        if content.tell() != self._members[name].file_size:
            raise DataError(f"{self.where(name)} is damaged: it is shorter than the archive says")
        return content.getvalue()

    def _add(self, entry: ZipInfo) -> None:
        check_name(entry.filename, self._where)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & 1:
            raise DataError(f"{self._where}: member '{entry.filename}' is no plain file: refused")
        if entry.filename in self._members:
            raise DataError(f"{self._where}: member '{entry.filename}' stands twice in it: refused")
        if not entry.is_dir():
            self._members[entry.filename] = entry


@contextmanager
def open_zip(source: Path | IO[bytes], where: str, limit: int) -> Iterator[Zip]:
    """Open a zip archive, also one inside another; `limit` is what all members may unpack to, in bytes.

    Raises `DataError` when it is damaged, claims too much, or has members that are links or lead out of it.
    """
    with reading(where):
        archive = ZipFile(source)
    with archive:
        yield Zip(archive, where, limit)
