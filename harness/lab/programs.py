"""The programs of a lab and the packages that bring them."""

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
"""Where daemons are, also when a user's PATH lacks it."""
APT = "sudo apt-get install -y --no-install-recommends"


def needed(shape: Shape) -> tuple[str, ...]:
    """Return the daemons that a lab consists of."""
    auth = ("munged",) if shape.auth == "munge" else ()
    accounting = ("slurmdbd", "mariadbd") if shape.accounting else ()
    return ("slurmctld", "slurmd", *auth, *accounting)


def find(program: str) -> str | None:
    """Return the path of a program, or None where it is not installed."""
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM}")


def missing(shape: Shape) -> tuple[str, ...]:
    """Return the programs that a lab needs and that are not installed."""
    return tuple(program for program in needed(shape) if find(program) is None)


def how_to_install(programs: tuple[str, ...]) -> str:
    """Return the command that installs programs."""
    return f"{APT} {' '.join(dict.fromkeys(PACKAGES[program] for program in programs))}"


def require(shape: Shape) -> None:
    """Raise `LabError` with the command that installs what is missing."""
    if absent := missing(shape):
        raise LabError(f"{', '.join(absent)} not found: {how_to_install(absent)}")
