"""What every network configuration says, and the counts of convolutional layers."""

from enum import StrEnum
from typing import ClassVar

from harness.spec.config import Family
from harness.spec.data import Dataset


class Pass(StrEnum):
    """What a network can be asked for, named as its methods are."""

    LOGITS = "logits"
    PREDICT_NOISE = "predict_noise"
    GENERATE = "generate"
    FEATURES = "features"
    LOGITS_FROM = "logits_from"


class Network(Family):
    """A network that can be counted without being built.

    `implementation` names the module and the class that build it, imported only by the worker; `passes`
    say what methods may ask it for.
    """

    implementation: ClassVar[str]
    passes: ClassVar[frozenset[Pass]]

    @classmethod
    def kinds_with(cls, passes: frozenset[Pass]) -> list[str]:
        """Return the kinds of networks that offer all of these passes."""
        return sorted(kind for kind, each in cls.kinds.items() if issubclass(each, Network) and passes <= each.passes)

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` when the network cannot take the images of `data`."""

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters."""
        raise NotImplementedError

    def forward_flops(self, data: Dataset, *, conditioned: bool) -> float:
        """Return the floating-point operations of one forward pass of one image, two to a multiply-add."""
        raise NotImplementedError


def convolution(inputs: int, outputs: int, kernel: int = 3, *, bias: bool = True) -> int:
    """Return the parameters of a convolution with a square kernel."""
    return inputs * outputs * kernel**2 + outputs * bias


def convolved(size: int, inputs: int, outputs: int, kernel: int = 3) -> float:
    """Return the multiply-adds of a convolution whose output is a square of this size."""
    return float(size**2 * inputs * outputs * kernel**2)
