"""Checkpoints: flat dictionaries of tensors in safetensors files, each with a manifest that holds its SHA-256.

A checkpoint is valid only if its manifest exists and the hash matches, so a crash at any time leaves the previous one.
Loading never executes code from a file.
"""

import contextlib
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from harness.errors import HarnessError
from harness.store.files import StoreError, read_json, remove, sha256_of, write_bytes, write_json
from harness.store.names import numbered

KEPT = 2


def save_checkpoint(folder: Path, step: int, state: dict[str, Tensor]) -> None:
    """Write the checkpoint of a step, then its manifest, then delete all but the newest `KEPT`.

    Raises `StoreError` if the disk is full; earlier checkpoints are then kept.
    """
    path = folder / f"{step:09d}.safetensors"
    save_tensors(path, state)
    write_json(path.with_suffix(".json"), {"step": step, "sha256": sha256_of(path)})
    for manifest in list(numbered(folder, after=".json", digits=9).values())[:-KEPT]:
        remove(manifest)
        remove(manifest.with_suffix(".safetensors"))


def newest_checkpoint(folder: Path) -> tuple[int, dict[str, Tensor], list[str]] | None:
    """Return the step and tensors of the newest valid checkpoint, and the errors of newer, invalid ones.

    Returns None if there are no checkpoints. Raises `StoreError` if none of them is valid.
    """
    complaints: list[str] = []
    for manifest in reversed(numbered(folder, after=".json", digits=9).values()):
        path = manifest.with_suffix(".safetensors")
        try:
            described = read_json(manifest)
            if sha256_of(path) != described["sha256"]:
                raise StoreError(f"checkpoint {path} is corrupt (its SHA-256 differs)")
            return described["step"], load_file(path), complaints
        except (StoreError, OSError, SafetensorError, KeyError, TypeError) as error:
            complaints.append(" ".join(str(error).split()))
    if complaints:
        raise StoreError(f"{complaints[0]}; there is no older one: delete {folder} to train from scratch")
    return None


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write named tensors atomically. Tensors may share storage, as tied weights do."""
    apart, places = {}, set()
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        apart[name] = own.clone() if place in places else own
        places.add(place)
    write_bytes(path, save(apart))


def load_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read named tensors.

    Raises `HarnessError` if the file is missing or its SHA-256 differs from the recorded one.
    """
    with contextlib.suppress(OSError):
        if sha256_of(path) == sha256:
            return load_file(path)
    raise HarnessError(f"{path} is missing or corrupt: delete {path.parent} and run again")
