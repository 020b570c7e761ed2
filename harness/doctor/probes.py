"""Imports packages that may be broken, in a separate process: `python -m harness.doctor.probes torch inception`.

It prints one line per probe: `probe:`, the name, and the facts as JSON. If the import fails, the facts are the `error`
and, if a package is not installed, its name as `absent`.
"""

import ctypes
import json
import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

MARK = "probe:"

AMPERE = 8
"""The major compute capability of the first GPUs with bfloat16."""


def probe_torch() -> dict[str, Any]:
    """Return the version and build of torch, and the GPUs that it can use, or why it can use none."""
    import torch

    facts: dict[str, Any] = {"version": torch.__version__, "cuda": torch.version.cuda, "gpus": [], "gpu_error": None}
    torch.ones(2, 2) @ torch.ones(2, 2)
    if torch.version.cuda is None:
        return facts
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for index in range(max(1, torch.cuda.device_count())):
                matrix = torch.ones(2, 2, device=f"cuda:{index}")
                (matrix @ matrix).cpu()
                found = torch.cuda.get_device_properties(index)
                gpu = {"name": found.name, "memory_bytes": found.total_memory}
                gpu |= {"compute_capability": f"{found.major}.{found.minor}", "bf16": found.major >= AMPERE}
                facts["gpus"].append(gpu)
    except Exception as error:  # drivers raise all kinds of errors
        facts["gpu_error"] = _one_line(error)
    return facts


def probe_ffcv() -> dict[str, Any]:
    """Return the version of FFCV after loading its library (with OpenCV's and TurboJPEG's), cv2 and numba.

    These are the parts that fail to import; importing all of FFCV compiles for seconds.
    """
    found = find_spec("ffcv")
    if found is None:
        raise ModuleNotFoundError("No module named 'ffcv'", name="ffcv")
    for folder in found.submodule_search_locations or ():
        for library in Path(folder).glob("_libffcv*.so"):
            ctypes.CDLL(str(library))
    import_module("cv2")
    import_module("numba")
    return {"version": version("ffcv")}


def probe_inception() -> dict[str, Any]:
    """Return the version of torch-fidelity, which needs a torchvision that fits torch, or the shim."""
    from harness.torchvision_shim import make_torchvision_importable

    make_torchvision_importable()
    import_module("torch_fidelity.feature_extractor_inceptionv3")
    return {"version": version("torch-fidelity")}


PROBES = {"torch": probe_torch, "ffcv": probe_ffcv, "inception": probe_inception}


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


def main(names: list[str]) -> None:
    """Print the result of each probe."""
    for name in names:
        try:
            found = PROBES[name]()
        except ModuleNotFoundError as error:
            found = {"error": _one_line(error), "absent": error.name}
        except BaseException as error:  # a broken package can raise anything, SystemExit too
            found = {"error": _one_line(error)}
        print(f"\n{MARK} {name} {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
