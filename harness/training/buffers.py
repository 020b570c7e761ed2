"""Broadcasts the buffers of modules from outside the harness from the first rank.

A module with running statistics updates them from the rows of its own rank. As in torch's DistributedDataParallel,
every rank then takes the values of the first, bit for bit.
"""

from collections.abc import Iterable

from torch import nn

from harness import OWN_MODULES
from harness.training.distributed import Communicator


class SharedBuffers:
    """The buffers in the state of some networks, of all modules but the harness's own, which are equal as they are."""

    def __init__(self, networks: Iterable[nn.Module], comm: Communicator) -> None:
        self._comm = comm
        self._places = [place for network in networks for place in _buffers(network)] if comm.size > 1 else []

    def sync(self) -> None:
        """Give them the values of the first rank. Every rank has to call it."""
        if self._places:
            # By name: a module may put another tensor in the place of its buffer.
            self._comm.broadcast_tensors([module.get_buffer(name) for module, name in self._places])


def _buffers(network: nn.Module) -> list[tuple[nn.Module, str]]:
    kept = network.state_dict().keys()
    return [
        (module, name)
        for path, module in network.named_modules()
        if not type(module).__module__.startswith(OWN_MODULES)
        for name, _ in module.named_buffers(recurse=False)
        if f"{path}.{name}".lstrip(".") in kept
    ]
