"""Least-squares regression."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from harness.config.dataset import Dataset
from harness.data.batches import Fields
from harness.methods.base import Loss, SingleNetworkMethod, Step
from harness.models.base import ImageNetwork
from outside_paper import methods as spec
from outside_paper.nn.protocols import Regressor


class Regression(SingleNetworkMethod):
    """Trains any network with one output. Capability: `Regressor`."""

    def __init__(self, config: spec.Regression, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)

    def augmentations(self) -> Mapping[str, None]:
        """Return the single batch of a step, unaugmented."""
        return {"observed": None}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the mean squared error."""
        loss = squared_errors(self, step.batches["observed"]).mean()
        yield Loss("network", loss, {"squared_error": loss.detach()})

    def predict(self, inputs: Tensor) -> Tensor:
        """Return the predicted numbers `(batch,)`."""
        predicted: Tensor = self.network(inputs)
        return predicted[:, 0]


def squared_errors(model: Regressor, batch: Fields) -> Tensor:
    """Return the squared error of every example `(batch,)`."""
    return (model.predict(batch.inputs) - batch.targets).square()
