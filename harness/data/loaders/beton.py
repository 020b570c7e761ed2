"""The `.beton` files of FFCV, written once next to their source arrays, with a record.

A file is valid only with its record, which has the hashes of the arrays and of the file itself. So stale, truncated and
damaged files are detected and rewritten.
"""

import logging
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.data.prepared.blocks import Report
from harness.data.prepared.dataset import PreparedDataset
from harness.data.prepared.prepare import exclusive_lock
from harness.store.files import StoreError, read_json, sha256_of, write_json, writing

log = logging.getLogger("harness.data")

LAYOUT = 1
"""Increment when the fields of the file change."""


class BetonRecord(BaseModel):
    """The hashes of a `.beton` file and of its source arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: int
    images: str
    labels: str
    sha256: str


def beton(data: PreparedDataset, split: str, report: Report) -> Path:
    """Return the `.beton` file of a split, writing it first if there is no valid one.

    One process writes while others wait; all of them call `report`, which may raise to abort cleanly. Raises
    `StoreError` if the disk is full or the folder is read-only.
    """
    arrays = data.split(split)
    path = data.folder / f"{split}.beton"
    record = path.with_name(f"{path.name}.json")
    expected = {
        "layout": LAYOUT,
        "images": data.manifest.files[f"{split}-images.npy"],
        "labels": data.manifest.files[f"{split}-labels.npy"],
    }
    if not _complaint(path, record, expected):
        return path
    lock = path.with_name(f".{path.name}.lock")
    with exclusive_lock(lock, lambda: report(f"waiting for another process that writes {path.name}", 0, 0)):
        complaint = _complaint(path, record, expected)
        if not complaint:
            return path
        from harness.data.loaders.beton_writer import write_beton

        log.info("writing %s for FFCV: %s", path, complaint)
        draft = path.with_name(f".{path.name}.draft")
        with writing(path):
            record.unlink(missing_ok=True)
            try:
                write_beton(
                    draft,
                    arrays["images"],
                    arrays["labels"],
                    lambda done: report(f"writing {path.name}", done, len(arrays)),
                )
                sha256 = sha256_of(draft)
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)
        write_json(record, expected | {"sha256": sha256})
    return path


def _complaint(path: Path, record: Path, expected: dict[str, object]) -> str:
    """Return why the file is invalid, or an empty string if it matches its record and these arrays."""
    try:
        found = BetonRecord.model_validate(read_json(record))
        if found.model_dump(exclude={"sha256"}) != expected:
            return "the existing one was made from other data"
        if sha256_of(path) != found.sha256:
            return "the existing one is corrupt"
    except FileNotFoundError:
        return "there is none yet"
    except (StoreError, ValidationError):
        return "the record of the existing one is damaged"
    return ""
