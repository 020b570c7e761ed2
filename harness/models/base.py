"""What methods expect of a network, and how a module of somebody else's becomes one."""

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
    """A network of the harness: it draws its own initial weights, and names the passes that may be made faster."""

    PASSES: ClassVar[tuple[str, ...]] = ()

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the initial weights from a CPU generator."""
        raise NotImplementedError

    if TYPE_CHECKING:  # a network has some of these, by the Protocols in `harness.models.passes`
        logits: Callable[[Tensor], Tensor]
        predict_noise: Callable[[Tensor, Tensor], Tensor]
        features: Callable[[Tensor], Tensor]
        logits_from: Callable[[Tensor], Tensor]
        generate: Callable[[Tensor], Tensor]


class Adapter(nn.Module):
    """A module whose `forward` serves as one named pass."""

    PASSES: ClassVar[tuple[str, ...]]

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return what the module makes of its inputs."""
        result: Tensor = self.module(*inputs)
        return result


def build_network(config: Network, data: Dataset) -> ImageNetwork:
    """Return the untrained network of a configuration, with the passes that it promises.

    A module that lacks the one pass that is promised beside `forward` serves it by that. Raises `SpecError` when the
    implementation builds no module, or one without a pass that is promised.
    """
    of = f"network '{config.kind}'"
    network = resolve(type(config).implementation)(config, data)
    if not isinstance(network, nn.Module):
        raise SpecError(f"{of}: {config.implementation} builds a {type(network).__name__}, not a torch.nn.Module")
    network = _adapted(network, config.passes)
    Pass.check(network, config.passes, of)
    return network  # type: ignore[return-value]  # it has the passes, which is what methods ask of it


def passes_of(network: nn.Module) -> tuple[str, ...]:
    """Return the names of the passes that may be made faster: those that it lists, or its `forward`."""
    listed: tuple[str, ...] | None = getattr(network, "PASSES", None)
    if listed is not None:
        return listed
    return () if type(network).forward is nn.Module.forward else (FORWARD,)


def channels_last(images: Tensor) -> Tensor:
    """Return images in the memory layout in which convolutions are fast: channels last on a GPU."""
    return images.contiguous(memory_format=torch.channels_last) if images.is_cuda else images


def _adapted(network: nn.Module, passes: Collection[str]) -> nn.Module:
    others = set(passes) - {FORWARD}
    if len(others) != 1 or hasattr(network, *others):
        return network
    (name,) = others
    members = {"PASSES": tuple(sorted(passes)), name: Adapter.forward}
    adapter: nn.Module = type(f"{type(network).__name__}Adapter", (Adapter,), members)(network)
    return adapter
