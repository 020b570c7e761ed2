"""The processes of a lab, found in /proc, so that none is missed if its parent was killed or never recorded."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

import psutil

from harness.lab.folder import Folder
from harness.lab.processes import is_alive

DAEMONS = frozenset({"munged", "mariadbd", "slurmdbd", "slurmctld", "slurmscriptd", "slurmd"})


def stepd_name(folder: Folder, node: str = "") -> str:
    """Return the process name of a node's stepds, or without a node, the common prefix of all stepds of the lab.

    Stepds hide their environment, arguments and files from users other than root, but not their name, which the kernel
    truncates to 15 characters.
    """
    digest = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:6]
    return f"stepd{digest}-{node.removeprefix('node')}"


def daemons(folder: Folder) -> list[psutil.Process]:
    """Return the daemons of a lab."""
    return [process for process, environment in _of(folder) if process.name() in DAEMONS]


def stepds(folder: Folder, node: str = "") -> list[psutil.Process]:
    """Return the stepds of a lab, on one node or on all."""
    name = stepd_name(folder, node)
    found = []
    for process in filter(is_alive, psutil.process_iter()):
        with suppress(psutil.Error):
            if process.name() == name or (not node and process.name().startswith(name)):
                found.append(process)
    return found


def jobs(folder: Folder, node: str = "") -> list[psutil.Process]:
    """Return the processes of a lab's jobs, on one node or on all.

    These are descendants of stepds; orphans of a killed stepd are found by their environment.
    """
    found: set[psutil.Process] = set()
    for process in stepds(folder, node):
        found.update(_descendants(process))
    for process, environment in _of(folder):
        name = environment.get("SLURMD_NODENAME")
        if name and node in ("", name):
            found.update((process, *_descendants(process)))
    return sorted(found, key=lambda process: process.pid)


def _of(folder: Folder) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Yield the processes with the lab in their environment, which may include the user's shell."""
    for process in filter(is_alive, psutil.process_iter()):
        with suppress(psutil.Error):
            environment = process.environ()
            if environment.get("SLURM_CONF") == str(folder.slurm_conf):
                yield process, environment


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(filter(is_alive, process.children(recursive=True)))
    except psutil.Error:
        return []
