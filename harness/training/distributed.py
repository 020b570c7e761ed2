"""Data-parallel training of one run, by a single process or a process group.

The global batch size is independent of the world size: every rank takes its rows, gradients are averaged, and all
ranks hold the same weights after every step. Rank 0 reads and writes the run directory, and broadcasts.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.nn.parallel import DistributedDataParallel

from harness.data.loaders import shard
from harness.errors import HarnessError
from harness.exit_codes import ExitCode

T = TypeVar("T")
RENDEZVOUS_TIMEOUT, COLLECTIVE_TIMEOUT = timedelta(minutes=10), timedelta(hours=12)
"""Timeouts of the rendezvous and of collectives. The latter is long because rank 0 may work alone for hours.

A rank that dies is noticed at once.
"""


class LostRank(HarnessError):
    """Another rank died or left, so collectives no longer work."""

    exit_code = ExitCode.LOST


class Communicator:
    """A world of size 1: collectives return their inputs."""

    rank = 0
    size = 1
    broken = False
    """Whether another rank was lost."""

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, which reads and writes the run directory."""
        return self.rank == 0

    def shard(self, n: int, block: int = 1) -> range:
        """Return this rank's contiguous share of `range(n)`, in whole blocks.

        The shares of all ranks partition the range; some may be empty.
        """
        blocks = shard(-(-n // block), self.rank, self.size)
        return range(min(blocks.start * block, n), min(blocks.stop * block, n))

    def on_first_rank(self, call: Callable[[], T]) -> T:
        """Call a function on rank 0 only and broadcast its result."""
        return call()

    def all_gather(self, parts: Sequence[T]) -> list[T]:
        """Concatenate the lists of all ranks, in rank order, on every rank."""
        return list(parts)

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """Return the sum over all ranks; may modify `tensor`."""
        return tensor

    def all_gather_tensor(self, tensor: Tensor) -> Tensor:
        """All-gather a tensor to `(ranks, ...)`, differentiably."""
        return tensor[None]

    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite the tensors with the values of rank 0."""

    def any(self, wish: bool) -> bool:
        """Return whether `wish` is true on any rank."""
        return wish

    def wrap_ddp(self, network: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return a function to apply to a loss before `backward`, so that gradients are averaged over ranks."""
        return lambda loss: loss

    @contextmanager
    def detect_lost_rank(self) -> Iterator[None]:
        """Convert errors caused by the loss of another rank into `LostRank`."""
        yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave the process group."""


class ProcessGroup(Communicator):
    """One rank of a torch.distributed process group: NCCL for GPU tensors, gloo for all others."""

    def __init__(self, device: torch.device) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self._device = device

    def on_first_rank(self, call: Callable[[], T]) -> T:
        """Call a function on rank 0 only and broadcast its result."""
        box: list[Any] = [call() if self.is_main else None]
        with self.detect_lost_rank():
            dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        answer: T = box[0]
        return answer

    def all_gather(self, parts: Sequence[T]) -> list[T]:
        """Concatenate the lists of all ranks, in rank order, on every rank."""
        boxes: list[Sequence[T]] = [[] for _ in range(self.size)]
        with self.detect_lost_rank():
            dist.all_gather_object(boxes, list(parts))
        return [item for box in boxes for item in box]

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """Sum a tensor over all ranks in place and return it."""
        with self.detect_lost_rank():
            dist.all_reduce(tensor)
        return tensor

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def all_gather_tensor(self, tensor: Tensor) -> Tensor:
        """All-gather a tensor to `(ranks, ...)`, differentiably."""
        whole = tensor.new_zeros(self.size, *tensor.shape)
        whole[self.rank] = tensor
        return _AllReduceSum.apply(whole, self)

    @torch.no_grad()
    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite the tensors with the values of rank 0, in one broadcast per device."""
        for device in dict.fromkeys(tensor.device for tensor in tensors):
            here = [tensor for tensor in tensors if tensor.device == device]
            message = torch.cat([tensor.reshape(-1).view(torch.uint8) for tensor in here])
            with self.detect_lost_rank():
                dist.broadcast(message, src=0)
            for tensor, received in zip(here, message.split([tensor.nbytes for tensor in here]), strict=True):
                # Write through `data`: the tensor may belong to a graph whose backward pass is still to come.
                tensor.data.copy_(received.clone().view(tensor.dtype).view(tensor.shape))

    def any(self, wish: bool) -> bool:
        """Return whether `wish` is true on any rank."""
        return bool(self.all_reduce_sum(torch.tensor(int(wish))).item())

    def wrap_ddp(self, network: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return a function to apply to a loss before `backward`, so that gradients are averaged over ranks."""
        devices = [self._device] if self._device.type == "cuda" else None
        return DistributedDataParallel(_DDPAnchor(network), device_ids=devices, static_graph=True)

    @contextmanager
    def detect_lost_rank(self) -> Iterator[None]:
        """Convert errors caused by the loss of another rank into `LostRank`."""
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.broken = True
            raise LostRank(f"rank {self.rank} lost another rank: {str(error).splitlines()[0]}") from error

    def __exit__(self, *exc: object) -> None:
        """Leave the process group, unless a rank was lost."""
        if not self.broken:
            dist.destroy_process_group()


def join(rank: int, size: int, init_method: str | None, device: torch.device, attempt: int = 0) -> Communicator:
    """Join the process group of all ranks, or return a `Communicator` of one if `size` is 1.

    `init_method` is an address such as `tcp://host:port`, or `env://` under torchrun. `attempt` prefixes the keys of
    the store: after a restart, torchrun's store still holds the addresses of dead ranks. Raises `LostRank` if the other
    ranks do not arrive.
    """
    if size == 1 or init_method is None:
        return Communicator()
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        store, _, _ = next(dist.rendezvous(init_method, rank, size, timeout=RENDEZVOUS_TIMEOUT))  # type: ignore[attr-defined]
        store = PrefixStore(f"attempt-{attempt}", store)
        dist.init_process_group(backend, store=store, world_size=size, rank=rank, timeout=COLLECTIVE_TIMEOUT)
    except (RuntimeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise LostRank(f"rank {rank} of {size} could not join the other ranks at {init_method}: {why}") from None
    return ProcessGroup(device)


class _AllReduceSum(torch.autograd.Function):
    """Differentiable all-reduce: the gradient is summed over all ranks too."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, comm: Communicator) -> Tensor:
        ctx.comm = comm
        return comm.all_reduce_sum(tensor.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _AllReduceSum.apply(gradients[0].contiguous(), ctx.comm), None


class _DDPAnchor(nn.Module):
    """Registers a network's parameters with DistributedDataParallel and passes a loss through, however computed.

    The forward pass arms DDP's gradient averaging for the next backward pass. The module has no buffers, because those
    of the network already agree on all ranks.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.weights = nn.ParameterList(network.parameters())

    def forward(self, loss: Tensor) -> Tensor:
        return loss
