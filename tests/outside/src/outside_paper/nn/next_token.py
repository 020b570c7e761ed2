"""Next-token prediction."""

from collections.abc import Iterator, Mapping

import torch.nn.functional as F
from torch import Tensor

from harness.config.dataset import Dataset
from harness.data.batches import Fields
from harness.methods.base import Loss, SingleNetworkMethod, Step
from harness.models.base import ImageNetwork
from outside_paper import methods as spec
from outside_paper.nn.protocols import LanguageModel


class NextToken(SingleNetworkMethod):
    """Trains a network that maps tokens to logits of the next ones. Capability: `LanguageModel`."""

    def __init__(self, config: spec.NextToken, network: ImageNetwork, data: Dataset) -> None:
        super().__init__(network, data)

    def augmentations(self) -> Mapping[str, None]:
        """Return the single batch of a step, unaugmented."""
        return {"read": None}

    def training_step(self, step: Step) -> Iterator[Loss]:
        """Yield the cross-entropy of all tokens."""
        loss = mean_losses(self, step.batches["read"]).mean()
        yield Loss("network", loss, {"nats": loss.detach()})

    def token_losses(self, tokens: Tensor) -> Tensor:
        """Return the negative log-likelihood in nats `(batch, length - 1)` of every token but the first."""
        return F.cross_entropy(self.network(tokens[:, :-1]).mT, tokens[:, 1:], reduction="none")


def mean_losses(model: LanguageModel, batch: Fields) -> Tensor:
    """Return the mean token loss of every sequence `(batch,)`."""
    return model.token_losses(batch.inputs).mean(dim=1)
