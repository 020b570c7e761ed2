"""Training of VERA: classifier, generator and posterior after ten iterations of the authors' `main`."""

from argparse import Namespace
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from harness.config.run import RunConfig
from harness.methods.base import Step, build_method
from harness.methods.vera import VERA
from harness.training.loop import Trainer
from harness_papers.hybvit import energy_baselines as runs
from tools.parity.baselines import give_weights
from tools.parity.energy import (
    BATCH,
    CPU,
    DATA,
    SMALL,
    STATISTICS,
    Epochs,
    arguments_of,
    batches,
    changes,
    loader_of,
    moved,
    paired,
    running,
    starts,
    trained,
)
from tools.parity.official import Checkout, Overlay, queue_of, replaced
from tools.parity.process import quiet
from tools.parity.table import Row, precision


def training(checkout: Checkout) -> Iterator[Row]:
    """Compare weights, running statistics, noise scale and width of the posterior."""
    config = runs.VERA.config.but(**SMALL, dropout=0.0, features=8)
    with precision("float64"):
        trainer = Trainer(config, build_method(config, CPU), loader_of(DATA), CPU)
        method = trainer.method
        assert isinstance(method, VERA)
        module, network = checkout.module("train.py"), checkout.module("models/wideresnet.py")
        classifier = Logits(network.Wide_ResNet(10, 1, num_classes=DATA.num_classes))
        latent, rate = method.latent_dim, config.training.optimizer_of("posterior").learning_rate
        images = checkout.module("models/resnet.py").ResNetGenerator(False, feats=8)
        generator = checkout.module("models/generator.py").VERAGenerator(images, latent, rate)
        classifying = paired(method.network, classifier)
        generating = paired(method.generator.network, images)
        give_weights([*classifying, *generating])
        before = starts(classifying), starts(generating)
        sigma, width = (each.detach().clone() for each in (generator.logsigma, generator.post_logsigma))
        steps = trained(trainer)
        given = {
            "utils": SimpleNamespace(
                make_logdirs=lambda arguments: (None,) * 7, print_log=lambda *arguments: None,
                get_data=lambda arguments: (Epochs(batches(method, "labelled", steps)), [], None),
            ),
            "get_models": lambda arguments: (checkout.module("models/jem.py").JEM(classifier), generator),
            "get_buffer": lambda arguments: None, "device": CPU, "TOY_DSETS": (), "TAB_DSETS": (),
            "torch": Overlay(torch, load=no_checkpoint),
        }  # fmt: skip
        with (
            quiet(),
            replaced(module, given),
            replaced(checkout.module("models/generator.py"), draws_of(method, steps)),
        ):
            module.main(arguments(checkout, config))
        yield changes("VERA: classifier after ten steps", moved(classifying, before[0]))
        yield changes("VERA: generator after ten steps", moved(generating, before[1]))
        yield changes("VERA: running statistics of the generator", running(generating, STATISTICS))
        yield changes(
            "VERA: noise scale of the generator", [(method.generator.log_sigma, generator.logsigma[0], sigma[0])]
        )
        yield changes("VERA: width of the posterior", [(method.posterior.log_sigma, generator.post_logsigma, width)])


class Logits(nn.Module):
    """A Wide ResNet whose class head is applied if its revision leaves it out of the forward pass."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        made: Tensor = self.network(x)
        head = self.network.linear
        return made if made.shape[1] == head.out_features else head(made)


def arguments(checkout: Checkout, config: RunConfig) -> Namespace:
    """Return the settings of their script."""
    method: Any = config.method
    rate, generator_rate = (config.training.optimizer_of(name).learning_rate for name in ("network", "generator"))
    never = dict.fromkeys(("print_every", "viz_every", "save_every", "ckpt_every", "eval_every"), 10**9)
    return arguments_of(checkout, "train.py", config, never | {
        "lr": rate, "glr": generator_rate, "noise_dim": method.generator.noise_dim, "num_classes": DATA.num_classes,
        "jem": True, "clf": True, "ssl": False, "clf_weight": method.class_weight, "ent_weight": method.entropy_weight,
        "pg_control": method.gradient_penalty, "max_sigma": method.largest_sigma, "min_sigma": method.smallest_sigma,
    })  # fmt: skip


def draws_of(method: VERA, steps: list[Step]) -> dict[str, Any]:
    """Return names for their generator with our draws: latents, noise, and both kinds of posterior samples."""
    rows, latent = torch.arange(BATCH), method.latent_dim

    def draws(name: str, *shape: int) -> Iterator[Tensor]:
        return (step.stream.at(name).normal(rows, *shape) for step in steps)

    importance = draws("importance", method.config.importance_samples, latent)
    posterior = draws("posterior", latent)

    class Given(torch.distributions.Normal):
        def sample(self, sample_shape: Any = ()) -> Tensor:
            return (self.loc + self.scale * next(importance).transpose(0, 1)).detach().contiguous()

        def rsample(self, sample_shape: Any = ()) -> Tensor:
            return self.loc + self.scale * next(posterior)

    latents, noises = draws("latent", latent), draws("noise", *method.example_shape)
    return {
        "torch": Overlay(torch, randn=queue_of(latents), randn_like=queue_of(noises)),
        "distributions": Overlay(torch.distributions, Normal=Given),
    }


def no_checkpoint(*arguments: Any, **keywords: Any) -> None:
    """Say, as `torch.load`, that there is no checkpoint."""
    raise FileNotFoundError
