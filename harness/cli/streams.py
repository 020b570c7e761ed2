"""Standard output and error that survive a closed pipe, a full disk and text that the terminal cannot show."""

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Output(io.FileIO):
    """Standard output. After the reader of a pipe has left, everything is dropped.

    Commands then go on to their end, so that their exit code does not depend on the moment at which the reader left.
    """

    dropping = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some bytes.

        Raises `HarnessError` if the disk is full, once.
        """
        if not self.dropping:
            try:
                return super().write(data)
            except BrokenPipeError:
                self.dropping = True
            except OSError as error:
                self.dropping = True
                raise HarnessError(f"cannot write standard output: {error.strerror}") from None
        return memoryview(data).nbytes


class Messages(io.FileIO):
    """Standard error. Messages that nobody can receive are dropped, since nothing could report that."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write some bytes, if possible."""
        with suppress(OSError):
            return super().write(data)
        return memoryview(data).nbytes


def protect() -> None:
    """Replace the interpreter's streams; streams that a caller has replaced are left alone.

    Closed ones are opened to nowhere, since the next file would take their place and get their output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _text(Output(1, "w", closefd=False), sys.stdout)
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _text(Messages(2, "w", closefd=False), sys.stderr)


def reader_left() -> bool:
    """Return whether the reader of standard output has closed its pipe; commands that follow something then end."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, Output) and raw.dropping


def flush() -> None:
    """Write what is buffered.

    Raises `HarnessError` if the disk is full.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def _text(raw: io.FileIO, before: io.TextIOWrapper) -> io.TextIOWrapper:
    """Return a text stream like the one before, in which characters without a code are escaped."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding,
        errors="backslashreplace",
        line_buffering=before.line_buffering,
        write_through=before.write_through,
    )
