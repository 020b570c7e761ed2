"""The one folder of a lab: configuration, state, logs, sockets."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from harness import environment
from harness.lab.configuration import Configuration
from harness.lab.errors import LabError, UsageError
from harness.store.files import StoreError, read_json, write_json, writing

LONGEST_SOCKET = "spool/node64/node64_60000000.4294967295"
"""The socket of a batch step, the longest path in the folder subject to the kernel's limit."""
SOCKET_LIMIT = 107
LONGEST_FOLDER = SOCKET_LIMIT - len(LONGEST_SOCKET) - 1
LOCK, LOG = "lab.lock", "log"
BUSY_SECONDS = 120


def default_folder() -> Path:
    """Return the default folder: HARNESS_LAB, else below the XDG state folder.

    Raises `UsageError` without a home folder.
    """
    if chosen := environment.path(environment.LAB):
        return chosen
    if state := environment.state_folder():
        return state / "harness" / "lab"
    raise UsageError("there is no home folder for the lab: give --folder, or set HARNESS_LAB")


class Folder:
    """The files of a lab. Raises `UsageError` for a path that SLURM does not support."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        if not re.fullmatch(r"[\w./+-]+", str(self.path), re.ASCII):
            raise UsageError(f"folder {self.path}: SLURM takes letters, digits and . _ - + only; give another --folder")
        if len(str(self.path)) > LONGEST_FOLDER:
            raise UsageError(
                f"folder {self.path} is too long for unix sockets: {len(str(self.path))} characters, at most "
                f"{LONGEST_FOLDER} are allowed; give a shorter --folder"
            )
        self.slurm_conf = self.path / "slurm.conf"
        self.state = self.path / "state"
        self.spool = self.path / "spool"
        self.log = self.path / LOG
        self.run = self.path / "run"
        self.devices = self.path / "devices"
        self.database = self.path / "database"
        self.munge_socket = self.run / "munge.socket"
        self.munge_key = self.path / "munge.key"
        self.database_socket = self.run / "mariadb.socket"
        self._document = self.path / "lab.json"

    def __format__(self, _: str) -> str:
        return str(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock for starting and stopping this lab; create the folder with mode 700."""
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.chmod(self.path, 0o700)
        try:
            with FileLock(self.path / LOCK, timeout=BUSY_SECONDS):
                yield
        except Timeout:
            raise LabError(
                f"another command has been starting or stopping the lab in {self.path} for minutes"
            ) from None

    def configuration(self) -> Configuration | None:
        """Return the configuration of the started lab, None if it was stopped or never started."""
        try:
            return Configuration.model_validate(read_json(self._document))
        except FileNotFoundError:
            return None
        except (StoreError, ValueError):
            raise LabError(
                f"cannot read {self._document}, or it is damaged: stop the lab, then start it again"
            ) from None

    def fill(
        self, lab: Configuration, files: Mapping[str, str], scripts: Mapping[Path, str], links: Mapping[Path, str]
    ) -> None:
        """Write a new lab into an empty folder: configuration files readable by the owner only, scripts, and links."""
        with writing(self.path):
            write_json(self._document, lab.model_dump())
            for folder in (self.state, self.log, self.run, self.devices, self.database, self.spool):
                folder.mkdir(exist_ok=True)
            for name in lab.node_names:
                (self.spool / name).mkdir()
            for path, target in links.items():
                path.symlink_to(target)
            for path, text in scripts.items():
                path.touch(mode=0o700)
                path.write_text(text)
            for name, text in files.items():
                path = self.path / name
                path.touch(mode=0o600)
                path.write_text(text)

    def check_ours(self) -> None:
        """Raise `UsageError` if the folder holds files that are not a lab's."""
        known = {LOCK, LOG, self._document.name}
        there = {entry.name for entry in self.path.iterdir()} if self.path.is_dir() else set()
        if self._document.name not in there and not there <= known:
            raise UsageError(f"folder {self.path} holds other things ({min(there - known)}); give another --folder")

    def empty(self, keep: frozenset[str] = frozenset()) -> None:
        """Delete the files of a lab except its lock and `keep`, the marker file last."""
        entries = {entry.name: entry for entry in self.path.iterdir()}
        document = entries.pop(self._document.name, None)
        for name, entry in entries.items():
            if name in keep | {LOCK}:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        if document:
            document.unlink()
