"""GPU discovery without importing torch."""

import os

import pytest

from harness.launch.machine import default_workers, gpu_ids


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """Put a fake nvidia-smi on the PATH, since this machine may have none."""

    def install(script):
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return install


def test_every_listed_gpu_gets_a_worker(nvidia_smi):
    nvidia_smi("echo 'GPU 0: A (UUID: x)'; echo 'GPU 1: B (UUID: y)'")
    assert gpu_ids() == ["0", "1"]
    assert default_workers() == 2


def test_a_broken_driver_means_no_gpu(nvidia_smi):
    nvidia_smi("echo 'NVIDIA-SMI has failed'; exit 9")
    assert gpu_ids() == []
    assert default_workers() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("visible", "expected"), [("", []), ("-1", []), ("3", ["3"]), ("1,0", ["1", "0"])])
def test_what_is_visible_counts(monkeypatch, visible, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_ids() == expected
