"""What every network configuration says, and the counts of convolutional layers."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, SerializeAsAny

from harness.config.dataset import ArrayField, Dataset, Images
from harness.config.family import Family
from harness.config.interfaces import FORWARD, PREDICT_NOISE
from harness.config.resolve import resolve


class Network(Family):
    """A network.

    `implementation` names what builds it from the configuration and the dataset: a class or function that returns a
    `torch.nn.Module`, imported only by the worker. `passes` say what methods may ask it for. A module that
    lacks the one pass that is named beside `forward` serves it by that.
    """

    implementation: ClassVar[str]
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})

    @classmethod
    def kinds_with(cls, passes: frozenset[str]) -> list[str]:
        """Return the kinds of networks that offer all of these passes."""
        return sorted(kind for kind, each in cls.kinds.items() if issubclass(each, Network) and passes <= each.passes)

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` when the network cannot take the examples of `data`."""

    def arguments(self, data: Dataset, name: str) -> tuple[ArrayField, ...]:
        """Return shape and type, without the batch, of what a pass is called with.

        By default it is an example's input, and a timestep beside it for `predict_noise`.
        """
        inputs = (data.stored[data.inputs],)
        return (*inputs, ArrayField(dtype="int64")) if name == PREDICT_NOISE else inputs

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters: without a closed form, those of the network built without memory."""
        counted: int = resolve("harness.models.counting:parameters")(self, data)
        return counted

    def flops(self, data: Dataset, name: str) -> float:
        """Return the floating-point operations of a pass of one example, two to a multiply-add.

        Without a closed form they are counted on the network built without memory.
        """
        counted: float = resolve("harness.models.counting:flops")(self, data, name)
        return counted


def halvings(data: Dataset, small: Dataset) -> int:
    """Return how often images of one dataset can be halved before they are smaller than those of another.

    It is 0 where they are no images.
    """
    if not isinstance(data, Images) or not isinstance(small, Images):
        return 0
    return max(data.image_size // small.image_size, 1).bit_length() - 1


def halvable(size: int, most: int) -> int:
    """Return how often, `most` at the most, a size can be halved without a remainder."""
    return min(most, (size & -size).bit_length() - 1)


def convolution(inputs: int, outputs: int, kernel: int = 3, *, bias: bool = True) -> int:
    """Return the parameters of a convolution with a square kernel."""
    return inputs * outputs * kernel**2 + outputs * bias


def convolved(size: int, inputs: int, outputs: int, kernel: int = 3) -> float:
    """Return the multiply-adds of a convolution whose output is a square of this size."""
    return float(size**2 * inputs * outputs * kernel**2)


AnyNetwork = Annotated[SerializeAsAny[Network], BeforeValidator(Network.read)]
