"""Build cache: skips rendering outputs whose inputs have not changed."""

from collections.abc import Sequence
from pathlib import Path

from harness.store.files import StoreError, sha256_of
from harness.store.records import Record

FOLDER = ".made"


class BuildRecord(Record):
    """The fingerprint of the inputs of some files in a folder, and the SHA-256 of each file by its name."""

    fingerprint: str
    files: dict[str, str]


def up_to_date(folder: Path, what: str, fingerprint: str) -> list[Path] | None:
    """Return the files built as `what`; None unless the fingerprint matches and every file is unchanged."""
    try:
        made = BuildRecord.load(_record_path(folder, what))
        if made.fingerprint == fingerprint and all(
            sha256_of(folder / name) == hash for name, hash in made.files.items()
        ):
            return [folder / name for name in made.files]
    except (StoreError, OSError):
        pass  # without a record, rebuild
    return None


def record(folder: Path, what: str, fingerprint: str, files: Sequence[Path]) -> None:
    """Record that these files of a folder were built as `what` from inputs with this fingerprint."""
    BuildRecord(fingerprint=fingerprint, files={path.name: sha256_of(path) for path in files}).save(
        _record_path(folder, what)
    )


def _record_path(folder: Path, what: str) -> Path:
    return folder / FOLDER / f"{what}.json"
