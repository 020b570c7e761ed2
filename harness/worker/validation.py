"""Validation during training: the method's validation value of the EMA weights, in training precision."""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.config.resolve import resolve
from harness.config.run import RunConfig
from harness.data.loaders import Batch, Loader
from harness.errors import SpecError
from harness.evaluation.base import large_block
from harness.methods.base import build_method
from harness.models.acceleration import accelerated
from harness.training.distributed import Communicator


class Validator:
    """A second instance of the method that evaluates the EMA weights on some splits."""

    def __init__(
        self, config: RunConfig, loaders: Mapping[str, Loader], device: torch.device, comm: Communicator
    ) -> None:
        self._loaders = loaders
        self._precision = config.training.precision
        self._block = large_block(device)
        self._comm = comm
        validation = config.method.validation
        if loaders:
            assert validation is not None, "splits are validated only by methods with a validation value"
            self._validation = validation
            self._values = resolve(validation.implementation)
            self._model = build_method(config, device).eval()

    @torch.inference_mode()
    def validate(self, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the mean over each split, named `SPLIT_NAME` as in the curves.

        Raises `SpecError` when the method's function returns anything but a value for each example.
        """
        if not self._loaders:
            return {}
        self._model.load_state_dict(weights)
        with accelerated(self._model.players().values(), self._precision, compiled=False):
            return {f"{split}_{self._validation.name}": self._mean(loader) for split, loader in self._loaders.items()}

    def _mean(self, loader: Loader) -> float:
        blocks = loader.blocks(self._block, self._comm.shard(len(loader), self._block))
        return sum(self._comm.all_gather([self._sum(batch) for batch in blocks])) / len(loader)

    def _sum(self, batch: Batch) -> float:
        values = self._values(self._model, batch)
        if values.shape != (len(batch),):
            raise SpecError(
                f"{self._validation.implementation} returned values of shape {tuple(values.shape)} for {len(batch)} "
                "examples: it must return one per example"
            )
        return float(values.double().sum())
