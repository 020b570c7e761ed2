"""The Protocols of the paper's own capabilities."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Regressor(Protocol):
    """A model that predicts a number."""

    def predict(self, inputs: Tensor) -> Tensor:
        """Return the predicted numbers `(batch,)`."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A model with a likelihood of every token."""

    def token_losses(self, tokens: Tensor) -> Tensor:
        """Return the negative log-likelihood in nats `(batch, length - 1)` of every token but the first."""
        ...
