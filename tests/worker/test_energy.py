"""GPU energy: NVIDIA's own binding against a fake library that follows NVML's reference.

Needs and uses no GPU; the answers of real drivers are not tested here.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness.worker.energy import EnergyMeter, gpu_uuid

SUPPORT = Path(__file__).parent.parent / "support"
COMPILER = shutil.which("cc")
NOT_SUPPORTED, DRIVER_NOT_LOADED, GPU_LOST = 3, 9, 15
CASES = {
    "alone": ("a", "0 0 5000000", "0 0 5250000", "0 0 4294972296000"),
    "in a container": ("d", "0 0 5000000", "0 0 5250000"),
    "others compute on it": ("b", "0 0 5", "0 0 6"),
    "MIG": ("c", "0 0 5", "0 0 6"),
    "the UUID of a MIG instance": ("e", "0 0 5", "0 0 6"),
    "no driver": ("a", f"{DRIVER_NOT_LOADED} 0 5", f"{DRIVER_NOT_LOADED} 0 6"),
    "before Volta": ("a", f"0 {NOT_SUPPORTED} 5", f"0 {NOT_SUPPORTED} 6"),
    "lost for a while": ("a", "0 0 5", f"0 {GPU_LOST} 6", "0 0 9000"),
    "the driver was loaded anew": ("a", "0 0 5", "0 0 4"),
}
"""A fake GPU, and its states at the start of a meter and at the reading."""
METERS = """
import json, sys
from pathlib import Path
from harness.worker.energy import EnergyMeter

stand_in, answers = Path(sys.argv[2]), {}
for name, (gpu, first, *states) in json.loads(sys.argv[1]).items():
    stand_in.write_text(first)
    meter = EnergyMeter(f"GPU-00000000-0000-0000-0000-00000000000{gpu}")
    answers[name] = []
    for state in states:
        stand_in.write_text(state)
        answers[name].append(meter.joules())
    meter.close()
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def joules(tmp_path_factory):
    """Readings of all cases, in a process that loads the fake as NVML."""
    if COMPILER is None or sys.platform != "linux":
        pytest.skip("the stand-in is compiled by cc, for Linux")
    folder = tmp_path_factory.mktemp("nvml")
    library, stand_in = folder / "libnvidia-ml.so.1", folder / "state"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-w", "-o", library, SUPPORT / "nvml.c"], check=True)
    environment = os.environ | {"LD_LIBRARY_PATH": str(folder), "NVML_STAND_IN": str(stand_in)}
    command = [sys.executable, "-c", METERS, json.dumps(CASES), str(stand_in)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_what_the_counter_went_up_by(joules):
    assert joules["alone"] == [250.0, 4294967296.0]
    assert joules["in a container"] == [250.0]


@pytest.mark.parametrize("case", [name for name in CASES if name not in ("alone", "in a container")])
def test_what_cannot_be_told_of_this_worker_is_none(joules, case):
    """After a lost reading, counting does not restart."""
    assert set(joules[case]) == {None}


def test_cuda_itself_says_which_gpu_an_ordinal_is(monkeypatch):
    """CUDA_VISIBLE_DEVICES=GPU-2 makes the third GPU `cuda:0`; its properties have the UUID without a prefix."""
    visible = {torch.device("cuda", 0): SimpleNamespace(uuid=uuid.UUID(int=2))}
    monkeypatch.setattr(torch.cuda, "get_device_properties", visible.__getitem__)
    assert gpu_uuid(torch.device("cuda", 0)) == "GPU-00000000-0000-0000-0000-000000000002"
    assert gpu_uuid(torch.device("cuda", 1)) is None


def test_a_processor_has_no_counter():
    assert gpu_uuid(torch.device("cpu")) is None
    meter = EnergyMeter(None)
    assert meter.joules() is None
    meter.close()
