"""Leases: at most one worker owns a run directory, and a dead owner can be replaced.

A lease is a numbered file, `lease.1`, `lease.2`, ...; the highest number is the owner. To take over, a worker creates
the next number exclusively, and looks again whether its number is the highest. docs/leases.md has the protocol with its
proof and assumptions.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from harness.store.files import StoreError, writing
from harness.store.guard import Guard
from harness.store.lease_files import NO_LEASE, RELEASED, ContenderFiles, LeaseFiles, Sighting
from harness.store.processes import Life, ProcessIdentity

HEARTBEAT_SECONDS = 10.0


class Contested(Protocol):
    """The file operations of the protocol."""

    def numbers(self) -> list[int]:
        """Return the numbers of all lease files."""

    def look(self, number: int) -> Sighting:
        """Return the lease with this number as it is now."""

    def take(self, number: int) -> bool:
        """Create the lease with this number, unless it exists; return whether it was created."""

    def remove(self, number: int) -> None:
        """Delete the lease with this number."""

    def sweep(self, number: int) -> None:
        """Delete what owners with lower numbers were writing."""


def contend(files: Contested) -> int | None:
    """Take the lease and return its number; return None if another worker holds or takes it."""
    current = max(files.numbers(), default=0)
    seen = files.look(current)
    if seen.alive or (current and seen == NO_LEASE) or not files.take(current + 1):
        return None
    number = current + 1
    if max(files.numbers(), default=0) != number or files.look(current).stamp != seen.stamp:
        files.remove(number)
        return None
    files.sweep(number)
    for lower in files.numbers():
        if lower < number:
            files.remove(lower)
    return number


class Lease:
    """Ownership of a folder, as a context manager with a heartbeat thread.

    The thread calls `on_stop` once, when another worker has taken over or `is_cancelled` returns True.
    """

    def __init__(
        self, folder: Path, number: int, on_stop: Callable[[], None], is_cancelled: Callable[[], bool]
    ) -> None:
        self.guard = guard_of(folder, number)
        self._path = LeaseFiles(folder).path(number)
        self._on_stop = on_stop
        self._is_cancelled = is_cancelled
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    @classmethod
    def acquire(
        cls, folder: Path, on_stop: Callable[[], None] = lambda: None, is_cancelled: Callable[[], bool] = lambda: False
    ) -> Self | None:
        """Acquire the lease of a folder; return None if another live worker holds it."""
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with ContenderFiles(folder) as files:
                number = contend(files)
        return None if number is None else cls(folder, number, on_stop, is_cancelled)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(OSError, StoreError):
            if self.is_held():
                _release(self._path)

    def is_held(self) -> bool:
        """Return whether this lease is still the newest, so that no other worker has taken over."""
        return self.guard.is_held()

    def _beat(self) -> None:
        notified = False
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                held = self.is_held()
                if held:
                    os.utime(self._path)  # without a time, so that the clock of a file server counts, not ours
            except (OSError, StoreError):
                continue
            if not notified and (not held or self._is_cancelled()):
                notified = True
                self._on_stop()
            if not held:
                return


def guard_of(folder: Path, number: int) -> Guard:
    """Return the guard of a lease, for its owner and the other ranks of the run."""
    files = LeaseFiles(folder)
    return Guard(number, lambda: files.newest() == number)


@dataclass(frozen=True)
class Holder:
    """The live worker that owns a folder."""

    process: ProcessIdentity

    def request_stop(self) -> bool:
        """Ask a worker whose pid has a meaning here to save its state and exit; return whether it was signalled."""
        if self.process.life() not in (Life.ALIVE, Life.STOPPED):
            return False
        try:
            os.kill(self.process.pid, signal.SIGTERM)
        except OSError:
            return False
        return True


def holder(folder: Path) -> Holder | None:
    """Return the live worker that owns the folder, None if there is none."""
    seen = _newest(folder)
    return Holder(seen.owner) if seen.alive and seen.owner else None


def is_leased(folder: Path) -> bool:
    """Return whether a live worker owns the folder."""
    return _newest(folder).alive


def lease_from_the_future(folder: Path) -> str | None:
    """Return one line about a lease that is not counted because its date lies ahead, None if there is none."""
    seen = _newest(folder)
    if seen.owner is None or not seen.is_from_the_future:
        return None
    return (
        f"the lease of {folder.name} by {seen.owner.host} is dated {_duration(seen.ahead)} ahead of this machine's "
        "clock, so it does not count as held: synchronize the clocks of both by NTP"
    )


def _newest(folder: Path) -> Sighting:
    files = LeaseFiles(folder)
    try:
        return files.look(files.newest())
    except StoreError:
        return Sighting(alive=False)


def _release(path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(file, RELEASED)
    finally:
        os.close(file)


def _duration(seconds: float) -> str:
    for length, unit in ((86400, "days"), (3600, "hours")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"
