"""Make torchvision importable with a build of torch that its compiled operators do not support.

torchvision wheels link against CUDA. With a CPU build of torch their operators fail to load, so `import torchvision`
fails for lack of the operator `torchvision::nms`, and with it torch-fidelity, pytorch-fid, and torchmetrics if
torch-fidelity is installed. Declaring the two operators that the import looks up fixes this: transforms, models and
datasets then work, `torchvision.ops` and `torchvision.io` do not. Only optional extras depend on torchvision.
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
    """Declare torchvision's operators if its own fail to load. Otherwise, or without torchvision, do nothing."""
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
