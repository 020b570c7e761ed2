"""GPU discovery without importing torch."""

import os

import gpus
import pytest
import torch

from harness.errors import SpecError
from harness.launch.machine import default_workers, device_kind, gpu_ids, usable_cores
from harness.store.provenance import processor_name

FIRST, SECOND, THIRD = map(gpus.UUID.format, range(3))
PART = "MIG-5c8f0a3e-0000-5555-8888-123456789abc"
PARTS = f"{gpus.listing(1)}  MIG 3g.71gb     Device  0: (UUID: {PART})\n  MIG 1g.18gb     Device  1: (UUID: MIG-0)\n"


def test_every_listed_gpu_gets_a_worker(tmp_path, monkeypatch):
    gpus.install(tmp_path, monkeypatch, gpus.listing(2))
    assert gpu_ids() == ["0", "1"]
    assert default_workers() == 2
    assert device_kind() == "NVIDIA H200"


def test_a_broken_driver_means_no_gpu(tmp_path, monkeypatch):
    gpus.install(tmp_path, monkeypatch, "NVIDIA-SMI has failed", code=9)
    assert gpu_ids() == []
    assert default_workers() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(("limit", "cores"), [("", None), (" ", None), ("1", 1)])
def test_the_limit_of_joblib_counts(monkeypatch, limit, cores):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", limit)
    assert usable_cores() == (cores or len(os.sched_getaffinity(0)))


@pytest.mark.parametrize("limit", ["abc", "0", "-1", "²", "9" * 5000])
def test_an_odd_limit_of_joblib_is_refused(monkeypatch, limit):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", limit)
    with pytest.raises(SpecError, match=r"LOKY_MAX_CPU_COUNT is .*: allowed: integers of 1 or more"):
        usable_cores()


CHOICES = [
    ("", []),
    ("-1", []),
    ("2", ["2"]),
    ("1,0", ["1", "0"]),
    (" 1 , 2", ["1", "2"]),
    ("0,0", []),
    ("1,2,01", []),
    ("0,3,1", ["0"]),
    ("0,-1,1", ["0"]),
    ("0,,1", ["0"]),
    ("3", []),
    ("9" * 5000, []),
    ("1gpu2,2ampere", ["1", "2"]),
    ("NoDevFiles", []),
    ("none", []),
    ("void", []),
    ("all", []),
    ("²", []),
    ("-", []),
    (f"0,{SECOND}", ["0"]),
    (SECOND, [SECOND]),
    (f"{THIRD},{FIRST}", [THIRD, FIRST]),
    ("GPU-00000001", [SECOND]),
    ("GPU-0", []),
    (f"{FIRST},{FIRST}", []),
    (f"{FIRST},0", [FIRST]),
    (f"{FIRST},GPU-9", [FIRST]),
    (PART, []),
]


@pytest.mark.parametrize(("visible", "expected"), CHOICES, ids=[repr(given)[:30] for given, _ in CHOICES])
def test_a_choice_counts_as_far_as_its_devices_exist(monkeypatch, visible, expected):
    gpus.pretend(monkeypatch, gpus.listing(3))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_ids() == expected
    if visible not in ("-", "9" * 5000, "²"):  # torch fails on these itself
        assert len(expected) == number_for_torch(monkeypatch, 3)


def number_for_torch(monkeypatch, count):
    """Count the GPUs as torch would on a machine with `count` of them."""
    monkeypatch.setattr(torch.cuda, "_raw_device_count_nvml", lambda: count)
    monkeypatch.setattr(torch.cuda, "_raw_device_uuid_nvml", lambda: list(map(gpus.UUID.format, range(count))))
    return max(torch.cuda._device_count_nvml(), 0)


@pytest.mark.parametrize("visible", ["0", "0,1,2,3", FIRST, PART, "NoDevFiles", "0,0", "-1", ""])
def test_without_a_driver_there_is_no_gpu_whatever_is_chosen(monkeypatch, tmp_path, visible):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_ids() == []
    assert device_kind() == processor_name()


@pytest.mark.parametrize(
    ("visible", "expected"),
    [(PART, [PART]), ("MIG-5c8f", [PART]), (f"MIG-0,{PART}", ["MIG-0", PART]), ("MIG-7", []), (f"{PART},{PART}", [])],
)
def test_parts_of_a_gpu_are_found_by_their_uuid(monkeypatch, visible, expected):
    gpus.pretend(monkeypatch, PARTS)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_ids() == expected
