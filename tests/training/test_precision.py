"""Reduced precision in training: the loss curves of the same 200 steps side by side."""

import pytest
import torch

from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.methods.base import build_method
from harness.training.loop import Trainer
from harness_papers.hybvit.paper import PAPER
from harness_papers.hybvit.runs import HYBVIT

CPU = torch.device("cpu")
CONFIG = PAPER.scale("laptop").shrink(HYBVIT).config
STEPS = 200
ALL, END = slice(None), slice(-50, None)


def loss_curves(loader, precision):
    """Return both losses of each step `(STEPS, 2)`."""
    config, seen = CONFIG.but(precision=precision), []
    method = build_method(config, CPU)
    losses = method.training_step

    def watched(step):
        for loss in losses(step):
            seen.append([loss.log[name].item() for name in ("cross_entropy", "denoising")])
            yield loss

    method.training_step = watched
    trainer = Trainer(config, method, loader, CPU)
    for _ in range(STEPS):
        trainer.train_step()
    trainer.close()
    return torch.tensor(seen, dtype=torch.float64)


@pytest.fixture(scope="module")
def curves(data_root):
    loader = ResidentLoader(open_dataset(CONFIG.data, data_root).split("train"), CPU)
    return {precision: loss_curves(loader, precision) for precision in ("fp32", "bf16")}


def test_bf16_follows_fp32_over_200_steps(curves):
    """Step by step at first; later rounding errors grow, as with another order of additions, but the end agrees."""
    reference, reduced = curves["fp32"], curves["bf16"]
    assert (reference[-20:].mean(0) < 0.8 * reference[:20].mean(0)).all()
    assert not torch.equal(reduced, reference)
    assert ((reduced - reference).abs() / reference)[:10].max() < 0.03
    of_the_whole, of_the_end = ((reduced[part].mean(0) / reference[part].mean(0) - 1).abs() for part in (ALL, END))
    assert of_the_whole.max() < 0.04
    assert of_the_end.max() < 0.08
