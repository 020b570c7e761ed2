"""Static import analysis: find a package's location and the packages it depends on, without importing it."""

import ast
import re
import warnings
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

IMPLEMENTATION = re.compile(r"([A-Za-z_]\w*)(\.\w+)*:[A-Za-z_]\w*")
"""The form in which a kind names its implementation: `package.module:name`."""


def places_of(package: str) -> tuple[str, ...]:
    """Return the folders or the file that a top-level package or module is imported from, empty if it is not found."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return ()
    if spec is None:
        return ()
    if spec.submodule_search_locations is not None:
        return tuple(spec.submodule_search_locations)
    return (spec.origin,) if spec.origin and spec.has_location else ()


def reachable(starts: Iterable[str], is_own: Callable[[str], bool]) -> list[str]:
    """Return the top-level packages reachable by imports or `module:name` strings, restricted to `is_own` places."""
    found: dict[str, None] = {}
    waiting = list(starts)
    while waiting:
        package = waiting.pop()
        places = [] if package in found else [Path(place) for place in places_of(package) if is_own(place)]
        if places:
            found[package] = None
        for place in places:
            files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
            waiting += sorted({name for file in files for name in _imported(file)})
    return list(found)


def _imported(file: Path) -> set[str]:
    """Return the top-level names that a source file imports or mentions as `module:name`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return set()
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.partition(".")[0])
            case ast.Constant(value=str(text)) if match := IMPLEMENTATION.fullmatch(text):
                found.add(match[1])
    return found
