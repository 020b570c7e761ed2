"""The files that a checkpoint continues from: the snapshots and the curve up to its step.

A checkpoint notes the run and the hashes of these files. Where one of them is lost or damaged, only training again
restores it, so the checkpoint is not used.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from harness.store.curves import curve_sha256
from harness.store.run_directory import RunDirectory
from harness.training.checkpoints import tensors_match

Snapshots = Mapping[int, str]
"""The SHA-256 of the snapshots by tenths."""


def notes_of(directory: RunDirectory, snapshots: Snapshots, step: int) -> dict[str, str]:
    """Return the notes of a checkpoint of this step."""
    return {
        "run": directory.id,
        "snapshots": json.dumps(dict(snapshots)),
        "curve": curve_sha256(directory.metrics, step),
    }


def complaint_of(directory: RunDirectory, notes: Mapping[str, str]) -> str:
    """Return why training cannot continue from a checkpoint with these notes, or an empty string."""
    if not notes.keys() >= {"run", "snapshots", "curve"}:
        return "it was written by an earlier version"
    if notes["run"] != directory.id:
        return f"it belongs to run {notes['run']}"
    if lost := [path for path, sha256 in _paths(directory, notes).items() if not tensors_match(path, sha256)]:
        return f"{lost[0]} is not the snapshot that it continues from"
    if curve_sha256(directory.metrics, int(notes["step"])) != notes["curve"]:
        return f"{directory.metrics} is not the curve that it continues from"
    return ""


def snapshots_in(notes: Mapping[str, str]) -> dict[int, str]:
    """Return the hashes of the snapshots in the notes of a checkpoint."""
    return {int(tenths): sha256 for tenths, sha256 in json.loads(notes["snapshots"]).items()}


def _paths(directory: RunDirectory, notes: Mapping[str, str]) -> dict[Path, str]:
    return {directory.snapshot(tenths): sha256 for tenths, sha256 in snapshots_in(notes).items()}
