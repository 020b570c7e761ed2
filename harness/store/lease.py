"""Leases: at most one worker owns a run directory, and a dead owner can be replaced.

A lease is a numbered file, `lease.1`, `lease.2`, ...; the highest number is the owner. To take over, a worker
creates the next number exclusively, which succeeds for only one contender, also on network file systems. The highest
number is never deleted, so a slow contender cannot displace a newer owner. A lease is alive while its owner touches
the file (heartbeat); on the owner's own machine, a dead process is detected immediately.
"""

import json
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from harness.store.files import writing

HEARTBEAT_SECONDS = 10.0
STALE_AFTER_SECONDS = 120.0
CLOCK_TOLERANCE_SECONDS = 2.0


class Lease:
    """Ownership of a run directory, as a context manager with a heartbeat thread.

    The thread calls `on_stop` once, when another worker has taken over or `is_cancelled` returns True.
    """

    def __init__(self, path: Path, on_stop: Callable[[], None], is_cancelled: Callable[[], bool]) -> None:
        self._path = path
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
            current = _newest(folder)
            if current is not None and _living_owner(current) is not None:
                return None
            number = _number(current) + 1 if current is not None else 1
            path = folder / f"lease.{number}"
            candidate = folder / f".lease.{secrets.token_hex(8)}"
            try:
                candidate.write_text(json.dumps(_identity()))
                os.link(candidate, path)  # fails if the file exists, so that only one contender succeeds
            except FileExistsError:
                return None
            finally:
                candidate.unlink(missing_ok=True)
        for old in folder.glob("lease.*"):
            if _number(old) < number:
                old.unlink(missing_ok=True)
        return cls(path, on_stop, is_cancelled)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(OSError):
            os.truncate(self._path, 0)

    def is_held(self) -> bool:
        """Return whether this lease is still the newest, so that no other worker has taken over."""
        return _newest(self._path.parent) == self._path

    def _beat(self) -> None:
        notified = False
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                held = self.is_held()
                if held:
                    _touch(self._path)
            except OSError:
                continue
            if not notified and (not held or self._is_cancelled()):
                notified = True
                self._on_stop()
            if not held:
                return


@dataclass(frozen=True)
class Holder:
    """The live worker that owns a folder. `pid` is valid only on `host`."""

    host: str
    pid: int

    def request_stop(self) -> bool:
        """Ask a worker on this machine to save its state and exit; return whether the signal was sent."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, signal.SIGTERM)
        except OSError:
            return False
        return True


def holder(folder: Path) -> Holder | None:
    """Return the live worker that owns the folder, None if there is none."""
    current = _newest(folder)
    owner = _living_owner(current) if current is not None else None
    return Holder(owner["host"], owner["pid"]) if owner is not None else None


def is_leased(folder: Path) -> bool:
    """Return whether a live worker owns the folder."""
    return holder(folder) is not None


def _newest(folder: Path) -> Path | None:
    return max(folder.glob("lease.*"), key=_number, default=None)


def _number(path: Path) -> int:
    suffix = path.name.removeprefix("lease.")
    return int(suffix) if suffix.isdigit() else 0


def _living_owner(lease: Path) -> dict[str, Any] | None:
    """Return the owner of a live lease, else None.

    A released lease is an empty file. A live one has a recent heartbeat and, on this machine, a live process.
    """
    try:
        owner: dict[str, Any] | None = json.loads(lease.read_text() or "null")
        age = time.time() - lease.stat().st_mtime
    except (OSError, ValueError):
        return None
    if owner is None or age > STALE_AFTER_SECONDS:
        return None
    if owner["host"] != socket.gethostname():
        return owner
    started = _started(owner["pid"])
    return owner if started is not None and abs(started - owner["started"]) <= CLOCK_TOLERANCE_SECONDS else None


def _identity() -> dict[str, str | float | None]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": _started(os.getpid())}


def _started(pid: int) -> float | None:
    """Return the start time of a process, which detects reused pids; None if it is dead."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _touch(path: Path) -> None:
    now = time.time()
    os.utime(path, (now, now))
