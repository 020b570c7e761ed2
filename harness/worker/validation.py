"""Watches a training by the value that its method names, of the EMA weights, in the precision of the training."""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.data.loaders import Loader
from harness.evaluation.base import large_block
from harness.methods.base import build_method
from harness.models.acceleration import accelerated
from harness.spec.resolve import resolve
from harness.spec.run import RunConfig
from harness.training.world import World


class Validator:
    """A second instance of the method, into which the EMA weights are loaded to be tried out."""

    def __init__(self, config: RunConfig, loader: Loader, device: torch.device, world: World) -> None:
        self._model = build_method(config, device).eval()
        self._validation = config.method.validation
        self._precision = config.training.precision
        self._loader = loader
        self._block = large_block(device)
        self._world = world

    @torch.inference_mode()
    def validate(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the mean over the split by its name in curves, nothing for methods that name no value."""
        if self._validation is None:
            return {}
        self._model.load_state_dict(weights)
        values = resolve(self._validation.implementation)
        blocks = self._loader.blocks(self._block, self._world.part(len(self._loader), self._block))
        with accelerated(self._model.players().values(), self._precision, compiled=False):
            sums = [float(values(self._model, batch).double().sum()) for batch in blocks]
        return {f"test_{self._validation.name}": sum(self._world.joined(sums)) / len(self._loader)}
