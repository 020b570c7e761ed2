"""Makes torchvision importable beside a build of torch that its compiled operators were not linked against.

The wheels of torchvision are linked against CUDA. Beside a CPU build of torch their operators do not load, and then
`import torchvision` fails because the operator `torchvision::nms` does not exist; so does everything that imports
torchvision: torch-fidelity, pytorch-fid, and torchmetrics where torch-fidelity is installed. Declaring the two
operators that the import looks for mends it. Transforms, models and datasets work then; `torchvision.ops` and
`torchvision.io` do not. Only optional extras depend on torchvision.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
MISSING = ("nms", "qnms")
_declared: list[torch.library.Library] = []
"""A declaration lasts only as long as its library object."""


def make_torchvision_importable() -> None:
    """Declare the operators where torchvision's own do not load; do nothing where they do or it is not installed."""
    found = find_spec("torchvision")
    if _declared or "torchvision" in sys.modules or found is None or not found.submodule_search_locations:
        return
    for compiled in Path(found.submodule_search_locations[0]).glob("_C*.so"):
        try:
            torch.ops.load_library(str(compiled))
        except OSError:
            library = torch.library.Library("torchvision", "FRAGMENT")
            for operator in MISSING:
                library.define(operator + SCHEMA)
            _declared.append(library)
