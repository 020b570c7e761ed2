"""The feature space of FID and IS: Inception v3 as in torch-fidelity, which the paper's code uses.

Images are resized to 299x299 as in TensorFlow 1. Features are the 2048 pool features, logits the 1008 class logits
without bias. Everything is float32 without TF32: another batch size changes features by less than 1e-4 of the largest,
and distances by less than a relative 1e-4 (on a CPU, not at all).
"""

from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.config.dataset import Images, images_of
from harness.config.feature_spaces import InceptionSpace
from harness.data.inception import LACKING, find_weights, how_to_get
from harness.data.loaders.pixels import to_256_levels
from harness.data.tensors import read_tensors
from harness.errors import HarnessError, MissingRequirement
from harness.evaluation.base import BLOCK, Subject
from harness.evaluation.features.base import Arrays, Report, in_blocks
from harness.torchvision_shim import make_torchvision_importable

LIBRARY = "torch_fidelity"
RGB = 3


@dataclass(frozen=True)
class InceptionFeatures:
    """Inception v3 with given weights, run on `batch_size` images at a time."""

    network: nn.Module
    weights_sha256: str
    data: Images
    device: torch.device
    folder: Path
    batch_size: int = BLOCK

    def describe(self) -> dict[str, str | float]:
        """Return the hash of the weights, the library version, and the precision."""
        return {
            "kind": "inception",
            "data": self.data.name,
            "weights_sha256": self.weights_sha256,
            "library": f"torch-fidelity {version(LIBRARY)}",
            "precision": "float32",
            "batch_size": self.batch_size,
        }

    def embed(self, examples: NDArray[np.uint8], report: Report) -> Arrays:
        """Return features `(n, 2048)` and logits `(n, 1008)`.

        Grey images are repeated over three channels; images with fewer than 256 levels are rescaled to 256.
        """

        def network(part: Tensor) -> tuple[Tensor, Tensor]:
            return self.network(to_256_levels(part, self.data.levels).expand(-1, RGB, -1, -1))

        return in_blocks(network, examples, self.batch_size, self.device, report)


def inception_features(config: InceptionSpace, other_weights: str, subject: Subject) -> InceptionFeatures:
    """Return the feature space with the published weights, or with others given by a prefix of their SHA-256.

    Raises `MissingRequirement` if the weights or torch-fidelity are missing.
    """
    if find_spec(LIBRARY) is None:
        how = f"pip install '.[inception]' for the network, then {how_to_get(subject.data_root, other_weights or None)}"
        raise MissingRequirement(LACKING, how)
    data, manifest = images_of(subject.config.data, config), subject.data.manifest
    path, content, sha256 = find_weights(subject.data_root, other_weights or None)
    folder = subject.cache / "features" / f"inception-{sha256[:12]}-{data.name}-{manifest.sha256[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    network = build_network(content, path).to(subject.device)
    return InceptionFeatures(network, sha256, data, subject.device, folder)


def build_network(weights: bytes, path: Path) -> nn.Module:
    """Build torch-fidelity's network from the tensors in a weights file.

    Raises `DataError` if the file is not a state dict, and `HarnessError` if it belongs to another network.
    """
    make_torchvision_importable()
    from torch_fidelity import FeatureExtractorInceptionV3

    tensors = BytesIO()
    # The library unpickles without restriction, so give it a file written here.
    torch.save(read_tensors(weights, path), tensors)
    tensors.seek(0)
    try:
        network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=tensors
        )
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise HarnessError(f"{path} holds the weights of another network: {reason}") from None
    return network.eval()
