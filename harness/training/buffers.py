"""Broadcasts the buffers of third-party modules from the first rank.

Third-party running statistics are updated from local rows only. As in torch's DistributedDataParallel, every rank then
takes the first rank's values, bit for bit.
"""

from collections.abc import Iterable

from torch import nn

from harness import OWN_MODULES
from harness.training.distributed import Communicator


class SharedBuffers:
    """The persistent buffers of third-party modules. The harness's own modules keep equal buffers by construction."""

    def __init__(self, networks: Iterable[nn.Module], comm: Communicator) -> None:
        self._comm = comm
        self._places = [place for network in networks for place in _buffers(network)] if comm.size > 1 else []

    def sync(self) -> None:
        """Broadcast the buffers from the first rank. Every rank must call it."""
        if self._places:
            # Look up by name: a module may have replaced its buffer by another tensor.
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
