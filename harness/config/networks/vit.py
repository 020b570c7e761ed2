"""The Vision Transformer, with parameter counts and costs in closed form."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import PositiveInt, model_validator

from harness.config.dataset import Dataset, images_of
from harness.config.interfaces import LOGITS, PREDICT_NOISE
from harness.config.networks.base import Network
from harness.config.shrinking import Shrinking
from harness.errors import SpecError


class ViT(Network):
    """The ViT of HybViT §3: pre-norm, with per-token modulation of the residual stream by the timestep.

    `dim_head` defaults to `dim / heads`. `modulate_residual=False` gives Eq. 21 as printed (unmodulated skip
    connection); `modulate_mlp=False` omits the modulation before the MLP.
    """

    kind: Literal["vit"] = "vit"
    implementation: ClassVar[str] = "harness.models.vit:VisionTransformer"
    passes: ClassVar[frozenset[str]] = frozenset({LOGITS, PREDICT_NOISE})
    shrinks: ClassVar[Mapping[str, str]] = {"dim": "width", "depth": "depth", "heads": "heads", "patch_size": "patch"}

    dim: PositiveInt
    depth: PositiveInt
    heads: PositiveInt
    patch_size: PositiveInt
    dim_head: PositiveInt | None = None
    mlp_ratio: PositiveInt = 2
    modulate_residual: bool = True
    modulate_mlp: bool = True

    @model_validator(mode="after")
    def _heads_divide_dim(self) -> "ViT":
        if self.dim_head is None and self.dim % self.heads:
            divisors = [n for n in range(1, 33) if self.dim % n == 0]
            raise SpecError(
                f"heads={self.heads} does not divide dim={self.dim}: allowed: {', '.join(map(str, divisors))}, "
                "or give dim_head"
            )
        return self

    def shrunk(self, shrinking: Shrinking) -> Self:
        """Return a smaller copy: the total width of queries, keys and values shrinks like the model width."""
        if self.dim_head is None:
            return shrinking.applied(self)
        heads = shrinking.resized(self, "heads", self.heads)
        inner = shrinking.resized(self, "dim", self.inner_dim)
        return shrinking.applied(self, dim_head=max(inner // heads, 1))

    @property
    def inner_dim(self) -> int:
        """The total width of queries, keys and values over all heads."""
        return self.heads * (self.dim_head or self.dim // self.heads)

    def tokens(self, data: Dataset) -> int:
        """Return the sequence length: the patches and the CLS token."""
        data = images_of(data, self)
        return (data.image_size // self.patch_size) ** 2 + 1

    def check(self, data: Dataset) -> None:
        """Raise `SpecError` if patches do not tile the image."""
        data = images_of(data, self)
        if data.image_size % self.patch_size:
            divisors = [n for n in range(1, data.image_size + 1) if data.image_size % n == 0]
            raise SpecError(
                f"patch_size={self.patch_size} does not divide the {data.image_size}-pixel images of {data.name}: "
                f"allowed: {', '.join(map(str, divisors))}"
            )

    def parameters(self, data: Dataset) -> int:
        """Return the number of parameters, including both heads and all time layers."""
        data = images_of(data, self)
        d, tokens = self.dim, self.tokens(data)
        width, patch = 4 * tokens, data.channels * self.patch_size**2
        embedding = d * (patch + 1) + d * (tokens + 1)
        time_mlp = width * (2 * (d // 2) + 1) + width * (width + 1)
        modulation = 2 * tokens * (width + 1)
        attention = 3 * d * self.inner_dim + self.inner_dim * d + d
        mlp = 2 * self.mlp_ratio * d * d + self.mlp_ratio * d + d
        block = modulation + attention + mlp + 4 * d
        heads = 2 * d + data.num_classes * (d + 1) + patch * (d + 1)
        return embedding + time_mlp + self.depth * block + heads

    def flops(self, data: Dataset, name: str) -> float:
        """Return the FLOPs of the matrix products of a pass (`logits` or `predict_noise`) per image, as in training.

        In evaluation, the last layer of `logits` skips the tokens that are not read.
        """
        data = images_of(data, self)
        d, tokens = self.dim, self.tokens(data)
        width, patch = 4 * tokens, data.channels * self.patch_size**2
        projections = tokens * d * (4 * self.inner_dim + 2 * self.mlp_ratio * d)
        attention = 2 * tokens**2 * self.inner_dim
        embedding = (tokens - 1) * patch * d
        if name == LOGITS:
            return 2.0 * (embedding + self.depth * (projections + attention) + d * data.num_classes)
        time = width * (d + width) + self.depth * 2 * tokens * width
        return 2.0 * (2 * embedding + self.depth * (projections + attention) + time)
