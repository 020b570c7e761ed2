"""Compare the throughput of the loaders.

    python benchmarks/loaders.py
    python benchmarks/loaders.py --device cuda --json

Patches of scikit-learn's photographs are prepared as a dataset in a temporary folder on disk. Every loader yields the
same shuffled batches through the same interface, as float32 images in [-1, 1] on the device. The loaders alternate,
each with an open iterator, and the best round counts, because other load only adds time. `start` is the time to the
first batch in this process: imports, compilation, writing FFCV's file.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch

from harness.config.dataset import Images
from harness.data.ffcv_needs import how_to_install, is_installed
from harness.data.loaders import Batch, ShuffledOrder
from harness.data.loaders.open_loader import open_split
from harness.data.prepared.blocks import Block, labelled
from harness.data.prepared.dataset import PreparedDataset, open_dataset
from harness.data.prepared.prepare import DatasetSource, prepare, silent
from harness.data.stand_ins.photographs import PHOTOGRAPHS, photograph
from harness.randomness import Stream

CASES = {32: 50_000, 64: 20_000, 96: 5_000, 128: 3_000}
"""The number of images, by size in pixels."""


def patches(size: int, count: int) -> Iterator[Block]:
    """Yield `count` square patches of the photographs."""
    for name in PHOTOGRAPHS:
        pixels = photograph(name, 1, "train").astype(np.uint8).transpose(2, 0, 1)
        rows, stream = torch.arange(count // len(PHOTOGRAPHS)), Stream("benchmark", name)
        tops, lefts = (
            stream.at(axis).integers(rows, side - size + 1).tolist()
            for axis, side in zip(("top", "left"), pixels.shape[1:], strict=True)
        )
        cut = [pixels[:, y : y + size, x : x + size] for y, x in zip(tops, lefts, strict=True)]
        yield labelled(("train",), np.stack(cut), np.arange(len(cut)) % 10)


def prepared(size: int, root: Path) -> PreparedDataset:
    """Prepare the patches of one size."""
    data = Images(
        name=f"patches{size}", image_size=size, channels=3, num_classes=10, train_examples=CASES[size], test_examples=1
    )
    one = labelled(("test",), np.zeros((1, 3, size, size), np.uint8), np.zeros(1, np.int64))
    prepare(data, root, lambda: DatasetSource([*patches(size, CASES[size]), one], {}))
    return open_dataset(data, root)


def seconds(batches: Iterator[Batch], number: int, device: torch.device) -> float:
    """Return the seconds until `number` batches have arrived."""
    begun = time.perf_counter()
    for _ in islice(batches, number):
        pass
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begun


def compare(data: PreparedDataset, names: list[str], settings: argparse.Namespace) -> list[dict[str, float | str]]:
    """Return images per second and the time to the first batch of each loader."""
    order = ShuffledOrder(Stream("benchmark"), data.manifest.shapes["train-labels.npy"][0], settings.batch)
    running, start = {}, {}
    for name in names:
        begun = time.perf_counter()
        loader = open_split(name, data, "train", settings.device, silent)
        running[name] = loader.batches(map(order.indices, count()))
        seconds(running[name], 1, settings.device)
        start[name] = time.perf_counter() - begun
    best = dict.fromkeys(names, float("inf"))
    for _ in range(settings.rounds):
        for name, batches in running.items():
            seconds(batches, 4, settings.device)  # discard batches prefetched during the turns of the others
            best[name] = min(best[name], seconds(batches, settings.batches, settings.device))
    for batches in running.values():
        batches.close()
    images = settings.batches * settings.batch
    return [{"loader": name, "images_per_second": images / best[name], "start_seconds": start[name]} for name in names]


def main() -> None:
    """Measure and print one line per size and loader."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, default=1, help="torch threads on the CPU")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--batches", type=int, default=40, help="batches per measurement")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    on_cuda = settings.device.type == "cuda"
    device = torch.cuda.get_device_name(settings.device) if on_cuda else f"cpu, {settings.threads} thread(s)"
    names = ["resident", "ffcv", "torch"] if is_installed() else ["resident", "torch"]
    about = {
        "torch": torch.__version__,
        "device": device,
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 1),
        "batch": settings.batch,
    }
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for size in settings.sizes:
            measured = compare(prepared(size, Path(folder)), names, settings)
            results += [{"size": size, "images": CASES[size]} | line for line in measured]
    if settings.json:
        print(json.dumps(about | {"results": results}, indent=2))
        return
    print(f"torch {about['torch']} on {device}; batches of {settings.batch}")
    print(f"load of the machine at the start: {about['load_at_start']} on {about['cores']} cores")
    if not is_installed():
        print(f"without FFCV: {how_to_install()}")
    print(f"{'size':>5}{'images':>8}  {'loader':10}{'images/s':>12}{'of resident':>13}{'start':>9}")
    for line in results:
        first = next(one for one in results if one["size"] == line["size"])
        ratio = line["images_per_second"] / first["images_per_second"]
        print(
            f"{line['size']:5}{line['images']:8,}  {line['loader']:10}{line['images_per_second']:12,.0f}"
            f"{ratio:13.2f}{line['start_seconds']:8.2f}s"
        )


if __name__ == "__main__":
    main()
