"""Compare the same training on 1, 2 and 4 ranks: loss curves, their differences, and sample 137 of each.

Ranks are processes on this machine with one CPU thread each. Training amplifies rounding errors, so as a reference one
rank trains a second time from initial weights perturbed by a rounding error. Prints one line per training and plots:

    PYTHONPATH=.:tests/support python benchmarks/world_sizes.py --steps 200 --out docs/images/world-sizes.png
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import ranks
from matplotlib.figure import Figure
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from harness.config.evaluations import Generation
from harness.config.run import RunConfig
from harness.data.prepared.dataset import open_dataset
from harness.report.figures.base import style
from harness_papers.hybvit.paper import PAPER
from harness_papers.hybvit.runs import HYBVIT

Curves = Mapping[str, NDArray[np.float64]]

SIZES, ROUNDING = (1, 2, 4), 2.0**-24
REFERENCE, CHANGED = "1 rank", "1 rank, weights rounded differently"
EARLY = 50
SAMPLE, SAMPLES = 137, 200
COLUMNS = {"cross-entropy": 0, "denoising loss": 1, "norm of the gradient": 2}


def main() -> None:
    """Train, sample, compare and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200, help="optimiser steps")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of prepared datasets")
    parser.add_argument("--out", type=Path, default=Path("world-sizes.png"), help="output image of the curves")
    arguments = parser.parse_args()
    config, steps, data = PAPER.scale("laptop").shrink(HYBVIT).config, arguments.steps, arguments.data
    open_dataset(config.data, data)
    curves, samples = {}, {}
    with TemporaryDirectory() as folder:
        for size in SIZES:
            name, place = REFERENCE if size == 1 else f"{size} ranks", Path(folder) / f"{size}"
            ranks.run(size, ranks.train, config, data, 0, steps, place)
            curves[name] = np.load(place / "curve-0.npy")
            samples[name] = drawn(size, config, Path(folder) / "1" / f"{steps}.safetensors", data, place / "samples")
            same = np.array_equal(samples[name][SAMPLE], samples[REFERENCE][SAMPLE])
            print(f"{name}: {describe(curves, name)}; sample {SAMPLE} {'identical' if same else 'DIFFERS'}", flush=True)
        ranks.run(1, ranks.train, config, data, 0, steps, Path(folder) / "changed", ROUNDING)
        curves[CHANGED] = np.load(Path(folder) / "changed" / "curve-0.npy")
        print(f"{CHANGED}: {describe(curves, CHANGED)}")
    draw(curves, config, arguments.out)


def drawn(size: int, config: RunConfig, trained: Path, data: Path, folder: Path) -> NDArray[np.uint8]:
    """Return samples from the EMA weights of a trained state."""
    weights = {name.removeprefix("ema."): w for name, w in load_file(trained).items() if name.startswith("ema.")}
    save_file(weights, folder.with_suffix(".safetensors"))
    evaluation = Generation(samples=SAMPLES, features="classifier", score_splits=2)
    ranks.run(size, ranks.evaluate, config, folder.with_suffix(".safetensors"), [evaluation], data, folder)
    samples: NDArray[np.uint8] = np.load(folder / evaluation.id / "samples.npy")
    return samples


def describe(curves: Curves, name: str) -> str:
    """Return the largest relative differences from one rank, in the early steps and overall."""
    off = np.abs(curves[name] / curves[REFERENCE] - 1)
    parts = (f"{what} {off[:EARLY, at].max():.0e} and {off[:, at].max():.0e}" for what, at in COLUMNS.items())
    return f"off by at most, in {EARLY} and in {len(off)} steps, {', '.join(parts)}"


def draw(curves: Curves, config: RunConfig, path: Path) -> None:
    """Plot the curves of all trainings together, and below them their differences from one rank."""
    with style():
        figure = Figure(figsize=(10, 5.5), layout="constrained")
        axes = figure.subplots(2, len(COLUMNS), sharex=True, squeeze=False)
        for (title, column), over, under in zip(COLUMNS.items(), axes[0], axes[1], strict=True):
            for width, colour, (name, curve) in zip(
                (6, 3, 1, 1), ("C0", "C1", "C2", "0.5"), curves.items(), strict=True
            ):
                if name != CHANGED:
                    over.plot(curve[:, column], linewidth=width, color=colour)
                if name != REFERENCE:
                    off = np.abs(curve[:, column] / curves[REFERENCE][:, column] - 1)
                    under.plot(np.log10(np.maximum(off, 1e-9)), color=colour, linewidth=1)
                over.plot([], color=colour, linewidth=width, label=name)
            over.set_title(title)
            under.set_xlabel("step")
        axes[0][0].set_ylabel("value")
        axes[1][0].set_ylabel("log10 of the relative\ndifference from 1 rank")
        axes[0][0].legend(fontsize="small")
        figure.suptitle(f"One training on 1, 2 and 4 ranks; global batch of {config.training.batch_size}")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
