"""A stand-in for nvidia-smi, since the machine of the tests may have no GPU."""

import os

UUID = "GPU-{0:08d}-1111-2222-3333-444444444444"


def listing(count):
    """Return what `nvidia-smi -L` prints for so many GPUs."""
    return "".join(f"GPU {n}: NVIDIA H200 (UUID: {UUID.format(n)})\n" for n in range(count))


def pretend(monkeypatch, listed):
    """Let this process find the GPUs of a list, all of them visible."""
    monkeypatch.setattr("harness.launch.gpus.listed_by_driver", listed.splitlines)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def install(folder, monkeypatch, listed, driver="570.86.15", code=0):
    """Put a program on the PATH that lists GPUs like nvidia-smi, or prints the version of the driver."""
    (folder / "listed").write_text(listed)
    tool = folder / "nvidia-smi"
    tool.write_text(f'#!/bin/sh\n[ "$1" = -L ] && cat "{folder}/listed" || echo "{driver}"\nexit {code}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
