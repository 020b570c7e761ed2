"""Plugins: installed distributions that provide papers and kinds, found by entry points and loaded once.

An entry point in group `harness.papers` names a paper, one in `harness.kinds` a module that only defines kinds.
A plugin that fails to load is kept with the reason and does not affect the others.
"""

import contextlib
import io
import pkgutil
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from textwrap import shorten
from typing import Any

from harness import INSTALL

PAPERS, KINDS = "harness.papers", "harness.kinds"
OWN = "paper-harness"
"""The distribution of the harness and of the papers in its repository."""
SPECIFICATIONS = "harness.config"
"""The package of the harness's own kinds, which register before any others."""
LONGEST = 300
"""The maximum length of a plugin's error text, in characters."""


@dataclass(frozen=True)
class Plugin:
    """A loaded entry point, or a one-line reason why it cannot be loaded."""

    name: str
    group: str
    distribution: str
    value: Any = None
    problem: str = ""

    def __str__(self) -> str:
        return f"'{self.name}' of {self.distribution}" if self.distribution else f"'{self.name}'"


def offers() -> list[EntryPoint]:
    """Return the entry points of all papers and kinds without loading them, those of the harness first."""
    installed = entry_points()
    found = [entry for group in (PAPERS, KINDS) for entry in installed.select(group=group)]
    return sorted(found, key=lambda entry: (_distribution(entry) != OWN, entry.group, entry.name))


def load_plugins() -> tuple[Plugin, ...]:
    """Load every plugin once and return the results; other threads wait for the first.

    A nested call from a plugin that is being loaded returns an empty tuple: its kinds are not registered yet.
    """
    with _lock:
        return () if _is_loading else _loaded()


_lock = threading.RLock()
_is_loading: list[bool] = []


@cache
def _loaded() -> tuple[Plugin, ...]:
    load_built_in()
    with _loading():
        return tuple(map(_load, offers()))


@cache
def load_built_in() -> None:
    """Import every harness module that may define kinds."""
    package = import_module(SPECIFICATIONS)
    for module in pkgutil.walk_packages(package.__path__, f"{SPECIFICATIONS}."):
        import_module(module.name)


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    """Mark that plugins are loading, and discard their prints, since a command's output may be JSON."""
    _is_loading.append(True)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        _is_loading.pop()


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""


def _load(entry: EntryPoint) -> Plugin:
    distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""
    plugin = Plugin(entry.name, entry.group, distribution)
    if entry.pattern.match(entry.value) is None:
        return replace(plugin, problem=f"its entry point '{entry.value}' is not of the form package.module:NAME")
    try:
        value = entry.load()
    except (Exception, SystemExit) as error:  # importing foreign code may raise anything
        return replace(plugin, problem=_absence(entry, error) or reason(error))
    return replace(plugin, value=value)


def _absence(entry: EntryPoint, error: BaseException) -> str:
    """Return a message if the package is missing although its metadata is installed, "" for any other error."""
    package = entry.module.partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or error.name != package:
        return ""
    how = INSTALL if _distribution(entry) == OWN else f"python -m pip install {_distribution(entry)}"
    return f"its package '{package}' is not installed: {how}"


def reason(error: BaseException) -> str:
    """Format an error as one short line with its location in the plugin."""
    text = shorten(str(error), LONGEST, placeholder=" ...")
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {text}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    place = f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text or 'no message'}{place}"


def _is_machinery(filename: str) -> bool:
    """Return whether a file belongs to Python, pydantic or the harness rather than to the plugin."""
    package = __file__.rpartition("/config/")[0]
    return filename.startswith(("<", package)) or "/importlib/" in filename or "/pydantic/" in filename
