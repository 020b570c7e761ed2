"""Checkpoints: flat dictionaries of tensors in safetensors files, each vouched for by a manifest with its hash.

A checkpoint counts only if its manifest exists and the hash agrees, so a crash at any moment leaves the one before.
Loading executes nothing that a file contains.
"""

import contextlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from harness.errors import HarnessError
from harness.store.files import StoreError, read_json, sha256_of, write_bytes, write_json

KEPT = 2


def save_checkpoint(folder: Path, step: int, state: dict[str, Tensor]) -> None:
    """Write the checkpoint of a step, then its manifest, then delete all but the newest few.

    Raises `StoreError` when the disk is full; earlier checkpoints then stay.
    """
    path = folder / f"{step:09d}.safetensors"
    save_tensors(path, state)
    write_json(path.with_suffix(".json"), {"step": step, "sha256": sha256_of(path)})
    for manifest in sorted(folder.glob("*.json"))[:-KEPT]:
        manifest.unlink()
        manifest.with_suffix(".safetensors").unlink(missing_ok=True)


def newest_checkpoint(folder: Path) -> tuple[int, dict[str, Tensor], list[str]] | None:
    """Return the step and the tensors of the newest checkpoint that verifies, and why newer ones did not.

    Returns None when there is none at all. Raises `StoreError` when there are some and none verifies.
    """
    complaints: list[str] = []
    for manifest in sorted(folder.glob("*.json"), reverse=True):
        path = manifest.with_suffix(".safetensors")
        try:
            described = read_json(manifest)
            if sha256_of(path) != described["sha256"]:
                raise StoreError(f"checkpoint {path} is not what was written (its SHA-256 differs)")
            return described["step"], load_file(path), complaints
        except (StoreError, OSError, SafetensorError, KeyError, TypeError) as error:
            complaints.append(" ".join(str(error).split()))
    if complaints:
        raise StoreError(f"{complaints[0]}; no older one is left: delete {folder} to train from the beginning")
    return None


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write named tensors atomically. Some may share memory, as tied weights do."""
    apart, places = {}, set()
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        apart[name] = own.clone() if place in places else own
        places.add(place)
    write_bytes(path, save(apart))


def load_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read named tensors.

    Raises `HarnessError` when the file is absent or not the one that was recorded.
    """
    with contextlib.suppress(OSError):
        if sha256_of(path) == sha256:
            return load_file(path)
    raise HarnessError(f"{path} is missing or not what was recorded: delete {path.parent} and run again")
