"""FFCV's `Loader`: a native thread fetches images while the device computes. Importing this module imports FFCV.

It avoids FFCV's known problems. The order is given, so nothing is shuffled, dropped or padded. A single thread is fast
enough, and several can crash. Errors in the thread are raised here instead of hanging this process. Fetched images are
views of a ring buffer, so they are copied.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice, tee
from pathlib import Path
from queue import Empty

import numpy as np
import torch
from ffcv.fields.decoders import IntDecoder, NDArrayDecoder
from ffcv.loader import Loader as Native
from ffcv.loader.epoch_iterator import EpochIterator
from ffcv.transforms import ToTensor
from numpy.typing import NDArray
from torch import Tensor

from harness.data.batches import Batch
from harness.data.errors import DataError
from harness.data.loaders.base import Loader, checked, to_device
from harness.data.loaders.native import keeping_threads
from harness.data.loaders.pixels import decode_fields
from harness.data.loaders.rebatch import BatchAssembler, Piece, rebatch
from harness.data.prepared.dataset import Split

PIECE = 128
EPOCH = 100
"""Pieces per FFCV epoch, which needs all its positions at the start."""


class FFCVLoader(Loader):
    """Reads the `.beton` file of an image split with FFCV, in epochs until the order is exhausted."""

    def __init__(self, path: Path, split: Split, device: torch.device) -> None:
        super().__init__(split.data)
        self._path = path
        self._shape = split.inputs.shape
        self._device = device
        with keeping_threads():
            self._native = Native(
                str(path),
                batch_size=PIECE,
                num_workers=1,
                os_cache=True,  # otherwise read from an environment variable
                seed=0,  # otherwise drawn from NumPy's global generator
                drop_last=False,
                pipelines={"image": [NDArrayDecoder(), ToTensor()], "label": [IntDecoder(), ToTensor()]},
            )
        if self._native.reader.num_samples != len(self):
            raise DataError(f"{path} holds {self._native.reader.num_samples} images, not {len(self)}: delete it")

    def __len__(self) -> int:
        return self._shape[0]

    def batches(self, order: Iterable[Tensor]) -> Generator[Batch]:
        """Yield one batch for each tensor of positions in the split."""
        wanted, ahead = tee(checked(order, len(self)))
        with closing(self._fetched(ahead)) as pieces:
            assembler = BatchAssembler(pieces)
            for indices in wanted:
                images, labels = assembler.fill(self._empty(len(indices)))
                found = {"images": to_device(images, self._device), "labels": to_device(labels, self._device)}
                yield Batch(self.data, decode_fields(self.data, found), to_device(indices, self._device))

    def _empty(self, count: int) -> Piece:
        pinned = self._device.type == "cuda"
        images = torch.empty((count, *self._shape[1:]), dtype=torch.uint8, pin_memory=pinned)
        return images, torch.empty(count, dtype=torch.int64, pin_memory=pinned)

    def _fetched(self, order: Iterator[Tensor]) -> Generator[Piece]:
        """Yield pieces as FFCV's thread fetches them."""
        pieces = rebatch(order, PIECE)
        while positions := list(islice(pieces, EPOCH)):
            with keeping_threads():
                epoch = _Epoch(self._native, np.concatenate(positions).astype(np.uint64))
            try:
                for images, labels in epoch:
                    yield images, labels.reshape(-1)
            finally:
                epoch.end()
            if epoch.failure is not None:
                raise DataError(f"FFCV failed to read {self._path}: {epoch.failure!r}; or use --loader torch")


class _Epoch(EpochIterator):
    """An FFCV epoch over given positions; an error in its thread never leaves the consumer waiting."""

    failure: BaseException | None = None

    def __init__(self, native: Native, positions: NDArray[np.uint64]) -> None:
        super().__init__(native, positions)

    def run(self) -> None:
        """Fetch the pieces, in FFCV's thread."""
        try:
            super().run()
        except BaseException as error:
            self.failure = error
            self.output_queue.put(None)

    def end(self) -> None:
        """Stop the thread, whatever its state."""
        self.close()
        self.iter_ixes = iter(())
        while self.is_alive():
            with suppress(Empty):
                self.output_queue.get(timeout=0.01)
