"""Processes named in files: whether the process that wrote its identity is still the one with this pid.

A pid has a meaning only on one host, within one boot and one PID namespace; within these, the start time in clock ticks
since boot tells a process from a later one with the same pid. Clock steps change none of this.
"""

import hashlib
import os
import socket
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field


class Life(Enum):
    """The life of a process as seen by this one; unknown if its pid has no meaning here."""

    ALIVE = "alive"
    STOPPED = "stopped"
    DEAD = "dead"
    UNKNOWN = "unknown"


class ProcessIdentity(BaseModel):
    """A process: host, pid, and what gives the pid its meaning.

    `boot` is the boot id of the kernel, `namespace` the inode of the PID namespace, and `ticks` the start time in clock
    ticks since boot. They are None where the system does not tell them, as on macOS.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    host: str
    pid: int = Field(gt=0, lt=2**31)
    boot: str | None = None
    namespace: int | None = None
    ticks: int | None = None

    @classmethod
    def current(cls) -> Self:
        """Return the identity of this process."""
        host, pid = socket.gethostname(), os.getpid()
        try:
            own = _stat("self")
            if own.pid != pid:  # /proc was mounted in another PID namespace, and its pids are not ours
                return cls(host=host, pid=pid)
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return cls(host=host, pid=pid, boot=boot, namespace=os.stat("/proc/self/ns/pid").st_ino, ticks=own.ticks)
        except (OSError, ValueError):
            return cls(host=host, pid=pid)

    @classmethod
    def of(cls, pid: int) -> Self:
        """Return the identity of another process of this host, boot and PID namespace."""
        return cls.current().model_copy(update={"pid": pid, "ticks": start_ticks(pid)})

    @property
    def place(self) -> str | None:
        """A short hash of host, boot and PID namespace, None if they are unknown."""
        if self.boot is None or self.namespace is None:
            return None
        return hashlib.sha256(f"{self.host}/{self.boot}/{self.namespace}".encode()).hexdigest()[:8]

    def life(self) -> Life:
        """Return whether this process is alive, as far as its pid has a meaning here."""
        place = self.current().place
        if place is None or self.place != place or self.ticks is None:
            return Life.UNKNOWN
        return life_of(self.pid, self.ticks)


def life_of(pid: int, ticks: int) -> Life:
    """Return whether the process of this PID namespace and boot with this pid and start time is alive."""
    try:
        found = _stat(pid)
    except (OSError, ValueError):
        return Life.UNKNOWN if _exists(pid) else Life.DEAD  # /proc hides the processes of other users with `hidepid`
    if found.ticks != ticks or found.state in "ZX":
        return Life.DEAD
    return Life.STOPPED if found.state in "Tt" else Life.ALIVE


def start_ticks(pid: int) -> int | None:
    """Return the start time of a process in clock ticks since boot, None if it does not exist."""
    try:
        return _stat(pid).ticks
    except (OSError, ValueError):
        return None


class _Stat(NamedTuple):
    pid: int
    state: str
    ticks: int


def _stat(pid: int | str) -> _Stat:
    before, _, after = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
    fields = after.split()
    return _Stat(int(before.partition(" ")[0]), fields[0], int(fields[19]))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
