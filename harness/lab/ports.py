"""Free ports on loopback, reserved until the daemons listen on them."""

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.lab.errors import LabError, UsageError

ADDRESS = "127.0.0.1"
RANGE = range(20_000, 32_000)
"""Below the ephemeral port range."""
ATTEMPTS = 100


@contextmanager
def reserved(count: int, first: int | None = None) -> Iterator[int]:
    """Reserve consecutive ports, starting at `first` if given, and yield the first one.

    Raises `UsageError` if a given port is busy, and `LabError` if there are no free ports.
    """
    busy = first
    starts = random.sample(range(RANGE.start, RANGE.stop - count), ATTEMPTS) if first is None else [first]
    for start in starts:
        with ExitStack() as held:
            try:
                for busy in range(start, start + count):
                    held.enter_context(_hold(busy))
            except OSError:
                continue
            yield start
            return
    if first is not None:
        raise UsageError(
            f"port {busy} is busy: --port {first} needs {count} consecutive ports; omit --port to choose free ones"
        )
    raise LabError(f"no {count} consecutive free ports between {RANGE.start} and {RANGE.stop}")


def _hold(port: int) -> socket.socket:
    """Bind a port so that other labs cannot reserve it, but a daemon with SO_REUSEADDR can listen on it."""
    holder = socket.socket()
    try:
        holder.bind((ADDRESS, port))
    except OSError:
        holder.close()
        raise
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return holder
