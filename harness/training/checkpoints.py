"""Checkpoints: flat dictionaries of tensors in safetensors files, each with a manifest that holds its SHA-256.

A checkpoint is valid only if its manifest exists and the hash matches, so a crash at any time leaves the previous one.
The file also contains its step and notes of the writer, so that the hash covers them. Loading never executes code from
a file.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from harness.errors import HarnessError
from harness.store.files import StoreError, read_json, remove, sha256_of, write_bytes, write_json
from harness.store.names import numbered

KEPT = 2


class Checkpoint(NamedTuple):
    """The training state after `step` steps, the errors of newer, invalid checkpoints, and the notes of its writer."""

    step: int
    state: dict[str, Tensor]
    complaints: list[str]
    notes: Mapping[str, str]


def save_checkpoint(folder: Path, step: int, state: dict[str, Tensor], notes: Mapping[str, str] | None = None) -> None:
    """Write the checkpoint of a step, then its manifest, then delete all but the newest `KEPT`.

    Raises `StoreError` if the disk is full; earlier checkpoints are then kept.
    """
    path = folder / f"{step:09d}.safetensors"
    sha256 = save_tensors(path, state, {**(notes or {}), "step": str(step)})
    write_json(path.with_suffix(".json"), {"step": step, "sha256": sha256})
    for manifest in list(numbered(folder, after=".json", digits=9).values())[:-KEPT]:
        remove(manifest)
        remove(manifest.with_suffix(".safetensors"))


def newest_checkpoint(
    folder: Path, complaint_of: Callable[[Mapping[str, str]], str] = lambda notes: ""
) -> Checkpoint | None:
    """Return the newest valid checkpoint, None if there are no checkpoints.

    `complaint_of` returns why a checkpoint with these notes, which include its step, cannot be used, or an empty
    string. Raises `StoreError` if there are checkpoints and none of them is valid.
    """
    complaints: list[str] = []
    for manifest in reversed(numbered(folder, after=".json", digits=9).values()):
        path = manifest.with_suffix(".safetensors")
        try:
            step, notes = _verified(path, read_json(manifest))
            if complaint := complaint_of(notes):
                raise StoreError(f"checkpoint {path} cannot be used: {complaint}")
            return Checkpoint(step, load_file(path), complaints, notes)
        except (StoreError, OSError, SafetensorError, KeyError, TypeError) as error:
            complaints.append(" ".join(str(error).split()))
    if complaints:
        raise StoreError(f"{'; '.join(complaints)}; there is no older one")
    return None


def _verified(path: Path, described: Mapping[str, object]) -> tuple[int, Mapping[str, str]]:
    """Return the step and the notes of a checkpoint.

    Raises `StoreError` if the file does not have the SHA-256 of its manifest, or if one of the file's name, the file
    and the manifest states another step.
    """
    if sha256_of(path) != described["sha256"]:
        raise StoreError(f"checkpoint {path} is corrupt (its SHA-256 differs)")
    with safe_open(path, "pt") as file:
        notes: Mapping[str, str] = file.metadata() or {}
    steps = {path.stem, f"{described['step']:0>9}", f"{notes.get('step', 'none'):0>9}"}
    if len(steps) > 1:
        raise StoreError(f"checkpoint {path} states several steps: {', '.join(sorted(steps))}")
    return int(path.stem), notes


def save_tensors(path: Path, tensors: dict[str, Tensor], notes: Mapping[str, str] | None = None) -> str:
    """Write named tensors atomically, and return the SHA-256 of the file.

    Tensors may share storage, as tied weights do.
    """
    apart, places = {}, set()
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        apart[name] = own.clone() if place in places else own
        places.add(place)
    content = save(apart, dict(notes) if notes else None)
    write_bytes(path, content)
    return hashlib.sha256(content).hexdigest()


def tensors_match(path: Path, sha256: str) -> bool:
    """Return whether a file exists and has the recorded SHA-256."""
    try:
        return sha256_of(path) == sha256
    except (OSError, StoreError):
        return False


def load_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read named tensors.

    Raises `HarnessError` if the file is missing or its SHA-256 differs from the recorded one.
    """
    if not tensors_match(path, sha256):
        raise HarnessError(f"{path} is missing or does not have its recorded SHA-256")
    return load_file(path)
