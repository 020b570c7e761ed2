"""The daemons of a lab: their commands and processes."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import ValidationError

from harness.environment import home
from harness.lab import processes, programs
from harness.lab.configuration import Configuration
from harness.lab.errors import LabError
from harness.lab.folder import Folder
from harness.lab.members import stepd_name
from harness.store.files import read_json, write_json, writing
from harness.store.processes import ProcessIdentity

LISTENING_SECONDS = 60
LAST_LINES = 8


@dataclass(frozen=True)
class Daemon:
    """A daemon that runs in the foreground. It is up once it listens on a port or unix socket."""

    name: str
    command: tuple[str, ...]
    listens: int | Path
    folder: Folder
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def _record(self) -> Path:
        return self.folder.run / f"{self.name}.json"

    @property
    def _output(self) -> Path:
        """Its stdout and stderr, which hold all output until it opens its log."""
        return self.folder.log / f"{self.name}.out"

    @property
    def process(self) -> psutil.Process | None:
        """The process, None if it is dead."""
        try:
            record = read_json(self._record)
        except FileNotFoundError:
            return None
        try:
            return processes.find(ProcessIdentity.model_validate(record))
        except ValidationError:
            return None

    def spawn(self) -> None:
        """Start the daemon in a new session.

        Raises `LabError` if the program is not installed.
        """
        program = programs.find(self.command[0])
        if program is None:
            raise LabError(f"{self.command[0]} not found: {programs.how_to_install((self.command[0],))}")
        environment = {
            "PATH": f"{os.environ.get('PATH', os.defpath)}:{programs.SYSTEM}",
            "HOME": str(home() or "/"),
            "SLURM_CONF": str(self.folder.slurm_conf),
            **dict(self.environment),
        }
        if isinstance(self.listens, Path):
            self.listens.unlink(missing_ok=True)
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with writing(self._output):
            pid = os.posix_spawn(
                program,
                self.command,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(self._output), append, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=range(1, 32),
            )
        write_json(self._record, ProcessIdentity.of(pid).model_dump())

    def wait(self) -> None:
        """Wait until the daemon listens.

        Raises `LabError` with the last lines of its log if it dies or takes longer than a minute.
        """
        processes.wait_until(lambda: self.is_up or self.process is None, LISTENING_SECONDS)
        if self.process is None:
            raise self.failure("ended while it was starting")
        if not self.is_up:
            raise self.failure(f"does not listen after {LISTENING_SECONDS} s")

    def failure(self, what: str) -> LabError:
        """Return an error about the daemon, with the last lines of its log."""
        return LabError(f"{self.name} {what}; its log ({self.folder.log}) ends with", self._last_lines())

    @property
    def is_up(self) -> bool:
        """Whether it is alive and listening, queried from the kernel because connecting would log errors."""
        process = self.process
        if process is None:
            return False
        with suppress(psutil.Error):
            if isinstance(self.listens, Path):
                return str(self.listens) in {str(socket.laddr) for socket in process.net_connections("unix")}
            listening = (s for s in process.net_connections("tcp") if s.status == psutil.CONN_LISTEN)
            return self.listens in {socket.laddr.port for socket in listening}
        return False

    def _last_lines(self) -> str:
        for path in (self.folder.log / f"{self.name}.log", self._output):
            with suppress(OSError):
                if lines := path.read_text(errors="replace").splitlines():
                    return "\n".join(lines[-LAST_LINES:])
        return ""


def stages(folder: Folder, lab: Configuration) -> Iterator[tuple[Daemon, ...]]:
    """Yield the daemons in start order; the daemons of a stage start concurrently."""
    first = []
    if lab.auth == "munge":
        first.append(_munged(folder))
    if lab.accounting:
        first.append(_mariadbd(folder, lab))
    yield tuple(first)
    if lab.accounting:
        environment = (("MYSQL_UNIX_PORT", str(folder.database_socket)),)
        yield (Daemon("slurmdbd", ("slurmdbd", "-D"), lab.accounting_port, folder, environment),)
    # -i: ignore damaged state files, so that a killed lab can restart.
    yield (Daemon("slurmctld", ("slurmctld", "-D", "-i"), lab.controller_port, folder),)
    yield tuple(_slurmd(folder, lab, name) for name in lab.node_names)


def _munged(folder: Folder) -> Daemon:
    command = (
        "munged",
        "--foreground",
        "--force",  # only warn that other users cannot reach a socket in this folder
        f"--socket={folder.munge_socket}",
        f"--key-file={folder.munge_key}",
        f"--pid-file={folder.run}/munged.pid",
        f"--log-file={folder.log}/munged.log",
        f"--seed-file={folder.run}/munged.seed",
    )
    return Daemon("munged", command, folder.munge_socket, folder)


def _mariadbd(folder: Folder, lab: Configuration) -> Daemon:
    command = (
        "mariadbd",
        "--no-defaults",
        f"--user={lab.user}",
        f"--datadir={folder.database}",
        # Creating grant tables takes seconds, and only the owner of the folder can reach the socket.
        "--skip-grant-tables",
        "--skip-networking",
        f"--socket={folder.database_socket}",
        f"--pid-file={folder.run}/mariadbd.pid",
        # Flush immediately, so that a database killed right after creation can be restarted.
        "--innodb-flush-log-at-trx-commit=2",
        "--innodb-max-dirty-pages-pct=0",
        "--innodb-buffer-pool-size=64M",
        "--performance-schema=off",
    )
    return Daemon("mariadbd", command, folder.database_socket, folder)


def _slurmd(folder: Folder, lab: Configuration, name: str) -> Daemon:
    stepd = folder.run / stepd_name(folder, name)
    return Daemon(name, ("slurmd", "-D", "-N", name, "-d", str(stepd)), lab.node_port(name), folder)
