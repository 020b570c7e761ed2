"""Builds the networks from their configurations."""

from harness.config.dataset import Dataset
from outside_paper import networks as spec
from outside_tools.mlp import MLP
from outside_tools.recurrent import TokenGRU


def mlp(config: spec.MLP, data: Dataset) -> MLP:
    """Return a perceptron with one output per class, or a single one for regression."""
    return MLP(data.dimensions, config.width, config.depth, data.num_classes or 1, config.dropout)


def token_gru(config: spec.TokenGRU, data: Dataset) -> TokenGRU:
    """Return a network over the vocabulary of the data."""
    below = data.stored[data.inputs].below
    assert below is not None
    return TokenGRU(below, config.width)
