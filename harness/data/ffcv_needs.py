"""What FFCV needs of a machine, found out without importing torch or FFCV.

`python -m harness.data.ffcv_needs` prints the Debian packages that are missing, also before anything is installed.
"""

import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = {"opencv4": "libopencv-dev", "libturbojpeg": "libturbojpeg0-dev"}
"""Debian's packages by the names that pkg-config knows."""


def is_installed() -> bool:
    """Tell whether FFCV is installed; whether it can be imported too, only importing it tells."""
    return find_spec("ffcv") is not None


def missing_packages() -> list[str]:
    """Return the Debian packages that this machine lacks for building FFCV, which comes as source.

    There are none on other systems than Linux, where it does not run at all.
    """
    if sys.platform != "linux":
        return []
    missing = [package for tool, package in (("g++", "g++"), ("pkg-config", "pkg-config")) if not shutil.which(tool)]
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-dev")
    return missing + [package for library, package in LIBRARIES.items() if not _knows(library)]


def how_to_install() -> str:
    """Return the commands that install FFCV here."""
    if sys.platform != "linux":
        return "it runs on Linux only"
    packages = missing_packages()
    first = f"sudo apt-get install -y --no-install-recommends {' '.join(packages)} && " if packages else ""
    return f"{first}pip install -c constraints.txt '.[ffcv]'"


def _knows(library: str) -> bool:
    try:
        return not subprocess.run(["pkg-config", "--exists", library], capture_output=True, timeout=10).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    print(*missing_packages())
