"""Watches a training: the test accuracy of the EMA weights after every epoch. Nothing is selected by it."""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.data.loaders import Loader
from harness.evaluation.base import BLOCK
from harness.methods.base import Classifier, build_method
from harness.spec.run import RunConfig


class Validator:
    """A second instance of the method, into which the EMA weights are loaded to be tried out."""

    def __init__(self, config: RunConfig, loader: Loader, device: torch.device) -> None:
        self._model = build_method(config, device).eval()
        self._loader = loader

    @torch.inference_mode()
    def validate(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Return `test_accuracy` in percent for a classifier, nothing for other methods."""
        if not isinstance(self._model, Classifier):
            return {}
        self._model.load_state_dict(weights)
        blocks = self._loader.blocks(BLOCK)
        correct = sum(int((self._model.logits(b.images).argmax(dim=1) == b.labels).sum()) for b in blocks)
        return {"test_accuracy": 100 * correct / len(self._loader)}
