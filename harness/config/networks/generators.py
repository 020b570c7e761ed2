"""Networks that map noise to images, with parameter counts and costs in closed form."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import PositiveInt

from harness.config.dataset import ArrayField, Dataset, images_of
from harness.config.interfaces import GENERATE
from harness.config.networks.base import Network, conv_multiply_adds, conv_parameters, halvable, halvings
from harness.config.shrinking import Shrinking
from harness.errors import SpecError


class ResNetGenerator(Network):
    """Residual blocks with BatchNorm that map noise to an image, each doubling the size (VERA, Appendix; as SNGAN)."""

    kind: Literal["resnet_generator"] = "resnet_generator"
    implementation: ClassVar[str] = "harness.models.generators:ResNetGenerator"
    passes: ClassVar[frozenset[str]] = frozenset({GENERATE})
    shrinks: ClassVar[Mapping[str, str]] = {"features": "width", "noise_dim": "latents"}

    features: PositiveInt = 256
    noise_dim: PositiveInt = 128
    doublings: PositiveInt = 3

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a smaller copy with fewer doublings, since the images of the stand-in are smaller."""
        fewer = self.doublings - halvings(shrinking.data, shrinking.small_data)
        doublings = halvable(images_of(shrinking.small_data, self).image_size, fewer)
        return shrinking.applied(self, doublings=max(doublings, 1))

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` unless the image size of `data` is divisible by `2**doublings`."""
        data = images_of(data, self)
        if data.image_size % 2**self.doublings:
            raise SpecError(f"doublings={self.doublings} cannot give the {data.image_size}-pixel images of {data.name}")

    def smallest(self, data: Dataset) -> int:
        """Return the size of the image before the first block."""
        data = images_of(data, self)
        return data.image_size >> self.doublings

    def arguments(self, data: Dataset, name: str) -> tuple[ArrayField, ...]:
        """Return the shape of the noise."""
        return (ArrayField(shape=(self.noise_dim,)),)

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters."""
        data = images_of(data, self)
        f, pixels = self.features, self.smallest(data) ** 2
        block = 2 * (2 * f + conv_parameters(f, f))
        return (self.noise_dim + 1) * pixels * f + self.doublings * block + 2 * f + conv_parameters(f, data.channels)

    def flops(self, data: Dataset, name: str) -> float:
        """Return the FLOPs per image."""
        data = images_of(data, self)
        f, smallest = self.features, self.smallest(data)
        products = self.noise_dim * smallest**2 * f + conv_multiply_adds(data.image_size, f, data.channels)
        products += sum(2 * conv_multiply_adds(smallest << i, f, f) for i in range(1, self.doublings + 1))
        return 2.0 * products
