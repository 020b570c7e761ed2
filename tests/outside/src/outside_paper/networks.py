"""The networks of the paper: modules of a library; the harness counts their parameters and FLOPs."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from harness.config.dataset import Dataset
from harness.config.interfaces import FORWARD, LOGITS
from harness.config.networks import Network
from harness.errors import SpecError


class MLP(Network):
    """A multi-layer perceptron with one output per class, or a single one for regression."""

    kind: Literal["outside.mlp"] = "outside.mlp"
    implementation: ClassVar[str] = "outside_paper.nn.networks:mlp"
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD, LOGITS})
    shrinks: ClassVar[Mapping[str, str]] = {"width": "width"}

    width: PositiveInt = 32
    depth: PositiveInt = 2
    dropout: float = Field(0.1, ge=0, lt=1)


class TokenGRU(Network):
    """A recurrent network over tokens."""

    kind: Literal["outside.token_gru"] = "outside.token_gru"
    implementation: ClassVar[str] = "outside_paper.nn.networks:token_gru"
    shrinks: ClassVar[Mapping[str, str]] = {"width": "width"}

    width: PositiveInt = 32

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` if the dataset has no vocabulary."""
        if data.stored[data.inputs].below is None:
            raise SpecError(f"network '{self.kind}' takes tokens: dataset '{data.name}' has no vocabulary")
