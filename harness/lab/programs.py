"""The programs of a lab and the packages that provide them."""

import os
import shutil

from harness.lab.configuration import Shape
from harness.lab.errors import LabError

PACKAGES = {
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "munged": "munge",
    "slurmdbd": "slurmdbd",
    "mariadbd": "mariadb-server",
}
SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
"""Folders of daemons, which a user's PATH may lack."""
APT = "sudo apt-get install -y --no-install-recommends"


def needed(shape: Shape) -> tuple[str, ...]:
    """Return the daemons that a lab needs."""
    auth = ("munged",) if shape.auth == "munge" else ()
    accounting = ("slurmdbd", "mariadbd") if shape.accounting else ()
    return ("slurmctld", "slurmd", *auth, *accounting)


def find(program: str) -> str | None:
    """Return the path of a program, None if it is not installed."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM}")


def missing(shape: Shape) -> tuple[str, ...]:
    """Return the required programs that are not installed."""
    return tuple(program for program in needed(shape) if find(program) is None)


def how_to_install(programs: tuple[str, ...]) -> str:
    """Return the command that installs programs."""
    return f"{APT} {' '.join(dict.fromkeys(PACKAGES[program] for program in programs))}"


def require(shape: Shape) -> None:
    """Raise `LabError` with the install command if programs are missing."""
    if absent := missing(shape):
        raise LabError(f"{', '.join(absent)} not found: {how_to_install(absent)}")
