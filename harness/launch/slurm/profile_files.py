"""Profiles are read from TOML files, by name or path."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

from pydantic import ValidationError

from harness import environment
from harness.errors import SpecError, given, unknown
from harness.launch.slurm.profile import Profile
from harness.regular_files import read_regular

HERE, BELOW_HOME = Path("slurm/profiles"), Path(".config/harness/slurm")
SUFFIX = ".toml"
LONGEST = 600
"""The characters of a message, which may quote a value."""
RESERVED = frozenset(
    {"array", "cluster", "clusters", "dependency", "job-name", "open-mode", "output", "parsable", "quiet", "test-only"}
    | {"wait", "wrap"}
)
"""Options of sbatch by which the harness finds its jobs, their order and their log."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def load_profile(name: str) -> Profile:
    """Load a profile by name or path.

    Names are searched in `slurm/profiles/` and `~/.config/harness/slurm/`. Raises `SpecError`, naming the allowed
    values, for an unknown profile or key and for an invalid value.
    """
    path = _path_of(name)
    content = _read(path)
    try:
        profile = Profile(**content)
        _check_submission(profile)
        return profile
    except SpecError as error:
        raise SpecError(f"{path}: {shorten(str(error).removeprefix('Profile: '), LONGEST)}") from None
    except ValidationError as error:
        raise SpecError(f"{path}: {error.errors(include_url=False)[0]['msg']}") from None


def _check_submission(profile: Profile) -> None:
    """Raise `SpecError` for what would hide jobs from the harness or leave no room for them.

    Not checked by `Profile` itself, so that manifests of earlier submissions stay readable.
    """
    for table, options in (("sbatch", profile.sbatch), ("follow_up.sbatch", profile.follow_up.sbatch)):
        for name in options:
            if name.replace("_", "-") in RESERVED:
                raise SpecError(f"[{table}] {name}: the harness finds its jobs and logs by this option; leave it out")
    if profile.max_submit == 1 and profile.follow_up.enabled:
        raise SpecError("max_submit = 1 is the follow-up job alone: raise it, or set enabled = false in [follow_up]")


def lasting_name(name: str) -> str:
    """Return a name or path of a profile that means the same from any folder."""
    return str(_expanded(name).absolute()) if _is_path(name) else name


def _path_of(name: str) -> Path:
    """Return the path of a profile by name or path.

    Raises `SpecError`, naming the known profiles, for an unknown name.
    """
    if _is_path(name):
        return _expanded(name)
    found = {path.stem: path for folder in _folders() for path in folder.glob(f"*{SUFFIX}")}
    if name not in found:
        raise unknown("profile", name, found)
    return found[name]


def _is_path(name: str) -> bool:
    return Path(name).suffix == SUFFIX or os.sep in name


def _expanded(name: str) -> Path:
    return environment.expand(name, "--profile")


def _folders() -> list[Path]:
    """Return the folders of profiles, the ones that count more last."""
    home = environment.home()
    return [*([home / BELOW_HOME] if home else []), HERE]


def _check_values(content: Mapping[str, Any]) -> None:
    """Raise `ValueError` for numbers beyond TOML's 64 bits, and for control characters in the options of a script."""
    if any(isinstance(leaf, int) and abs(leaf) >= 2**63 for leaf in _leaves(content)):
        raise ValueError("a number is larger than 64 bits")
    options = {name: value for name, value in content.items() if name != "setup"}  # which has lines of shell
    for leaf in _leaves(options):
        if isinstance(leaf, str) and CONTROL.search(leaf):
            raise ValueError(f"{given(leaf)} has a control character")


def _leaves(value: Any) -> Iterator[Any]:
    """Yield all names and simple values in a value."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield name
            yield from _leaves(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _leaves(entry)
    else:
        yield value


def _read(path: Path) -> dict[str, Any]:
    """Read a TOML document.

    Raises `SpecError` if it cannot be read.
    """
    try:
        content = tomllib.loads(read_regular(path).decode("utf-8-sig"))
        _check_values(content)
        return content
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path} is not valid TOML: it is not UTF-8 text") from None
    except RecursionError:
        raise SpecError(f"{path}: its values are nested too deeply") from None
    except ValueError as error:  # also from int, for thousands of digits, with advice for programmers
        raise SpecError(f"{path}: {str(error).partition('; use sys.')[0]}") from None
    except OSError as error:
        raise SpecError(f"cannot read the profile {path}: {error.strerror or error}") from None
