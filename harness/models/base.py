"""The network interface that methods use, and the adapter for third-party modules."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from harness.config.dataset import Dataset
from harness.config.interfaces import FORWARD, Pass
from harness.config.networks import Network
from harness.config.resolve import resolve
from harness.errors import SpecError


class ImageNetwork(nn.Module):
    """A network that draws its initial weights from a given generator and lists the passes to accelerate."""

    PASSES: ClassVar[tuple[str, ...]] = ()

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights from a CPU generator."""
        raise NotImplementedError

    if TYPE_CHECKING:  # each network implements some of these Protocols of `harness.models.passes`
        logits: Callable[[Tensor], Tensor]
        predict_noise: Callable[[Tensor, Tensor], Tensor]
        features: Callable[[Tensor], Tensor]
        logits_from: Callable[[Tensor], Tensor]
        generate: Callable[[Tensor], Tensor]


class Adapter(nn.Module):
    """Wraps a module so that its `forward` serves as one named pass."""

    PASSES: ClassVar[tuple[str, ...]]

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        """Call the module."""
        result: Tensor = self.module(*inputs)
        return result


def build_network(config: Network, data: Dataset) -> ImageNetwork:
    """Build the untrained network of a configuration, with the passes that it declares.

    If the configuration declares a single pass that the module lacks, `forward` serves as that pass. Raises `SpecError`
    if the implementation builds no module, or one that lacks a declared pass.
    """
    of = f"network '{config.kind}'"
    network = resolve(type(config).implementation)(config, data)
    if not isinstance(network, nn.Module):
        raise SpecError(f"{of}: {config.implementation} builds a {type(network).__name__}, not a torch.nn.Module")
    network = _adapted(network, config.passes)
    Pass.check(network, config.passes, of)
    return network  # type: ignore[return-value]  # methods need only the passes, just checked


def passes_of(network: nn.Module) -> tuple[str, ...]:
    """Return the names of the passes to accelerate: the listed `PASSES`, else `forward`."""
    listed: tuple[str, ...] | None = getattr(network, "PASSES", None)
    if listed is not None:
        return listed
    return () if type(network).forward is nn.Module.forward else (FORWARD,)


def channels_last(images: Tensor) -> Tensor:
    """Convert images to channels-last on a GPU, where it speeds up convolutions."""
    return images.contiguous(memory_format=torch.channels_last) if images.is_cuda else images


def _adapted(network: nn.Module, passes: Collection[str]) -> nn.Module:
    others = set(passes) - {FORWARD}
    if len(others) != 1 or hasattr(network, *others):
        return network
    (name,) = others
    members = {"PASSES": tuple(sorted(passes)), name: Adapter.forward}
    adapter: nn.Module = type(f"{type(network).__name__}Adapter", (Adapter,), members)(network)
    return adapter
