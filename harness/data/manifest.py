"""The manifest of a prepared dataset: its files, their hashes, and what they were made of."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.spec.data import Dataset
from harness.store.files import corrupted, read_json, sha256_of

FILE = "manifest.json"


class Manifest(BaseModel):
    """What a prepared dataset consists of: SHA-256 and shape by file name, SHA-256 of the original archives."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    files: dict[str, str]
    shapes: dict[str, list[int]] = {}
    archives: dict[str, str] = {}

    @property
    def sha256(self) -> str:
        """One hash over all files, which names the data of a result, whatever archive they came in."""
        return hashlib.sha256(self.model_dump_json(include={"name", "files"}).encode()).hexdigest()


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest in a folder, None where there is none.

    Raises `StoreError` when the file is not a manifest.
    """
    path = folder / FILE
    try:
        return Manifest.model_validate(read_json(path))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise corrupted(path, str(error)) from None


def lost(folder: Path, manifest: Manifest) -> list[str]:
    """Return the files that were prepared and are there no more."""
    return [name for name in manifest.files if not (folder / name).is_file()]


def lacking(manifest: Manifest, data: Dataset) -> str:
    """Return the split of a dataset whose images were not all prepared, nothing where all of them were."""
    for split, count in data.splits.items():
        name = f"{split}-images.npy"
        if name not in manifest.files or manifest.shapes.get(name, [count])[0] != count:
            return split
    return ""


def inspect(folder: Path, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield every file with what is wrong with it, nothing where it is the one that was prepared."""
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield name, "missing"
        elif (found := sha256_of(path)) != expected:
            yield name, f"changed: SHA-256 {found[:12]}..., not {expected[:12]}..."
        else:
            yield name, ""
