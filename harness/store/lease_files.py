"""The files of a lease: numbered, created exclusively, touched while their owner lives."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from harness.regular_files import open_unlinked
from harness.store.names import next_number, numbered
from harness.store.processes import Life, ProcessIdentity
from harness.store.temporary import sweep_folder, temporary_beside

STALE_AFTER_SECONDS = 120.0
"""Without a sign of life for this long, a lease is dead. A date further ahead than this is no sign of life either."""
RELEASED = b"null"
LONGEST = 4096


@dataclass(frozen=True)
class Sighting:
    """A lease file as seen: whether it is alive, its owner (None if unknown), and seconds that its date lies ahead.

    `stamp` differs between two sightings if the file has changed.
    """

    alive: bool
    owner: ProcessIdentity | None = None
    ahead: float = 0.0
    stamp: tuple[bytes, int] | None = None

    @property
    def is_from_the_future(self) -> bool:
        """Whether the lease has an owner and is dated further ahead than clocks may differ."""
        return self.owner is not None and not self.alive and self.ahead > STALE_AFTER_SECONDS


NO_LEASE = Sighting(alive=False)
UNREADABLE = Sighting(alive=False, stamp=(b"", 0))


class LeaseFiles:
    """Reads the lease files of a folder. `clock` tells the time by which dates of files are judged."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock

    def path(self, number: int) -> Path:
        """Return the path of a lease file."""
        return self.folder / f"lease.{number}"

    def numbers(self) -> list[int]:
        """Return the numbers of all lease files.

        Raises `StoreError` if the folder cannot be read.
        """
        return list(numbered(self.folder, "lease."))

    def newest(self) -> int:
        """Return the highest number, 0 if there is no lease."""
        return max(self.numbers(), default=0)

    def look(self, number: int) -> Sighting:
        """Return the lease with this number as it is now; one that cannot be read is dead.

        A live process of this host, boot and PID namespace holds its lease whatever the clock says, unless it is
        stopped; a dead one does not. All others live by their heartbeat.
        """
        try:
            content, modified = _read(self.path(number))
        except FileNotFoundError:
            return NO_LEASE
        except OSError:
            return UNREADABLE
        age, stamp = self._clock() - modified / 1e9, (content, modified)
        try:
            owner = ProcessIdentity.model_validate_json(content)
        except ValidationError:  # released or damaged
            return Sighting(abs(age) <= STALE_AFTER_SECONDS and self._is_begun(content), stamp=stamp)
        fresh, life = abs(age) <= STALE_AFTER_SECONDS, owner.life()
        if life is Life.DEAD:
            return Sighting(False, owner, stamp=stamp)
        return Sighting(fresh or life is Life.ALIVE, owner, -age, stamp)

    def _is_begun(self, content: bytes) -> bool:
        """Return whether a lease without an owner may be one that is being created."""
        return False


class ContenderFiles(LeaseFiles):
    """The same for a process that wants the lease, as a context manager.

    It dates its candidate like a heartbeat, so that the clock of the file system judges both.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, self._now)
        self._candidate = temporary_beside(folder / "lease")

    def __enter__(self) -> Self:
        self._candidate.write_text(ProcessIdentity.current().model_dump_json())
        return self

    def __exit__(self, *_: object) -> None:
        self._candidate.unlink(missing_ok=True)

    def take(self, number: int) -> bool:
        """Create the lease with this number, unless it exists; return whether it was created.

        Raises `StoreError`, naming the file to delete, if the lease before it leaves no number.
        """
        next_number({number - 1: self.path(number - 1)})
        try:
            os.link(self._candidate, self.path(number))
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links, or a full one, which the next line tells
            return self._create(number)
        return True

    def remove(self, number: int) -> None:
        """Delete the lease with this number."""
        with suppress(OSError):
            self.path(number).unlink()

    def sweep(self, number: int) -> None:
        """Delete what earlier owners were writing, so that it never takes effect."""
        sweep_folder(self.folder, number)

    def _is_begun(self, content: bytes) -> bool:
        """Return whether a lease is empty where leases are created before they are filled.

        Elsewhere, earlier versions released a lease by emptying it.
        """
        if content:
            return False
        probe = self._candidate.with_name(f"{self._candidate.name}-old")
        try:
            os.link(self._candidate, probe)
        except OSError:
            return True
        probe.unlink(missing_ok=True)
        return False

    def _create(self, number: int) -> bool:
        try:
            file = os.open(self.path(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            return False
        try:
            os.write(file, self._candidate.read_bytes())
        finally:
            os.close(file)
        return True

    def _now(self) -> float:
        os.utime(self._candidate)
        return self._candidate.stat().st_mtime


def _read(path: Path) -> tuple[bytes, int]:
    """Return the content and the date of a regular file, in nanoseconds."""
    with open_unlinked(path) as file:
        return file.read(LONGEST), os.fstat(file.fileno()).st_mtime_ns
