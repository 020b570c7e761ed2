"""The environment of Matplotlib: folders that can be written, and no window."""

import os
import tempfile
from pathlib import Path

from harness import environment

_temporary: list["tempfile.TemporaryDirectory[str]"] = []


def prepare() -> None:
    """Set the variables that Matplotlib and fontconfig read while Matplotlib is imported.

    Both complain at length where they cannot write, so they get a temporary folder there until the process ends.
    """
    os.environ["MPLBACKEND"] = "agg"  # an unknown one would end the import
    home = environment.home()
    cache = _xdg("XDG_CACHE_HOME", home, ".cache")
    own = environment.text("MPLCONFIGDIR")
    of_matplotlib = [Path(own)] if own else [_xdg("XDG_CONFIG_HOME", home, ".config"), cache]
    lacking = [] if all(map(_can_be_written, of_matplotlib)) else ["MPLCONFIGDIR"]
    lacking += [] if _can_be_written(cache) else ["XDG_CACHE_HOME"]
    if lacking:
        if not _temporary:
            _temporary.append(tempfile.TemporaryDirectory(prefix="harness-matplotlib-"))
        os.environ.update(dict.fromkeys(lacking, _temporary[0].name))


def _xdg(name: str, home: Path | None, below: str) -> Path | None:
    """Return a base folder as these libraries find it, None without a home folder."""
    if given := os.environ.get(name):
        return Path(given)
    return home / below if home else None


def _can_be_written(folder: Path | None) -> bool:
    """Return whether a folder can be written, or created."""
    if folder is None:
        return False
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
        return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except (OSError, ValueError):
        return False
