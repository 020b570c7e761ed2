"""Reads regular files only: opening a FIFO would wait for a writer, and a device may have no end."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

DOCUMENT_BYTES = 2**22
"""The largest size of a JSON or TOML document, far above any that is written."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, through links, without ever waiting.

    Raises `OSError` if it cannot be opened or is anything but a regular file.
    """
    return _opened(path, 0)


def open_unlinked(path: Path) -> BufferedReader:
    """Open a regular file for reading, unless its last component is a link.

    Raises `OSError` if it is a link, cannot be opened, or is anything but a regular file.
    """
    return _opened(path, os.O_NOFOLLOW)


def read_regular(path: Path, limit: int = DOCUMENT_BYTES) -> bytes:
    """Read a whole regular file of at most `limit` bytes.

    Raises `OSError` if it is larger, cannot be read, or is anything but a regular file.
    """
    with open_regular(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", str(path))
    return content


def _opened(path: Path, flags: int) -> BufferedReader:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise _not_regular(path) from None
        if error.errno == errno.ELOOP and flags and path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link", str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular(path)
    return open(descriptor, "rb")


def _not_regular(path: Path) -> OSError:
    if path.is_dir():
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return OSError(errno.EINVAL, "it is not a regular file", str(path))
