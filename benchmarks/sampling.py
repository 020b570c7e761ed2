"""Time a sampling step and a term of the likelihood bound, in each precision.

    PYTHONPATH=. python benchmarks/sampling.py --batch 20
    PYTHONPATH=. python benchmarks/sampling.py --device cuda --batch 1000

Times a chain of `--steps` timesteps, which has the same cost per step as one of 1,000, and extrapolates to 10,000
samples and 10,000 bounds with 1,000 steps. The baseline is eager float32. Variants alternate, and the best round
counts, because other load only adds time.
"""

import argparse
import json
import os
from collections.abc import Callable

import torch

from harness.config.samplers import Ancestral
from harness.evaluation.runtime import device_name, seconds_of
from harness.methods.base import build_method
from harness.models.acceleration import accelerated
from harness.randomness import Stream
from harness_papers.hybvit.runs import HYBVIT

IMAGES, TIMESTEPS = 10_000, 1000


def variants(device: torch.device, batch: int, steps: int, compiled: bool) -> dict[str, Callable[[], object]]:
    """Return the variants by name."""
    config = HYBVIT.config.but(timesteps=steps)
    model = build_method(config, device).eval()
    images = torch.rand(batch, 3, 32, 32, device=device) * 2 - 1
    rows, networks = torch.arange(batch, device=device), list(model.players().values())

    @torch.inference_mode()
    def sample(precision: str, compile_: bool) -> None:
        with accelerated(networks, precision, compile_):
            model.sample(Ancestral(), Stream(0), rows)

    @torch.inference_mode()
    def bound(compile_: bool) -> None:
        with accelerated(networks, "fp32", compile_):
            model.bits_per_dim(images, Stream(0), rows)

    precisions = ("fp32", "tf32", "bf16") if device.type == "cuda" else ("fp32", "bf16")
    found = {f"sampling, {p}": lambda p=p: sample(p, False) for p in precisions}
    found["likelihood, fp32"] = lambda: bound(False)
    if compiled:
        found |= {f"sampling, {p}, compiled": lambda p=p: sample(p, True) for p in precisions}
        found["likelihood, fp32, compiled"] = lambda: bound(True)
    return found


def main() -> None:
    """Measure and print one line per variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, default=1, help="torch threads on the CPU")
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="measure compiled passes too (always on a GPU)")
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    device = settings.device
    chosen = variants(device, settings.batch, settings.steps, settings.compile or device.type == "cuda")
    for work in chosen.values():
        work()
    best = dict.fromkeys(chosen, float("inf"))
    for _ in range(settings.rounds):
        for name, work in chosen.items():
            best[name] = min(best[name], seconds_of(work, 1, device) / settings.steps)
    lines = []
    for name, seconds in best.items():
        plain = best[f"{name.partition(',')[0]}, fp32"]
        hours = seconds * TIMESTEPS * IMAGES / settings.batch / 3600
        lines.append({"way": name, "step_seconds": seconds, "over_plain": plain / seconds, "hours_for_10000": hours})
    about = {"device": device_name(device), "torch": torch.__version__, "load": round(os.getloadavg()[0], 1),
             "threads": settings.threads, "batch": settings.batch}  # fmt: skip
    if settings.json:
        print(json.dumps({**about, "ways": lines}, indent=2))
        return
    print(f"HybViT, dim 384, {settings.batch} images at a time; {about['device']}, torch {torch.__version__}, "
          f"{settings.threads} thread(s), load {about['load']}")  # fmt: skip
    print(f"{'':30}{'s/step':>9}{'x plain':>9}{'10,000 images, 1,000 steps':>28}")
    for line in lines:
        extrapolated = f"{line['hours_for_10000']:.2f} h" if line["hours_for_10000"] > 0.1 else (
            f"{3600 * line['hours_for_10000']:.0f} s")  # fmt: skip
        print(f"{line['way']:30}{line['step_seconds']:9.4f}{line['over_plain']:9.2f}{extrapolated:>28}")


if __name__ == "__main__":
    main()
