"""Standard output and error that survive a closed pipe, a full disk and text that the terminal cannot show."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from harness.errors import HarnessError
from harness.printable import printable

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


class Printable:
    """A text stream that writes unsafe characters as escapes; the original is `stream`."""

    encoding = "utf-8"
    """Of the texts that it takes, so that click does not look for the bytes below."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        return self.stream.write(printable(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def printing() -> Iterator[None]:
    """Write unsafe characters as escapes in everything that is printed within the context."""
    before = sys.stdout, sys.stderr
    for name, stream in zip(("stdout", "stderr"), before, strict=True):
        if stream is not None:
            setattr(sys, name, Printable(stream))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def terminal(stream: TextIO) -> TextIO:
    """Return the stream to which a live display may send the commands of a terminal, if it is one."""
    return stream.stream if isinstance(stream, Printable) and stream.isatty() else stream


def protect() -> None:
    """Replace the interpreter's streams; streams that a caller has replaced are left alone.

    Closed ones are redirected to `os.devnull`: the next opened file would get their descriptor, and their output.
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
