"""Watches a training: the test accuracy of the EMA weights after every epoch, in the precision of the training.

Nothing is selected by it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.data.loaders import Loader
from harness.evaluation.base import large_block
from harness.methods.base import Classifier, build_method
from harness.models.acceleration import accelerated
from harness.spec.run import RunConfig
from harness.training.world import World


class Validator:
    """A second instance of the method, into which the EMA weights are loaded to be tried out."""

    def __init__(self, config: RunConfig, loader: Loader, device: torch.device, world: World) -> None:
        self._model = build_method(config, device).eval()
        self._precision = config.training.precision
        self._loader = loader
        self._block = large_block(device)
        self._world = world

    @torch.inference_mode()
    def validate(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Return `test_accuracy` in percent for a classifier, nothing for other methods."""
        if not isinstance(self._model, Classifier):
            return {}
        self._model.load_state_dict(weights)
        blocks = self._loader.blocks(self._block, self._world.part(len(self._loader), self._block))
        with accelerated(self._model.players().values(), self._precision, compiled=False):
            hits = [(self._model.logits(b.images).argmax(dim=1) == b.labels).sum() for b in blocks]
        correct = sum(self._world.joined([int(count) for count in hits]))
        return {"test_accuracy": 100 * correct / len(self._loader)}
