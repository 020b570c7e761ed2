"""Small runs on the digits, one of them trained, and subjects built from them."""

import pytest
import torch

from harness.config.methods import Classification
from harness.config.networks import ViT
from harness.config.run import RunConfig
from harness.config.training import Training
from harness.data.catalogue import DIGITS
from harness.data.loaders import ResidentLoader
from harness.data.prepared.dataset import open_dataset
from harness.evaluation.base import Subject
from harness.methods.base import build_method
from harness.torchvision_shim import make_torchvision_importable
from harness.training.loop import Hooks, Trainer

make_torchvision_importable()  # torchmetrics imports it
CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def config():
    return RunConfig(
        data=DIGITS,
        network=ViT(dim=24, depth=2, heads=2, patch_size=2),
        method=Classification(),
        training=Training(epochs=4, batch_size=64, warmup_epochs=0.5, learning_rate=5e-3, ema_decay=0.9),
    )


@pytest.fixture(scope="session")
def digits(data_root):
    return open_dataset(DIGITS, data_root)


@pytest.fixture(scope="session")
def model(config, digits):
    """A classifier that is right about most digits."""
    method = build_method(config, CPU)
    trainer = Trainer(config, method, ResidentLoader(digits.split("train"), CPU), CPU)
    assert trainer.run(Hooks(lambda step: None, lambda step, means: None, lambda: False))
    return method.eval()


@pytest.fixture
def subject_of(digits, data_root, tmp_path):
    """Build subjects, each with its own folder of artefacts."""
    made = []

    def make(config, model, **changes):
        made.append(None)
        artefacts = changes.pop("artefacts", tmp_path / f"subject{len(made)}")
        artefacts.mkdir(exist_ok=True)
        fields = {
            "config": config,
            "model": model,
            "weights_sha256": "0" * 64,
            "data": digits,
            "data_root": data_root,
            "device": CPU,
            "compiled": False,
            "artefacts": artefacts,
            "cache": tmp_path / "cache",
            "report": lambda done, total: None,
            "open_data": lambda data: open_dataset(data, data_root),
            "open_loader": lambda data, split: ResidentLoader(data.split(split), CPU),
        }
        return Subject(**fields | changes)

    return make


@pytest.fixture
def subject(subject_of, config, model):
    """The trained classifier."""
    return subject_of(config, model)


@pytest.fixture
def broken(config):
    """A classifier with NaN logits."""
    method = build_method(config, CPU).eval()
    with torch.no_grad():
        method.network.class_head.bias.fill_(float("nan"))
    return method


@pytest.fixture
def constant(config):
    """A classifier that always predicts class 3."""
    method = build_method(config, CPU).eval()
    with torch.no_grad():
        method.network.class_head.weight.zero_()
        method.network.class_head.bias.copy_(torch.nn.functional.one_hot(torch.tensor(3), 10))
    return method
