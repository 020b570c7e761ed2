"""Safe reading of untrusted zip archives, with limits on the number, size and type of members."""

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile, ZipInfo

from harness.errors import HarnessError
from harness.store.untrusted import check_name, reading

MEMBERS = 1_000_000
PIECE = 2**20
MEMBER_LIMIT = 2**26
"""Bytes, more than any image or list of labels needs."""


class Zip:
    """An open zip archive with validated member names, types and sizes.

    Any problem with the archive raises `error`.
    """

    def __init__(self, archive: ZipFile, where: str, limit: int, error: type[HarnessError]) -> None:
        self._archive = archive
        self._where = where
        self._error = error
        self._members: dict[str, ZipInfo] = {}
        entries = archive.infolist()
        if len(entries) > MEMBERS:
            raise self._error(f"{where} holds more than {MEMBERS:,} members: refused")
        if (declared := sum(entry.file_size for entry in entries)) > limit:
            raise self._error(f"{where} unpacks to {declared:,} bytes: more than the {limit:,} allowed")
        for entry in entries:
            self._add(entry)

    @property
    def names(self) -> list[str]:
        """The names of all files, in the order of the archive."""
        return list(self._members)

    def named(self, last: str) -> str:
        """Return the only member with this file name, in any folder.

        Raises the archive's error if there is none or more than one.
        """
        matches = [name for name in self._members if name.rpartition("/")[2] == last]
        if len(matches) != 1:
            raise self._error(f"{self._where} holds {len(matches) or 'no'} '{last}': one is needed")
        return matches[0]

    def where(self, name: str) -> str:
        """Return the name of a member for messages."""
        return f"{self._where}: {name}"

    def size(self, name: str) -> int:
        """Return the declared uncompressed size of a member, in bytes."""
        return self._members[name].file_size

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a member as a stream that decompresses on read.

        Raises the archive's error if the member does not exist or is damaged.
        """
        if name not in self._members:
            raise self._error(f"{self._where} holds no '{name}'")
        with reading(self.where(name), self._error), self._archive.open(self._members[name]) as stream:
            yield stream

    def read(self, name: str, limit: int = MEMBER_LIMIT) -> bytes:
        """Return the content of a member.

        Raises the archive's error if the member does not exist, is damaged, or is larger than `limit`.
        """
        content = io.BytesIO()
        with self.open(name) as stream:
            # Read in pieces: a single large read may decompress more than the declared size before truncating.
            while piece := stream.read(PIECE):
                content.write(piece)
                if content.tell() > limit:
                    raise self._error(f"{self.where(name)} unpacks to more than {limit:,} bytes: refused")
        if content.tell() != self._members[name].file_size:
            raise self._error(f"{self.where(name)} is damaged: it is shorter than the archive says")
        return content.getvalue()

    def _add(self, entry: ZipInfo) -> None:
        check_name(entry.filename, self._where, self._error)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & 1:
            raise self._error(f"{self._where}: member '{entry.filename}' is not a regular file: refused")
        if entry.filename in self._members:
            raise self._error(f"{self._where}: member '{entry.filename}' appears twice: refused")
        if not entry.is_dir():
            self._members[entry.filename] = entry


@contextmanager
def open_zip(source: Path | IO[bytes], where: str, limit: int, error: type[HarnessError]) -> Iterator[Zip]:
    """Open a zip archive, or one inside another; `limit` bounds the uncompressed size of all members, in bytes.

    Raises `error` if it is damaged, exceeds the limit, or has members that are links or escape the archive.
    """
    with reading(where, error):
        archive = ZipFile(source)
    with archive:
        yield Zip(archive, where, limit, error)
