"""Time HybViT's training step: a naive implementation, and the speed-up of each optimisation.

    PYTHONPATH=.:tests/support:benchmarks python benchmarks/training.py --batch 32
    PYTHONPATH=.:tests/support:benchmarks python benchmarks/training.py --device cuda --batch 128

Every line is a variant of the same step: two forward passes over two batches, one of them strongly augmented, backward,
clipping, EMA, AdamW. A sample is an image in a forward pass, so a step has twice `--batch` samples. Variants alternate,
and the best round counts, because other load only adds time.
"""

import argparse
import json
import os
from collections.abc import Callable

import numpy as np
import torch
from plain import PlainTraining

from harness.config.run import RunConfig
from harness.data.augment.augment import augment, select
from harness.data.batches import Batch
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import Split
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read
from harness.evaluation.runtime import device_name, seconds_of
from harness.methods.base import build_method
from harness.randomness import Stream, Streams
from harness.training.batches import PREFETCH_STEPS
from harness.training.loop import Trainer
from harness_papers.hybvit.runs import HYBVIT

IMAGES, EPOCH = 2048, 1171


class BatchedAugmentation(PlainTraining):
    """The naive implementation with our batched augmentation."""

    steps_made = 0

    def _pictures(self, chosen: np.ndarray) -> torch.Tensor:
        self.steps_made += 1
        images = torch.from_numpy(self.images[chosen].transpose(0, 3, 1, 2) / np.float32(127.5) - 1).to(self.device)
        rows = torch.arange(len(images), device=self.device)
        config = self.method.augmentation.but(mix=0.0)
        streams = Streams([Stream(self.steps_made)])
        selection = select(config, streams, len(images), range(len(images)))
        batch = Batch(self.config.data, {"images": images, "labels": rows}, rows)
        return augment(batch, config, streams, selection).images


def variants(config: RunConfig, device: torch.device, compiled: bool) -> dict[str, Callable[[], None]]:
    """Return the variants of a step by name, each adding one optimisation to the previous one."""
    images = read(PHOTOGRAPHS, config.data.image_size, 1, {"train": IMAGES})["train"][0]
    labels = np.arange(IMAGES) % config.data.num_classes
    loader = ResidentLoader(Split(config.data, {"images": images, "labels": labels}), device)

    def plain(kind: type[PlainTraining]) -> Callable[[], None]:
        return kind(config, build_method(config, device).players()["network"], images, device).step

    def ours(precision: str, compiled: bool = False) -> Callable[[], None]:
        reduced = config.but(precision=precision)
        return Trainer(reduced, build_method(reduced, device), loader, device, compiled).train_step

    found = {
        "plain: eager fp32, Pillow image by image": plain(PlainTraining),
        "+ augmentation of a batch at once": plain(BatchedAugmentation),
        "+ ten batches at once, fused AdamW, foreach EMA": ours("fp32"),
    }
    if device.type == "cuda":
        found["+ TF32"] = ours("tf32")
    found["+ bf16 autocast"] = ours("bf16")
    if compiled:
        found["+ compiled, CUDA graphs" if device.type == "cuda" else "+ compiled"] = ours("bf16", compiled=True)
    return found


def measure(work: Callable[[], None], steps: int, device: torch.device) -> float:
    """Return the seconds per step: wall-clock time on a GPU, CPU time on a CPU."""
    return seconds_of(work, steps, device) / steps


def augmentation_seconds(config: RunConfig, device: torch.device, steps: int) -> float:
    """Return the seconds per step of the augmentation, in training's configuration."""
    count = PREFETCH_STEPS * config.training.batch_size
    images = torch.rand(count, 3, config.data.image_size, config.data.image_size, device=device) * 2 - 1
    rows = torch.arange(count, device=device)
    augmentation, streams = (
        config.method.value_of("augmentation"),
        Streams([Stream(0, i) for i in range(PREFETCH_STEPS)]),
    )
    batch_size = config.training.batch_size
    batch = Batch(config.data, {"images": images, "labels": rows}, rows)

    def work() -> None:
        augment(batch, augmentation, streams, select(augmentation, streams, batch_size, range(batch_size)))

    work()
    return min(measure(work, steps, device) for _ in range(5)) / PREFETCH_STEPS


def main() -> None:
    """Measure and print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, default=1, help="torch threads on the CPU")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument(
        "--steps", type=int, default=PREFETCH_STEPS, help="steps per round; use a multiple of ten for a fair comparison"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="measure compiled passes too (always on a GPU)")
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    device = settings.device
    config = HYBVIT.config.but(batch_size=settings.batch, dim=settings.dim)
    chosen = variants(config, device, settings.compile or device.type == "cuda")
    for work in chosen.values():
        measure(work, 3, device)
    best = dict.fromkeys(chosen, float("inf"))
    for _ in range(settings.rounds):
        for name, work in chosen.items():
            best[name] = min(best[name], measure(work, settings.steps, device))
    share = augmentation_seconds(config, device, 3) / min(best.values())
    seconds = list(best.values())
    lines = [
        {
            "way": name,
            "step_seconds": second,
            "samples_per_second": 2 * settings.batch / second,
            "over_the_line_before": before / second,
            "over_plain": seconds[0] / second,
        }
        for (name, second), before in zip(best.items(), [seconds[0], *seconds], strict=False)
    ]
    about = {
        "device": device_name(device),
        "torch": torch.__version__,
        "threads": settings.threads,
        "load": round(os.getloadavg()[0], 1),
        "batch": settings.batch,
        "dim": settings.dim,
        "augmentation_share_of_the_fastest_step": share,
        "fastest_minutes_per_epoch": EPOCH * min(seconds) / 60,
    }
    if settings.json:
        print(json.dumps({**about, "ways": lines}, indent=2))
        return
    print(f"HybViT, dim {settings.dim}, {settings.batch} + {settings.batch} images a step; {about['device']}, "
          f"torch {torch.__version__}, {settings.threads} thread(s), load {about['load']}")  # fmt: skip
    print(f"{'':48}{'s/step':>9}{'samples/s':>11}{'x before':>10}{'x plain':>9}")
    for line in lines:
        print(f"{line['way']:48}{line['step_seconds']:9.4f}{line['samples_per_second']:11.1f}"
              f"{line['over_the_line_before']:10.2f}{line['over_plain']:9.2f}")  # fmt: skip
    print(f"augmentation: {share:.1%} of the fastest step; {EPOCH:,} of these steps (an epoch at batch 128): "
          f"{about['fastest_minutes_per_epoch']:.1f} min")  # fmt: skip


if __name__ == "__main__":
    main()
