"""The manifest of a prepared dataset: its files, their hashes, and their original archives."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.config.dataset import Dataset
from harness.data.registry import source_of
from harness.store.files import corrupted, read_json, sha256_of, write_json

FILE = "manifest.json"


class DatasetManifest(BaseModel):
    """The contents of a prepared dataset: SHA-256 and shape by file name, SHA-256 of the original archives.

    `revision` is the revision of the reader; 1 is not written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    files: dict[str, str]
    shapes: dict[str, list[int]] = {}
    archives: dict[str, str] = {}
    revision: int = 1

    @property
    def sha256(self) -> str:
        """A single hash over all files, which identifies the data of a result independently of the archive."""
        return hashlib.sha256(self.model_dump_json(include={"name", "files"}).encode()).hexdigest()

    def save(self, folder: Path) -> None:
        """Write the manifest into the folder of the files."""
        write_json(folder / FILE, self.model_dump(exclude={"revision"} if self.revision == 1 else set()))


def read_manifest(folder: Path) -> DatasetManifest | None:
    """Return the manifest in a folder, or None if there is none.

    Raises `StoreError` if the file is not a manifest.
    """
    path = folder / FILE
    try:
        return DatasetManifest.model_validate(read_json(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise corrupted(path, str(error)) from None


def files_of(data: Dataset, split: str) -> dict[str, str]:
    """Return the file name of each field of a split, in manifest order."""
    return {field: f"{split}-{field}.npy" for field in sorted(data.stored)}


def in_order(splits: Iterable[str]) -> list[str]:
    """Return splits in manifest order: train, test, then by name."""
    first = ("train", "test")
    return sorted(splits, key=lambda split: (first.index(split) if split in first else len(first), split))


def lost(folder: Path, manifest: DatasetManifest) -> list[str]:
    """Return the prepared files that are missing."""
    return [name for name in manifest.files if not (folder / name).is_file()]


def lacking(manifest: DatasetManifest, data: Dataset) -> str:
    """Return which part of the dataset was not prepared, or an empty string."""
    for split, count in data.splits.items():
        files = files_of(data, split)
        counts = {manifest.shapes.get(name, [count])[0] for name in files.values() if name in manifest.files}
        if counts != {count}:
            return f"the {count:,} examples of split {split}"
        for field, name in files.items():
            shape = [count, *data.stored[field].shape]
            if name not in manifest.files:
                return f"{field} in split {split}"
            if manifest.shapes.get(name, shape) != shape:
                return f"{field} of shape {tuple(shape[1:])}"
    return ""


def outdated(manifest: DatasetManifest, data: Dataset) -> str:
    """Return why a prepared dataset is outdated, or an empty string."""
    if missing := lacking(manifest, data):
        return f"without {missing}"
    source = source_of(data)
    if source is not None and source.revision != manifest.revision:
        return f"by revision {manifest.revision} of its reader, which has revision {source.revision} now"
    return ""


def inspect(folder: Path, manifest: DatasetManifest) -> Iterator[tuple[str, str]]:
    """Yield every file with its problem, or an empty string if the file is intact."""
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield name, "missing"
        elif (found := sha256_of(path)) != expected:
            yield name, f"changed: SHA-256 {found[:12]}..., not {expected[:12]}..."
        else:
            yield name, ""
