"""Checkpoints: the newest valid one is loaded, writes are atomic, nothing is executed."""

import json
import pickle
import resource

import pytest
import torch

from harness.errors import HarnessError
from harness.store.files import StoreError
from harness.training.checkpoints import load_tensors, newest_checkpoint, save_checkpoint, save_tensors


def state(value):
    return {"weights": torch.full((50, 50), float(value)), "step": torch.tensor(value)}


def test_the_newest_two_are_kept(tmp_path):
    for step in (5, 10, 100_000, 200_000):
        save_checkpoint(tmp_path, step, state(step))
    step, tensors, complaints, _ = newest_checkpoint(tmp_path)
    assert (step, complaints) == (200_000, [])
    assert torch.equal(tensors["weights"], state(200_000)["weights"])
    assert len(list(tmp_path.iterdir())) == 4


def test_there_may_be_none(tmp_path):
    assert newest_checkpoint(tmp_path / "absent") is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "delete", "manifest", "step", "renamed"])
def test_a_damaged_checkpoint_is_passed_over_with_a_complaint(tmp_path, damage):
    save_checkpoint(tmp_path, 1, state(1))
    save_checkpoint(tmp_path, 2, state(2))
    newest = max(tmp_path.glob("*.safetensors"))
    content = bytearray(newest.read_bytes())
    if damage == "truncate":
        newest.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        content[-1] ^= 1
        newest.write_bytes(content)
    elif damage == "empty":
        newest.write_bytes(b"")
    elif damage == "delete":
        newest.unlink()
    elif damage == "manifest":
        newest.with_suffix(".json").write_text("{")
    else:
        manifest = newest.with_suffix(".json")
        manifest.write_text(manifest.read_text().replace('"step": 2', '"step": 3'))
        if damage == "renamed":
            for path in (newest, manifest):
                path.rename(path.with_stem("000000003"))
    step, tensors, complaints, _ = newest_checkpoint(tmp_path)
    assert step == 1
    assert tensors["step"] == 1
    assert len(complaints) == 1
    assert "\n" not in complaints[0]


def test_a_torn_write_without_manifest_does_not_count(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    (tmp_path / "000000002.safetensors").write_bytes(b"torn")
    assert newest_checkpoint(tmp_path)[0] == 1


def test_when_none_verifies_there_is_nothing_to_resume(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    next(tmp_path.glob("*.safetensors")).write_bytes(b"x")
    with pytest.raises(StoreError, match=r"000000001.safetensors is corrupt .*; there is no older one"):
        newest_checkpoint(tmp_path)


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StoreError, match=r"cannot write .*000000002.safetensors: .*nothing was lost"):
            save_checkpoint(tmp_path, 2, state(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert newest_checkpoint(tmp_path)[0] == 1
    assert not list(tmp_path.glob(".*"))


def test_loading_executes_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    save_checkpoint(tmp_path, 1, state(1))
    path = tmp_path / "000000002.safetensors"
    path.write_bytes(pickle.dumps(Evil()))
    import hashlib

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps({"step": 2, "sha256": digest}))
    assert newest_checkpoint(tmp_path)[0] == 1
    assert not (tmp_path / "owned").exists()


def test_weights_must_be_those_that_were_recorded(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_tensors(path, state(1))
    with pytest.raises(HarnessError, match="is missing or does not have its recorded SHA-256"):
        load_tensors(path, "0" * 64)
    with pytest.raises(HarnessError, match="is missing or does not have its recorded SHA-256"):
        load_tensors(tmp_path / "absent", "0" * 64)
