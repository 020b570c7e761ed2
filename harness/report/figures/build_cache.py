"""Remembers from what files were made, so that those that are still right are not made again."""

from collections.abc import Sequence
from pathlib import Path

from harness.store.files import StoreError, sha256_of
from harness.store.records import Record

FOLDER = ".made"


class BuildRecord(Record):
    """From what some files in a folder were made, as a hash, and the SHA-256 of each by its name."""

    fingerprint: str
    files: dict[str, str]


def up_to_date(folder: Path, what: str, fingerprint: str) -> list[Path] | None:
    """Return the files that were made as `what` from this origin; None unless each is still as it was made."""
    try:
        made = BuildRecord.load(_memory(folder, what))
        if made.fingerprint == fingerprint and all(
            sha256_of(folder / name) == hash for name, hash in made.files.items()
        ):
            return [folder / name for name in made.files]
    except (StoreError, OSError):
        pass  # without a memory everything is made anew
    return None


def record(folder: Path, what: str, fingerprint: str, files: Sequence[Path]) -> None:
    """Remember that these files of a folder were made as `what` from this origin."""
    BuildRecord(fingerprint=fingerprint, files={path.name: sha256_of(path) for path in files}).save(
        _memory(folder, what)
    )


def _memory(folder: Path, what: str) -> Path:
    return folder / FOLDER / f"{what}.json"
