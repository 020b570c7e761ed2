"""Environment variables of the harness, the home folder and the name of the user. An empty variable counts as unset."""

import math
import os
import pwd
from pathlib import Path

from harness.errors import SpecError, invalid

RESULTS, DATA, LAB = "HARNESS_RESULTS", "HARNESS_DATA", "HARNESS_LAB"
INCEPTION_WEIGHTS = "HARNESS_INCEPTION_WEIGHTS"
CHECKPOINT, JOIN = "HARNESS_CHECKPOINT_SECONDS", "HARNESS_JOIN_SECONDS"


def text(name: str) -> str | None:
    """Return the value of a variable, None if it is unset or blank."""
    value = os.environ.get(name, "")
    return value if value.strip() else None


def path(name: str) -> Path | None:
    """Return the path in a variable with a leading `~` expanded, None if it is unset or blank.

    Raises `SpecError` for a `~` without a home folder.
    """
    value = text(name)
    return None if value is None else expand(value, name)


def expand(given: str, of: str) -> Path:
    """Return a path with a leading `~` or `~USER` expanded; errors call it `of`.

    Raises `SpecError` if there is no such home folder.
    """
    first, slash, rest = given.partition("/")
    if not first.startswith("~"):
        return Path(given)
    base = home() if first == "~" else _home_of(first[1:])
    if base is None:
        raise SpecError(f"{of} is '{given}': there is no home folder for {first}; give the whole path")
    return base / rest.lstrip("/") if slash else base


def home() -> Path | None:
    """Return the user's home folder: an absolute HOME, else that of the user database, else None."""
    given = Path(os.environ.get("HOME", ""))
    if given.is_absolute():
        return given
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def state_folder() -> Path | None:
    """Return the folder for the state of programs: an absolute XDG_STATE_HOME, else `~/.local/state`, if any."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def torch_hub() -> Path | None:
    """Return the folder of torch.hub, which torch itself would use, None without a home folder."""
    if given := text("TORCH_HOME"):
        return expand(given, "TORCH_HOME") / "hub"
    cache = _xdg("XDG_CACHE_HOME", ".cache")
    return cache / "torch" / "hub" if cache else None


def user() -> str:
    """Return the login name of the user, or the number of a user without a name, which SLURM takes too."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def checkpoint_seconds() -> float:
    """Return the minimum time between checkpoints, in seconds.

    Raises `SpecError` unless it is a finite number of 0 or more.
    """
    return _seconds(CHECKPOINT, 5.0, "a number of seconds, 0 or more", 0.0)


def join_seconds() -> float:
    """Return how long nodes wait for each other, in seconds; the default is torchrun's.

    Raises `SpecError` unless it is a finite number of 1 or more.
    """
    return _seconds(JOIN, 600.0, "a number of seconds, 1 or more", 1.0)


def check() -> None:
    """Raise `SpecError` if a variable of the harness has a value that workers would refuse."""
    checkpoint_seconds()
    join_seconds()
    path(INCEPTION_WEIGHTS)


def _seconds(name: str, default: float, allowed: str, least: float) -> float:
    value = text(name)
    if value is None:
        return default
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= least):
        raise invalid("environment", name, value, allowed)
    return seconds


def _xdg(name: str, below_home: str) -> Path | None:
    """Return a folder of the XDG Base Directory Specification, which ignores relative paths."""
    given, base = Path(os.environ.get(name, "")), home()
    return given if given.is_absolute() else base / below_home if base else None


def _home_of(name: str) -> Path | None:
    try:
        return Path(pwd.getpwnam(name).pw_dir)
    except KeyError:
        return None
