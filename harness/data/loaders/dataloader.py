"""Torch's own DataLoader over the memory-mapped files: the reference, and what there is without FFCV."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from harness.data.errors import DataError
from harness.data.loaders.streaming import Piece, StreamingLoader, recut
from harness.data.prepared import Images, Labels, PreparedDataset

Arrays = tuple[Images, Labels]
PIECE = 128
WATCH_SECONDS = 2.0
WORKERS = 4
"""At most so many loading processes, and never more than half of the cores: the rest have work of their own."""


class TorchLoader(StreamingLoader):
    """A DataLoader whose batches are pieces of our order, fetched by a few processes that stay for the next one.

    The processes come from a fork server, which is safe beside threads, and end with this one.
    """

    def __init__(self, data: PreparedDataset, split: str, device: torch.device) -> None:
        images, _ = data.split(split)
        super().__init__(images.shape, device)
        self._split = _Split(data, split)
        self._workers = workers()
        self._idle: list[DataLoader[Arrays]] = []

    def pieces(self, order: Iterator[Tensor]) -> Generator[Piece]:
        """Yield pieces as the processes fetch them."""
        loader = self._idle.pop() if self._idle else self._new()
        assert isinstance(loader.batch_sampler, _Pieces)
        loader.batch_sampler.order = recut(order, PIECE)
        try:
            with suppress(GeneratorExit):
                for images, labels in loader:
                    yield torch.from_numpy(images), torch.from_numpy(labels)
        except (RuntimeError, OSError, EOFError) as error:
            raise DataError(f"a loading process failed: {str(error).strip().splitlines()[-1]}") from None
        self._idle.append(loader)

    def _new(self) -> DataLoader[Arrays]:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])  # so that torch is imported once, not by every process
        parallel = {
            "multiprocessing_context": context,
            "persistent_workers": True,
            "worker_init_fn": partial(begin_loading, os.getpid()),
        }
        return DataLoader(
            self._split,
            batch_sampler=_Pieces(),  # type: ignore[arg-type]  # torch asks for its own class of samplers
            collate_fn=_as_it_is,
            num_workers=self._workers,
            generator=torch.Generator(),  # else every iteration draws a seed from torch's global numbers
            **(parallel if self._workers else {}),  # type: ignore[arg-type]
        )


class _Split(Dataset[Arrays]):
    """A split that every process maps into its own memory, instead of being sent it."""

    def __init__(self, data: PreparedDataset, split: str) -> None:
        self._data = data
        self._name = split
        self._arrays: Arrays | None = None

    def __getitems__(self, positions: NDArray[np.int64]) -> Arrays:
        """Return the images and labels at these positions, as DataLoader asks for a whole batch.

        Arrays travel from process to process through pipes. Tensors would through shared memory, of which containers
        have little, and a process that finds none left is killed.
        """
        if self._arrays is None:
            self._arrays = self._data.split(self._name)
        images, labels = self._arrays
        return images.take(positions, axis=0), labels.take(positions, axis=0)

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_arrays": None}


class _Pieces:
    """The positions of the pieces, in the place of a sampler; another order goes in for every iteration."""

    def __init__(self) -> None:
        self.order: Iterator[NDArray[np.int64]] = iter(())

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        return self.order


def workers() -> int:
    """Return the number of loading processes: none on one core."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # systems without affinities
        cores = os.cpu_count() or 1
    return min(WORKERS, cores // 2)


def begin_loading(parent: int, worker: int) -> None:
    """Tie a loading process to the one that asked for it, which is not its parent: that is the fork server.

    What asks the whole process group to stop is ignored: the other one ends its loading processes itself, with SIGTERM,
    after the step. Where it was killed, they end within seconds.
    """
    for number in (signal.SIGINT, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(WATCH_SECONDS)
    os._exit(1)


def _as_it_is(piece: Any) -> Any:
    return piece
