"""Find the files of an installed distribution, keyed by their import paths."""

import json
import os
import site
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import Distribution
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

from harness.store.git import Tracked, tracked
from harness.store.imports import places_of, reachable

Source = Path | zipfile.Path
CACHE, COMPILED = "__pycache__", (".pyc", ".pyo")
MODULES = (".py", ".so", ".pyd")
EDITABLE = ("__editable__", "_editable_impl_")
"""Prefixes of the modules that redirect imports in an editable installation."""
DATA = (
    ".bin", ".ckpt", ".gz", ".h5", ".hdf5", ".log", ".npy", ".npz", ".onnx", ".parquet", ".pkl", ".pt", ".pth",
    ".safetensors", ".tar", ".tgz", ".zip",
)  # fmt: skip
"""Suffixes of data files: part of the code only if tracked by git or listed by the distribution."""


class Files(NamedTuple):
    """Files keyed by names such as `package/module.py`, and their git state, None if untracked."""

    named: Mapping[str, Source]
    state: Tracked | None


def packages_of(found: Distribution) -> list[str]:
    """Return the names of a distribution's top-level packages and modules."""
    return list(_recorded(found) or _located(found))


def files_of(found: Distribution) -> Files:
    """Return the files of a distribution.

    These are the files in its RECORD. Editable installations and bare metadata next to the code have none, so the files
    of their packages are used, as they are for a package that Python finds elsewhere first.
    """
    recorded = _recorded(found)
    located = {package: places_of(package) for package in recorded} if recorded else _located(found)
    parts = []
    for package, places in located.items():
        home = _stem(str(found.locate_file(package)))
        at_home = [place for place in places if _stem(place) == home] if package in recorded else []
        parts += [Files(recorded[package], tracked(Path(place))) for place in at_home]
        parts += [packaged(package, place) for place in places if not at_home]
    return joined(parts)


def packaged(package: str, place: str) -> Files:
    """Return the files of a top-level package, or the file of a module, at a path.

    These are the files tracked by git, or without git, all except caches, hidden files and data.
    """
    path = Path(place).resolve()
    state = tracked(path)
    if path.is_file():
        return Files({package + path.suffix: path}, state)
    names = {file: PurePosixPath(package, file.relative_to(path)) for file in (state.files if state else _walk(path))}
    return Files({str(name): file for file, name in names.items() if _is_code(name)}, state)


def joined(parts: Sequence[Files]) -> Files:
    """Merge several parts, with a git state if all of them are tracked at the same commit."""
    parts = [part for part in parts if part.named]
    named = {name: file for part in parts for name, file in part.named.items()}
    states = [part.state for part in parts if part.state is not None]
    if not states or len(states) < len(parts) or len({state.commit for state in states}) > 1:
        return Files(named, None)
    return Files(named, replace(states[0], dirty=any(state.dirty for state in states)))


def origin_of(found: Distribution) -> dict[str, Any]:
    """Return pip's `direct_url.json` of a distribution, empty if it was installed from an index."""
    try:
        return dict(json.loads(found.read_text("direct_url.json") or "{}"))
    except (ValueError, TypeError):
        return {}


def _recorded(found: Distribution) -> dict[str, dict[str, Source]]:
    """Return the files in a distribution's RECORD by package, empty for an editable installation."""
    if found.read_text("RECORD") is None or _editable_folder(found):
        return {}
    packages: dict[str, dict[str, Source]] = {}
    for file in found.files or ():
        name = PurePosixPath(file)
        top = name.parts[0]
        alone = len(name.parts) == 1 and (name.suffix not in MODULES or top.startswith(EDITABLE))
        if not alone and not top.endswith((".dist-info", ".data")) and ".." not in name.parts and _is_code(name):
            package = top.partition(".")[0]
            packages.setdefault(package, {})[str(name)] = cast(Source, found.locate_file(file))
    return packages


def _located(found: Distribution) -> dict[str, tuple[str, ...]]:
    """Return the packages of a distribution without RECORD, with the paths that Python imports them from.

    These are the packages of its entry points and of `top_level.txt`. Without the latter, they are the packages that
    imports reach from its entry points and from a package of its own name, in the same folders or the project folder.
    """
    starts = {entry.value.partition(":")[0].partition(".")[0].strip(): None for entry in found.entry_points}
    around = [Path(place).resolve().parent for package in starts for place in places_of(package)]
    own = [Path(folder).resolve() for folder in _own_folders(found)]
    beside = [folder for folder in (*own, *around) if folder not in _shared_folders()]
    named = (found.read_text("top_level.txt") or "").split()
    called = (found.name or "").replace("-", "_").replace(".", "_").lower()
    others = named or reachable([*starts, called], lambda place: _is_under(place, beside))
    located = {}
    for package in dict.fromkeys([*starts, *others]):
        places = places_of(package)
        within = [tuple(place for place in places if _is_under(place, folders)) for folders in (own, beside)]
        located[package] = within[0] or within[1] or (places if package in starts else ())
    return {package: places for package, places in located.items() if places}


def _own_folders(found: Distribution) -> Iterator[str]:
    """Yield the folders of a project: its source folder and those that its `.pth` files add to the path."""
    folder = _editable_folder(found)
    yield folder or str(found.locate_file(""))
    for file in found.files or () if folder else ():
        if file.suffix == ".pth":
            path = Path(str(found.locate_file(file)))
            lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
            yield from (line for line in lines if os.path.isdir(line))


def _editable_folder(found: Distribution) -> str:
    """Return the project folder of an editable installation, "" for any other."""
    origin = origin_of(found)
    if not origin.get("dir_info", {}).get("editable"):
        return ""
    return url2pathname(urlsplit(str(origin.get("url", ""))).path)


def _shared_folders() -> set[Path]:
    """Return the site-packages folders."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    return {Path(folder).resolve() for folder in (*folders, site.getusersitepackages())}


def _is_under(place: str, folders: Sequence[Path]) -> bool:
    return any(Path(place).resolve().is_relative_to(folder) for folder in folders)


def _stem(place: str) -> str:
    """Return the path of a package, or of a module without suffixes."""
    path = PurePath(place)
    return str(path.parent / path.name.partition(".")[0])


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, skipping hidden folders, caches and data."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != CACHE and not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.endswith(DATA))


def _is_code(name: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") or part == CACHE for part in name.parts)
    return not hidden and name.suffix not in COMPILED
