"""Installed distributions: their files, git state, and the distribution that owns a module."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions

import harness
from harness.config.base import sha256_of_json
from harness.config.plugins import OWN, offers
from harness.store.imports import places_of
from harness.store.package_files import Files, Source, files_of, joined, origin_of, packaged, packages_of

SNAPSHOT = "snapshot.json"
"""File in the metadata of a distribution in a snapshot: commit, dirty flag and hash of the copied code."""

PIECE = 2**20


@dataclass(frozen=True, eq=False)
class Installed:
    """A distribution with its `files`, keyed by names such as `package/module.py`.

    `commit` and `dirty` are the state of the repository that tracks the files, None if there is none. `taken` is the
    hash recorded in a snapshot, empty outside of snapshots.
    """

    name: str
    version: str
    files: Mapping[str, Source]
    commit: str | None = None
    dirty: bool | None = None
    taken: str = ""
    metadata: Distribution | None = None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the names and contents of all files, independent of the install location."""
        return self.taken or sha256_of_json([[name, _sha256_of(self.files[name])] for name in sorted(self.files)])

    def has(self, module: str) -> bool:
        """Return whether a module is one of its files."""
        path = module.replace(".", "/")
        return f"{path}.py" in self.files or f"{path}/__init__.py" in self.files


@cache
def installed(name: str) -> Installed | None:
    """Return the distribution with this name, None if it is not installed."""
    try:
        return _from_metadata(distribution(name))
    except PackageNotFoundError:
        return None


@cache
def own_distribution() -> Installed:
    """Return the distribution of the harness, even if it is on the path without being installed."""
    own = installed(OWN)
    if own is not None and own.has(harness.__name__):
        return own
    parts = [packaged(harness.__name__, place) for place in places_of(harness.__name__)]
    return _installed(OWN, harness.__version__, joined(parts))


@cache
def offering() -> tuple[Installed, ...]:
    """Return the distributions that offer papers or kinds, the harness first."""
    names = {offer.dist.name for offer in offers() if offer.dist is not None and offer.dist.name} - {OWN}
    return (own_distribution(), *(found for name in sorted(names) if (found := installed(name))))


@cache
def owner_of(module: str) -> Installed | None:
    """Return the distribution that owns a module, None if there is none."""
    package = module.partition(".")[0]
    for candidate in offering():
        if candidate.has(module):
            return candidate
    for found in distributions():
        if package in packages_of(found) and (candidate := _from_metadata(found)).has(module):
            return candidate
    return None


def _from_metadata(found: Distribution) -> Installed:
    described = _installed(found.name, found.version or "", files_of(found), found)
    if origin := origin_of(found).get("vcs_info"):
        described = replace(described, commit=origin.get("commit_id"), dirty=False)
    if snapshot := found.read_text(SNAPSHOT):
        described = replace(described, **json.loads(snapshot))
    return described


def _installed(name: str, version: str, files: Files, metadata: Distribution | None = None) -> Installed:
    state = files.state
    return Installed(
        name=name,
        version=version,
        files=files.named,
        commit=state.commit if state else None,
        dirty=state.dirty if state else None,
        metadata=metadata,
    )


def _sha256_of(source: Source) -> str:
    """Return the hash of a file's content, "" if it is unreadable, since a run must not fail because of that."""
    digest = hashlib.sha256()
    with suppress(OSError), source.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
        return digest.hexdigest()
    return ""
