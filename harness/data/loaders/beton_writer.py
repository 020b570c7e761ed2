"""Writes `.beton` files with FFCV's components, sequentially in this process.

FFCV's `from_indexed_dataset` forks, hangs if a worker process dies, and ignores a full disk. A single writer also
places the images in order, so that equal arrays give equal files.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from ffcv.fields import IntField, NDArrayField
from ffcv.memory_allocator import MemoryAllocator
from ffcv.writer import MIN_PAGE_SIZE, DatasetWriter, handle_sample

from harness.data.prepared.dataset import Array

REPORT_EVERY = 1000


def write_beton(path: Path, images: Array, labels: Array, report: Callable[[int], None]) -> None:
    """Write images and labels and fsync the file; `report` gets the number written.

    Raises `OSError` if the disk is full.
    """
    fields = {"image": NDArrayField(images.dtype, images.shape[1:]), "label": IntField()}
    _Writer(str(path), fields, MIN_PAGE_SIZE, num_workers=1).write(images, labels, report)
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


class _Writer(DatasetWriter):
    def write(self, images: Array, labels: Array, report: Callable[[int], None]) -> None:
        self.num_samples = len(labels)
        self.prepare()
        # FFCV keeps the sample table in shared memory; unlinked, it is freed even if this process is killed.
        self.metadata_sm.unlink()
        try:
            table = np.zeros(len(labels), dtype=self.metadata_type)
            allocator = _Allocator(self.fname, self.data_region_start, self.page_size)
            with allocator:
                for i, sample in enumerate(zip(images, labels, strict=True)):
                    if i % REPORT_EVERY == 0:
                        report(i)
                    handle_sample(sample, i, self.metadata_type.names, table, allocator, self.fields)
            report(len(labels))
            self.metadata_sm.buf[: table.nbytes] = table.tobytes()
            self.finalize(allocator.allocations)
        finally:
            self.metadata_sm.close()


class _Allocator(MemoryAllocator):
    """Writes whole pages or raises; FFCV's own may silently write part of a page."""

    def __enter__(self) -> None:
        self.fp = open(self.fname, "ab")

    def __exit__(self, kind: object, *details: object) -> None:
        with self.fp:
            if kind is None:
                self.flush_page()
