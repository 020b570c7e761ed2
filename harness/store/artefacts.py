"""The arrays beside a record: each is read only if it has the hash that the record states."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from harness.store.arrays import load_array
from harness.store.files import StoreError
from harness.store.hashed import current_sha256, hash_path, matches_hash
from harness.store.records import EvaluationRecord


def load_artefact(path: Path) -> NDArray[Any]:
    """Return an array of an evaluation, memory-mapped.

    Raises `StoreError`, with the file to delete, if it is damaged or not the array that the record states.
    """
    with suppress(OSError, ValueError):
        if is_recorded(path):
            return load_array(path, mapped=True)
    mend = f"delete {record_beside(path)} and run again to recompute both"
    raise StoreError(f"{path} is not the array that its record states; {mend}")


def is_recorded(path: Path) -> bool:
    """Return whether an array has the hash that its record states. The excerpts of a bundle have their own beside."""
    try:
        if recorded_sha256(path) == current_sha256(path):
            return True
    except OSError:
        return False
    return hash_path(path).exists() and matches_hash(path)


def recorded_sha256(path: Path) -> str | None:
    """Return the hash of an array in the record of its evaluation, None if there is none."""
    try:
        return EvaluationRecord.load(record_beside(path)).artefacts.get(path.name)
    except (StoreError, FileNotFoundError):
        return None


def record_beside(path: Path) -> Path:
    """Return the path of the record of an array."""
    return path.parent.with_name(f"{path.parent.name}.json")
