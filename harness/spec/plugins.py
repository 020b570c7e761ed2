"""Installed distributions that bring papers and kinds: found by entry points, loaded once, each on its own.

An entry point of the group `harness.papers` names a paper, one of `harness.kinds` a module that only defines kinds.
What fails to load is kept with its reason, and leaves the others alone.
"""

import contextlib
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from textwrap import shorten
from typing import Any

PAPERS, KINDS = "harness.papers", "harness.kinds"
OWN = "paper-harness"
"""The distribution of the harness and of the papers in its repository."""
LONGEST = 300
"""Of the text of a plugin's error, in characters."""
BUILT_IN = (
    "harness.spec.augmentation",
    "harness.spec.data",
    "harness.spec.energy_methods",
    "harness.spec.evaluations",
    "harness.spec.feature_spaces",
    "harness.spec.methods",
    "harness.spec.networks",
    "harness.spec.optimisation",
    "harness.spec.processes",
    "harness.spec.samplers",
)
"""The modules of the kinds that come with the harness, which own their names before any other does."""


@dataclass(frozen=True)
class Plugin:
    """What an entry point offers, or in one line why it cannot be loaded."""

    name: str
    group: str
    module: str
    distribution: str
    value: Any = None
    problem: str = ""

    def __str__(self) -> str:
        return f"'{self.name}' of {self.distribution}" if self.distribution else f"'{self.name}'"


def offers() -> list[EntryPoint]:
    """Return the entry points of all papers and kinds, unloaded; those of the harness itself come first."""
    found = [entry for group in (PAPERS, KINDS) for entry in entry_points(group=group)]
    return sorted(found, key=lambda entry: (_distribution(entry) != OWN, entry.group, entry.name))


def load_plugins() -> tuple[Plugin, ...]:
    """Load every offer once and return what came of each.

    While plugins are loading, a nested call returns nothing: what is being defined cannot be found yet.
    """
    return () if _is_loading else _loaded()


_is_loading: list[bool] = []


@cache
def _loaded() -> tuple[Plugin, ...]:
    load_built_in()
    with _loading():
        return tuple(map(_load, offers()))


@cache
def load_built_in() -> None:
    """Import every module of the harness that defines kinds."""
    for module in BUILT_IN:
        import_module(module)


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    """Mark that plugins are loading, and keep what they print away from a command's output."""
    _is_loading.append(True)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _is_loading.pop()


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else ""


def _load(entry: EntryPoint) -> Plugin:
    distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else ""
    plugin = Plugin(entry.name, entry.group, entry.module, distribution)
    try:
        value = entry.load()
    except (Exception, SystemExit) as error:  # a foreign module may do anything when it is imported
        return Plugin(**{**vars(plugin), "problem": reason(error)})
    return Plugin(**{**vars(plugin), "value": value})


def reason(error: BaseException) -> str:
    """Return an error in one line that is not long, with the place in the plugin where it arose."""
    text = shorten(str(error), LONGEST, placeholder=" ...")
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {text}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    place = f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text or 'no message'}{place}"


def _is_machinery(filename: str) -> bool:
    """Tell whether a file belongs to Python, pydantic or the harness rather than to the plugin."""
    package = __file__.rpartition("/spec/")[0]
    return filename.startswith(("<", package)) or "/importlib/" in filename or "/pydantic/" in filename
