"""The GPUs of this machine that CUDA_VISIBLE_DEVICES leaves, by the rules of CUDA, without torch."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.natural import natural

LISTED = re.compile(r"GPU (\d+): (.+) \(UUID: (.+)\)")
LISTED_INSTANCE = re.compile(r"\s+MIG (.+?)\s+Device\s+\d+: \(UUID: (.+)\)")
ORDINAL = re.compile(r"\s*([+-]?)([0-9]+)")
SECONDS = 20


class Gpu(NamedTuple):
    """A GPU, or a MIG instance of one; `id` is a value for CUDA_VISIBLE_DEVICES."""

    id: str
    name: str
    uuid: str


def visible_gpus() -> list[Gpu]:
    """Return the GPUs that child processes may use, in CUDA's order, empty if there are none.

    CUDA_VISIBLE_DEVICES counts as far as its devices exist. As in CUDA, an empty value hides every GPU, the first
    unknown device ends the list, and a device that is named twice empties it.
    """
    gpus, instances = _listed()
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return gpus
    found = list(_named(given, gpus, instances))
    return found if len(found) == len({gpu.uuid for gpu in found}) else []


def _named(given: str, gpus: Sequence[Gpu], instances: Sequence[Gpu]) -> Iterator[Gpu]:
    """Yield the named devices up to the first unknown one; the first name decides between numbers and UUIDs."""
    by_uuid = next((kind for kind in ("GPU-", "MIG-") if given.startswith(kind)), None)
    for name in given.split(","):
        if by_uuid is None:
            found = _at(name, gpus)
        else:
            found = _with_uuid(name, gpus if by_uuid == "GPU-" else instances) if name.startswith(by_uuid) else None
        if found is None:
            return
        yield found


def _at(name: str, gpus: Sequence[Gpu]) -> Gpu | None:
    """Return the GPU whose number begins the text, as C's strtoul reads it."""
    match = ORDINAL.match(name)
    number = natural(match[2]) if match else None
    if match is None or number is None or number >= len(gpus) or (match[1] == "-" and number):
        return None
    return gpus[number]


def _with_uuid(beginning: str, devices: Sequence[Gpu]) -> Gpu | None:
    """Return the only device whose UUID begins in this way."""
    found = [device for device in devices if device.uuid.startswith(beginning.strip())]
    return found[0]._replace(id=found[0].uuid) if len(found) == 1 else None


def _listed() -> tuple[list[Gpu], list[Gpu]]:
    """Return all GPUs of this machine, and the MIG instances of all of them."""
    gpus: list[Gpu] = []
    instances: list[Gpu] = []
    for line in listed_by_driver():
        if match := LISTED.match(line):
            gpus.append(Gpu(match[1], match[2], match[3]))
        elif (match := LISTED_INSTANCE.match(line)) and gpus:
            instances.append(Gpu(match[2], f"{gpus[-1].name} MIG {match[1]}", match[2]))
    return gpus, instances


def listed_by_driver() -> list[str]:
    """Return the lines of `nvidia-smi -L`, empty if it is not installed or fails."""
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, errors="replace", timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines()
