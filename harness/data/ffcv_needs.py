"""System requirements of FFCV. Imports neither torch nor FFCV.

`python -m harness.data.ffcv_needs` prints the missing Debian packages, even before anything is installed.
"""

import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = {"opencv4": "libopencv-dev", "libturbojpeg": "libturbojpeg0-dev"}
"""Debian packages by pkg-config name."""


def is_installed() -> bool:
    """Return whether FFCV is installed, which does not imply that it can be imported."""
    return find_spec("ffcv") is not None


def missing_packages() -> list[str]:
    """Return the missing Debian packages for building FFCV, which is distributed as source.

    Empty on systems other than Linux, where FFCV does not run.
    """
    if sys.platform != "linux":
        return []
    missing = [package for tool, package in (("g++", "g++"), ("pkg-config", "pkg-config")) if not shutil.which(tool)]
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-dev")
    return missing + [package for library, package in LIBRARIES.items() if not _has_library(library)]


def how_to_install() -> str:
    """Return the commands that install FFCV here."""
    if sys.platform != "linux":
        return "it runs on Linux only"
    packages = missing_packages()
    first = f"sudo apt-get install -y --no-install-recommends {' '.join(packages)} && " if packages else ""
    return f"{first}pip install -c constraints.txt '.[ffcv]'"


def _has_library(library: str) -> bool:
    try:
        return not subprocess.run(["pkg-config", "--exists", library], capture_output=True, timeout=10).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    print(*missing_packages())
