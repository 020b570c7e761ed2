"""Reads regular files only: opening a FIFO would wait for a writer, and a device may have no end."""

import errno
import os
import stat
from io import BufferedReader, BufferedWriter
from pathlib import Path

DOCUMENT_BYTES = 2**22
"""The largest size of a JSON or TOML document, far above any that is written."""


class NotRegularError(OSError):
    """A FIFO, socket or device is where a file belongs."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, through links, without ever waiting.

    Raises `OSError` if it cannot be opened or is anything but a regular file.
    """
    return open(_regular(path, os.O_RDONLY), "rb")


def open_unlinked(path: Path) -> BufferedReader:
    """Open a regular file for reading, unless its last component is a link.

    Raises `OSError` if it is a link, cannot be opened, or is anything but a regular file.
    """
    return open(_regular(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")


def read_regular(path: Path, limit: int = DOCUMENT_BYTES) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises `OSError` if it is larger, cannot be read, or is anything but a regular file.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", str(path))
    return content


def append_regular(path: Path) -> BufferedWriter:
    """Open a regular file for appending, creating it if it does not exist.

    Raises `OSError` if it is a link, cannot be opened, or is anything but a regular file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    return open(_regular(path, flags | os.O_NOFOLLOW), "ab")


def _regular(path: Path, flags: int) -> int:
    """Return a descriptor of a regular file."""
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a FIFO without a reader
            raise _not_regular(path) from None
        if error.errno == errno.ELOOP and flags & os.O_NOFOLLOW and path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link, which may lead anywhere: delete it", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return descriptor


def _not_regular(path: Path) -> OSError:
    if path.is_dir():
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return NotRegularError(errno.EINVAL, "it is not a regular file", str(path))
