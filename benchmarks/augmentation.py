"""Compare the throughput of batched AutoAugment with Pillow, image by image.

    PYTHONPATH=.:tests/support python benchmarks/augmentation.py --threads 1
    PYTHONPATH=.:tests/support python benchmarks/augmentation.py --device cuda

Both start from patches of scikit-learn's photographs in memory and end with float32 images in [-1, 1] on the device.
The batched version draws its sub-policies within the measured time; Pillow gets them for free, and runs in one process,
like one data-loader worker. Both alternate, and the best round counts, because other load only adds time. A ratio above
1 means that the batched version is faster.

A second table times the complete strong augmentation (flip, crop, policy, erasing, mixing) of ten batches, one by one
and all at once, as in training.
"""

import argparse
import os
from collections.abc import Callable

import numpy as np
import PIL
import pillow_pipeline
import torch

from harness.data.augment.augment import augment, select
from harness.data.augment.autoaugment import KINDS, autoaugment, draw
from harness.data.batches import Batch
from harness.data.catalogue import CIFAR10
from harness.data.loaders import to_signed
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read
from harness.evaluation.runtime import seconds_of
from harness.randomness import Stream, Streams
from harness.training.batches import PREFETCH_STEPS
from harness_papers.hybvit.runs import STRONG

CASES = [("cifar10", 32), ("imagenet", 32), ("imagenet", 64), ("imagenet", 96), ("svhn", 32)]


def seconds(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Return the mean time of one call: wall-clock time on a GPU, CPU time on a CPU."""
    return seconds_of(work, repeats, device) / repeats


def compare(policy: str, size: int, batch: int, device: torch.device, rounds: int) -> tuple[float, float]:
    """Return the images per second of the batched version and of Pillow."""
    levels = read(PHOTOGRAPHS, size, 1, {"train": batch})["train"][0]
    images, rows = to_signed(torch.from_numpy(levels)).to(device), torch.arange(batch)
    best = {"batched": float("inf"), "pillow": float("inf")}
    for number in range(rounds):
        stream = Stream("benchmark", number)
        plan = draw(rows, stream, policy)
        drawn = list(zip(plan.kinds.T.tolist(), plan.magnitudes.T.tolist(), strict=True))
        steps = [[(KINDS[k], m) for k, m in zip(*pair, strict=True) if k < len(KINDS)] for pair in drawn]

        def batched(stream: Stream = stream) -> torch.Tensor:
            return autoaugment(images, rows, stream, policy)

        def pillow(steps: list[list[tuple[str, float]]] = steps) -> torch.Tensor:
            pictures = [pillow_pipeline.apply(*pair) for pair in zip(levels, steps, strict=True)]
            return to_signed(torch.from_numpy(np.stack(pictures))).to(device)

        best["batched"] = min(best["batched"], seconds(batched, device, 5))
        best["pillow"] = min(best["pillow"], seconds(pillow, device, 1))
    return batch / best["batched"], batch / best["pillow"]


def one_by_one_and_together(size: int, batch: int, device: torch.device, rounds: int) -> tuple[float, float]:
    """Return the milliseconds per batch of the complete augmentation, one by one and ten at once."""
    levels = read(PHOTOGRAPHS, size, 1, {"train": PREFETCH_STEPS * batch})["train"][0]
    images, rows = to_signed(torch.from_numpy(levels)).to(device), torch.arange(PREFETCH_STEPS * batch, device=device)
    streams = [Stream("benchmark", step) for step in range(PREFETCH_STEPS)]
    parts = list(zip(images.split(batch), rows.split(batch), streams, strict=True))
    data = CIFAR10.but(image_size=size)

    def whole(images: torch.Tensor, rows: torch.Tensor, addresses: list[Stream]) -> None:
        steps, loaded = Streams(addresses), Batch(data, {"images": images, "labels": rows}, rows)
        augment(loaded, STRONG, steps, select(STRONG, steps, batch, range(batch)))

    def one_by_one() -> None:
        for part, positions, stream in parts:
            whole(part, positions, [stream])

    def together() -> None:
        whole(images, rows, streams)

    best = [min(seconds(work, device, 1) for _ in range(rounds)) for work in (one_by_one, together)]
    return best[0] * 1e3 / PREFETCH_STEPS, best[1] * 1e3 / PREFETCH_STEPS


def main() -> None:
    """Measure and print one line per case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="torch threads on the CPU")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=12)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    on_cuda = settings.device.type == "cuda"
    device = torch.cuda.get_device_name(settings.device) if on_cuda else f"cpu, {settings.threads} thread(s)"
    print(f"torch {torch.__version__} on {device}; Pillow {PIL.__version__} on one core; batches of {settings.batch}")
    print(f"load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'policy':10}{'size':>5}{'batched/s':>12}{'Pillow/s':>12}{'ratio':>8}")
    for policy, size in CASES:
        batched, pillow = compare(policy, size, settings.batch, settings.device, settings.rounds)
        print(f"{policy:10}{size:5}{batched:12,.0f}{pillow:12,.0f}{batched / pillow:8.2f}")
    print(f"\n{'size':>5}{'batch':>7}{'ms a batch':>12}{'of ten':>8}{'ratio':>8}")
    for size, batch in ((32, settings.batch), (8, settings.batch // 4)):
        alone, among = one_by_one_and_together(size, batch, settings.device, settings.rounds)
        print(f"{size:5}{batch:7}{alone:12.2f}{among:8.2f}{alone / among:8.2f}")


if __name__ == "__main__":
    main()
