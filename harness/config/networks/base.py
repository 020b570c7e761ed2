"""Base class of network configurations, and parameter and operation counts of convolutions."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, SerializeAsAny

from harness.config.dataset import ArrayField, Dataset, Images
from harness.config.family import Family
from harness.config.interfaces import FORWARD, PREDICT_NOISE
from harness.config.resolve import resolve


class Network(Family):
    """A network architecture.

    `implementation` names a class or function of the configuration and the dataset that returns a `torch.nn.Module`,
    imported only by the worker. `passes` are the passes that it offers to methods. If there is only one besides
    `forward` and the module does not define it, `forward` implements it.
    """

    implementation: ClassVar[str]
    passes: ClassVar[frozenset[str]] = frozenset({FORWARD})

    @classmethod
    def kinds_with(cls, passes: frozenset[str]) -> list[str]:
        """Return the network kinds that offer all of these passes."""
        return sorted(kind for kind, each in cls.kinds.items() if issubclass(each, Network) and passes <= each.passes)

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` if the network does not support the examples of `data`."""

    def arguments(self, data: Dataset, name: str) -> tuple[ArrayField, ...]:
        """Return the shapes (without the batch axis) and dtypes of a pass's arguments.

        By default these are the inputs of an example, and for `predict_noise` also a timestep.
        """
        inputs = (data.stored[data.inputs],)
        return (*inputs, ArrayField(dtype="int64")) if name == PREDICT_NOISE else inputs

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters; without a closed form, count them on the meta device."""
        counted: int = resolve("harness.models.counting:parameters")(self, data)
        return counted

    def flops(self, data: Dataset, name: str) -> float:
        """Return the FLOPs of a pass of one example, two per multiply-add.

        Without a closed form, count them on the meta device.
        """
        counted: float = resolve("harness.models.counting:flops")(self, data, name)
        return counted


def halvings(data: Dataset, small: Dataset) -> int:
    """Return how often the images of `data` can be halved without getting smaller than those of `small`.

    Returns 0 if either dataset does not consist of images.
    """
    if not isinstance(data, Images) or not isinstance(small, Images):
        return 0
    return max(data.image_size // small.image_size, 1).bit_length() - 1


def halvable(size: int, most: int) -> int:
    """Return how many times 2 divides `size`, capped at `most`."""
    return min(most, (size & -size).bit_length() - 1)


def conv_parameters(inputs: int, outputs: int, kernel: int = 3, *, bias: bool = True) -> int:
    """Return the number of parameters of a convolution with a square kernel."""
    return inputs * outputs * kernel**2 + outputs * bias


def conv_multiply_adds(size: int, inputs: int, outputs: int, kernel: int = 3) -> float:
    """Return the multiply-adds of a convolution with a square output of this size."""
    return float(size**2 * inputs * outputs * kernel**2)


AnyNetwork = Annotated[SerializeAsAny[Network], BeforeValidator(Network.read)]
