"""The processes that work on one run together, each with a rank.

The global batch stays what the configuration says: every rank takes its rows of it, gradients are averaged, and all
ranks hold the same weights after every step. Only the first rank touches the run directory; the others are told.
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
MEETING, PATIENCE = timedelta(minutes=10), timedelta(hours=12)
"""How long ranks wait for each other: at first, and then, when the first may be busy for long with what it does alone.

A rank that dies is noticed at once.
"""


class LostRank(HarnessError):
    """Another rank has died or left, so that nothing can be computed together any more."""

    exit_code = ExitCode.LOST


class Communicator:
    """A process that works alone: the only rank."""

    rank = 0
    size = 1
    broken = False
    """Whether another rank was lost."""

    @property
    def is_main(self) -> bool:
        """Whether this is the rank that reads and writes the run directory."""
        return self.rank == 0

    def shard(self, n: int, block: int = 1) -> range:
        """Return this rank's positions of `n`, in whole blocks counted from the first position.

        The parts of all ranks are contiguous and cover each position exactly once; some may be empty.
        """
        blocks = shard(-(-n // block), self.rank, self.size)
        return range(min(blocks.start * block, n), min(blocks.stop * block, n))

    def on_first_rank(self, call: Callable[[], T]) -> T:
        """Let the first rank make a call, and return what it returns, on every rank."""
        return call()

    def all_gather(self, parts: Sequence[T]) -> list[T]:
        """Return the parts of all ranks, in the order of ranks, on every rank."""
        return list(parts)

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """Return the sum over the ranks."""
        return tensor

    def all_gather_tensor(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks, `(ranks, ...)`, on every rank; gradients flow back to each."""
        return tensor[None]

    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Give the tensors of all ranks the values that they have on the first."""

    def any(self, wish: bool) -> bool:
        """Tell whether any rank has the wish."""
        return wish

    def wrap_ddp(self, network: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return what a loss has to go through before its backward pass, so that gradients become means over ranks."""
        return lambda loss: loss

    @contextmanager
    def detect_lost_rank(self) -> Iterator[None]:
        """Turn a failure that another rank's end causes into `LostRank`."""
        yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Let go of the other ranks."""


class ProcessGroup(Communicator):
    """One of several ranks, joined by torch.distributed: NCCL for tensors on GPUs, gloo for all others."""

    def __init__(self, device: torch.device) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()
        self._device = device

    def on_first_rank(self, call: Callable[[], T]) -> T:
        """Let the first rank make a call, and return what it returns, on every rank."""
        box: list[Any] = [call() if self.is_main else None]
        with self.detect_lost_rank():
            dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        answer: T = box[0]
        return answer

    def all_gather(self, parts: Sequence[T]) -> list[T]:
        """Return the parts of all ranks, in the order of ranks, on every rank."""
        boxes: list[Sequence[T]] = [[] for _ in range(self.size)]
        with self.detect_lost_rank():
            dist.all_gather_object(boxes, list(parts))
        return [item for box in boxes for item in box]

    def all_reduce_sum(self, tensor: Tensor) -> Tensor:
        """Return the sum over the ranks."""
        with self.detect_lost_rank():
            dist.all_reduce(tensor)
        return tensor

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def all_gather_tensor(self, tensor: Tensor) -> Tensor:
        """Return the tensors of all ranks, `(ranks, ...)`, on every rank; gradients flow back to each."""
        whole = tensor.new_zeros(self.size, *tensor.shape)
        whole[self.rank] = tensor
        return _AllReduceSum.apply(whole, self)

    @torch.no_grad()
    def broadcast_tensors(self, tensors: Sequence[Tensor]) -> None:
        """Give the tensors of all ranks the values that they have on the first, all of a device in one message."""
        for device in dict.fromkeys(tensor.device for tensor in tensors):
            here = [tensor for tensor in tensors if tensor.device == device]
            message = torch.cat([tensor.reshape(-1).view(torch.uint8) for tensor in here])
            with self.detect_lost_rank():
                dist.broadcast(message, src=0)
            for tensor, told in zip(here, message.split([tensor.nbytes for tensor in here]), strict=True):
                # Through `data`: a graph that was made with the tensor may still have to go backward.
                tensor.data.copy_(told.clone().view(tensor.dtype).view(tensor.shape))

    def any(self, wish: bool) -> bool:
        """Tell whether any rank has the wish."""
        return bool(self.all_reduce_sum(torch.tensor(int(wish))).item())

    def wrap_ddp(self, network: nn.Module) -> Callable[[Tensor], Tensor]:
        """Return what a loss has to go through before its backward pass, so that gradients become means over ranks."""
        devices = [self._device] if self._device.type == "cuda" else None
        return DistributedDataParallel(_DDPAnchor(network), device_ids=devices, static_graph=True)

    @contextmanager
    def detect_lost_rank(self) -> Iterator[None]:
        """Turn a failure that another rank's end causes into `LostRank`."""
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.broken = True
            raise LostRank(f"rank {self.rank} lost another rank: {str(error).splitlines()[0]}") from error

    def __exit__(self, *exc: object) -> None:
        """Let go of the other ranks; of lost ones nothing can be let go."""
        if not self.broken:
            dist.destroy_process_group()


def join(rank: int, size: int, init_method: str | None, device: torch.device, attempt: int = 0) -> Communicator:
    """Wait for the other ranks and join them; alone, return the world of one.

    `init_method` is an address such as `tcp://host:port`, or `env://` for what torchrun has set. `attempt` keeps apart
    what ranks say at the same address after a restart: torchrun's store remembers the addresses of dead ones. Raises
    `LostRank` when the others do not come.
    """
    if size == 1 or init_method is None:
        return Communicator()
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        store, _, _ = next(dist.rendezvous(init_method, rank, size, timeout=MEETING))  # type: ignore[attr-defined]
        store = PrefixStore(f"attempt-{attempt}", store)
        dist.init_process_group(backend, store=store, world_size=size, rank=rank, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise LostRank(f"rank {rank} of {size} did not meet the others at {init_method}: {why}") from None
    return ProcessGroup(device)


class _AllReduceSum(torch.autograd.Function):
    """The sum over the ranks. Its gradient is that of every rank's loss, and so their sum."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, comm: Communicator) -> Tensor:
        ctx.comm = comm
        return comm.all_reduce_sum(tensor.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _AllReduceSum.apply(gradients[0].contiguous(), ctx.comm), None


class _DDPAnchor(nn.Module):
    """Holds the parameters whose gradients are averaged, and lets a loss through, however that was computed.

    Its passage tells DistributedDataParallel that the next backward pass is one to follow. It has no buffers: those of
    the network are equal on all ranks as they are.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.weights = nn.ParameterList(network.parameters())

    def forward(self, loss: Tensor) -> Tensor:
        return loss
