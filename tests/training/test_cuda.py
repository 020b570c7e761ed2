"""Training and sampling on a CUDA device: compilation, reduced precision, exact resumption."""

import pytest
import torch

from harness.config.samplers import Ancestral
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.methods.base import build_method
from harness.models.acceleration import accelerated
from harness.randomness import Stream
from harness.training.device import prepare_device
from harness.training.loop import Trainer
from harness_papers.hybvit.paper import PAPER
from harness_papers.hybvit.runs import HYBVIT

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CONFIG = PAPER.scale("laptop").shrink(HYBVIT).config


@pytest.fixture(scope="module")
def device():
    return prepare_device("cuda")


@pytest.fixture(scope="module")
def split(data_root):
    return open_dataset(CONFIG.data, data_root).split("train")


def trained(split, device, steps, precision="fp32", compiled=False, state=None):
    config = CONFIG.but(precision=precision)
    trainer = Trainer(config, build_method(config, device), ResidentLoader(split, device), device, compiled)
    if state is not None:
        trainer.load_state(*state)
    for _ in range(steps):
        trainer.train_step()
    trainer.close()
    means = {
        name.removeprefix("meters."): (value[0] / value[1]).item()
        for name, value in trainer.state().items()
        if name.startswith("meters.")
    }
    return trainer, means


def test_a_cuda_device_trains_as_the_cpu_does(split, device):
    _, here = trained(split, torch.device("cpu"), 30)
    _, there = trained(split, device, 30)
    assert there == pytest.approx(here, rel=0.02)


@pytest.mark.parametrize(
    ("precision", "compiled"), [("tf32", False), ("bf16", False), ("fp32", True), ("tf32", True), ("bf16", True)]
)
def test_every_switch_follows_the_reference(split, device, precision, compiled):
    _, reference = trained(split, device, 30)
    _, means = trained(split, device, 30, precision, compiled)
    assert means["cross_entropy"] == pytest.approx(reference["cross_entropy"], rel=0.03)
    assert means["denoising"] == pytest.approx(reference["denoising"], rel=0.03)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_resuming_is_exact(split, device, compiled):
    whole, _ = trained(split, device, 25, "bf16", compiled)
    half, _ = trained(split, device, 13, "bf16", compiled)
    rest, _ = trained(split, device, 12, "bf16", compiled, (13, half.state()))
    for name, value in whole.state().items():
        assert torch.equal(value, rest.state()[name]), name


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_sampling_and_bounds_equal_the_others(split, device, precision):
    trainer, _ = trained(split, device, 200)
    model, rows = trainer.method.eval(), torch.arange(64, device=device)
    images = ResidentLoader(split, device).batch(rows).images
    found = []
    for compiled in (False, True):
        with torch.inference_mode(), accelerated(model.players().values(), precision, compiled):
            found.append((model.sample(Ancestral(), Stream(0), rows), model.bits_per_dim(images, Stream(0), rows)))
    (samples, bounds), (compiled_samples, compiled_bounds) = found
    tolerance = {"fp32": 1e-3, "bf16": 0.1}[precision]
    assert (samples - compiled_samples).abs().mean() < tolerance
    torch.testing.assert_close(compiled_bounds, bounds, rtol=tolerance, atol=tolerance)
