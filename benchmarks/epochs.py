"""Compare minutes per epoch of the paper's networks and their baselines, at full size on one machine.

    PYTHONPATH=.:tests/support:benchmarks python benchmarks/epochs.py --batch 4
    PYTHONPATH=.:tests/support:benchmarks python benchmarks/epochs.py --device cuda --batch 64

Table 8's networks take training steps on images of CIFAR-10's shape, with all Langevin steps, at a batch size that fits
the machine. Time is assumed to be proportional to the number of images: minutes per epoch follow from the seconds per
image. Trainings alternate, and the best round counts, because other load only adds time. Next to the measured
ratio are the ratio predicted from FLOPs (as in `plan`) and the ratio of the minutes reported in the paper.
"""

import argparse
import json
import os

import numpy as np
import torch

from harness.config.run import RunConfig
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import Split
from harness.data.stand_ins.photographs import PHOTOGRAPHS, read
from harness.evaluation.runtime import device_name, seconds_of
from harness.methods.base import build_method
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import MINUTES_PER_EPOCH
from harness.registry.row import Row
from harness.training.loop import Trainer
from harness_papers.hybvit.table8 import TABLE

IMAGES, COMPARED = 512, ("HybViT(d=384)", "WRN 28-10", "JEM(K=20)", "JEM++(K=10)", "VERA")


def rows_of(table: Exhibit) -> dict[str, tuple[Row, RunConfig]]:
    """Return the compared rows with their configurations, the paper's own method first."""
    found = {row.label: (row, row.run.config) for row in table.rows if row.run and row.label in COMPARED}
    return {label: found[label] for label in COMPARED}


def images_per_epoch(config: RunConfig) -> int:
    """Return the number of images in an epoch."""
    return config.training.iterations_per_epoch(config.data) * config.training.batch_size


def training(config: RunConfig, images: np.ndarray, batch: int, device: torch.device) -> Trainer:
    """Return a trainer on these images with a smaller batch size, in float32."""
    smaller = config.but(batch_size=batch, precision="fp32")
    labels = np.arange(len(images)) % config.data.num_classes
    loader = ResidentLoader(Split(config.data, {"images": images, "labels": labels}), device)
    return Trainer(smaller, build_method(smaller, device), loader, device)


def main() -> None:
    """Measure and print one line per training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, default=2, help="torch threads on the CPU")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=1, help="steps per round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    device = settings.device
    rows = rows_of(TABLE)
    size = next(iter(rows.values()))[1].data.image_size
    images = read(PHOTOGRAPHS, size, 1, {"train": IMAGES})["train"][0]
    best = dict.fromkeys(rows, float("inf"))
    for turn in range(settings.rounds + 1):
        for label, (_, config) in rows.items():
            trainer = training(config, images, settings.batch, device)
            trainer.train_step()  # warm-up: creates the optimiser state and, on a GPU, loads kernels
            if turn:
                best[label] = min(best[label], seconds_of(trainer.train_step, settings.steps, device) / settings.steps)
            del trainer
    lines = []
    for label, (row, config) in rows.items():
        per_image = best[label] / settings.batch
        lines.append(
            {
                "row": label,
                "seconds_per_image": per_image,
                "minutes_per_epoch": per_image * images_per_epoch(config) / 60,
                "flops_per_epoch": config.method.train_flops(config.network, config.data) * images_per_epoch(config),
                "paper_minutes": TABLE.reported_value(row, MINUTES_PER_EPOCH),
            }
        )
    for key, name in (("minutes_per_epoch", "measured"), ("flops_per_epoch", "flops"), ("paper_minutes", "paper")):
        for line in lines:
            line[f"ratio_{name}"] = line[key] / lines[0][key]
    about = {
        "device": device_name(device),
        "torch": torch.__version__,
        "threads": settings.threads,
        "load": round(os.getloadavg()[0], 1),
        "batch": settings.batch,
    }
    if settings.json:
        print(json.dumps({**about, "rows": lines}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(f"{'':16}{'min/epoch':>10}{'x HybViT':>10}{'by FLOPs':>10}{'in paper':>10}")
    for line in lines:
        print(f"{line['row']:16}{line['minutes_per_epoch']:10.1f}{line['ratio_measured']:10.1f}"
              f"{line['ratio_flops']:10.1f}{line['ratio_paper']:10.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
