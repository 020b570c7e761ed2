"""Which processes belong to a lab: found in /proc, so that whatever was killed or not recorded, the rest is known."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress

import psutil

from harness.lab.folder import Folder
from harness.lab.processes import is_alive

DAEMONS = frozenset({"munged", "mariadbd", "slurmdbd", "slurmctld", "slurmscriptd", "slurmd"})


def stepd_name(folder: Folder, node: str = "") -> str:
    """Return what the stepds of a node are called, or how the names of all stepds of the lab begin.

    They hide their environment, arguments and files from users other than root, but not their name, of which the kernel
    keeps 15 characters.
    """
    digest = hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:6]
    return f"stepd{digest}-{node.removeprefix('node')}"


def daemons(folder: Folder) -> list[psutil.Process]:
    """Return the daemons of a lab."""
    return [process for process, environment in _of(folder) if process.name() in DAEMONS]


def stepds(folder: Folder, node: str = "") -> list[psutil.Process]:
    """Return the stepds of a lab, of one node or of all."""
    name = stepd_name(folder, node)
    found = []
    for process in filter(is_alive, psutil.process_iter()):
        with suppress(psutil.Error):
            if process.name() == name or (not node and process.name().startswith(name)):
                found.append(process)
    return found


def jobs(folder: Folder, node: str = "") -> list[psutil.Process]:
    """Return the processes that the jobs of a lab have started, on one node or on all.

    They descend from stepds; what a killed stepd leaves behind is known by its environment.
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
    """Yield the processes whose environment names the lab, which those of its user's terminal may be too."""
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
