"""Training: the learning-rate schedule, the epoch length, and weights and EMA after twenty complete steps."""

import copy
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.config.augmentation import Augmentation
from harness.config.run import RunConfig
from harness.data.batches import Batch
from harness.data.catalogue import CELEBAHQ128, CIFAR10, IMAGENET32, STL10, TINY_IMAGENET
from harness.data.loaders import ResidentLoader, ShuffledOrder
from harness.data.prepared.dataset import Split
from harness.methods.base import build_method
from harness.models.vit import VisionTransformer
from harness.randomness import Stream
from harness.training.loop import Trainer
from harness_papers.hybvit.runs import HYBVIT
from tools.parity.networks import official_name, official_twin
from tools.parity.official import Checkout, Overlay, queue_of
from tools.parity.process import dataset, quiet
from tools.parity.table import Row, compare, precision

CPU = torch.device("cpu")
STEPS = 20


def schedule(checkout: Checkout) -> Iterator[Row]:
    """Compare the learning rates of all 585,500 iterations of the CIFAR-10 runs."""
    config = HYBVIT.config.training
    length, iterations = config.iterations_per_epoch(CIFAR10), config.iterations(CIFAR10)
    rate = config.optimizer.learning_rate
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=rate)
    arguments = Namespace(epochs=config.epochs, warmup=int(config.value_of("warmup_epochs")), lr=rate)
    scheduler = checkout.module("utils/scheduler.py").build_scheduler(arguments, optimizer, length)
    theirs = np.empty(iterations)
    for step in range(iterations):
        theirs[step] = optimizer.param_groups[0]["lr"]
        scheduler.step()
    ours = [config.rate(step, length, "network") for step in range(iterations)]
    yield compare("learning rate of every iteration", "float64", ours, theirs, 1e-12)


def epochs(checkout: Checkout) -> Iterator[Row]:
    """Compare the iterations per epoch on each dataset."""
    sampler = checkout.module("utils/sampler.py").RASampler
    datasets = (CIFAR10, STL10, TINY_IMAGENET, IMAGENET32, CELEBAHQ128)
    theirs = [len(sampler(data.train_examples, 128, 1, 3, shuffle=True, drop_last=True)) for data in datasets]
    ours = [HYBVIT.config.training.iterations_per_epoch(data) for data in datasets]
    yield compare("iterations of an epoch, five datasets", "exact", ours, theirs, 0)


def small_run() -> RunConfig:
    """Return HybViT on 256 16x16 images, without augmentation: 48 iterations per epoch, 12 of warm-up."""
    return HYBVIT.config.but(
        data=dataset(16), augmentation=Augmentation(), dim=48, depth=3, heads=4,
        epochs=4, warmup_epochs=0.25, batch_size=16, precision="fp32",
    )  # fmt: skip


def draws(config: RunConfig, loader: ResidentLoader) -> Iterator[tuple[Batch, Batch, Tensor, Tensor]]:
    """Yield the inputs of our loop at each step: labelled and clean images, timesteps and noise."""
    stream = Stream(config.seed, "training")
    orders = [
        ShuffledOrder(stream.at("order", name), len(loader), config.training.batch_size)
        for name in ("labelled", "clean")
    ]
    for step in range(STEPS):
        labelled, clean = (loader.batch(order.indices(step)) for order in orders)
        rows, here = torch.arange(len(clean)), stream.at("step", step, "diffusion")
        timesteps, noise = here.at("timestep").integers(rows, 1000), here.at("noise").normal(rows, 3, 16, 16)
        yield labelled, clean, timesteps, noise


def steps(checkout: Checkout) -> Iterator[Row]:
    """Compare weights and EMA after twenty steps of the authors' training function and of our loop."""
    config = small_run()
    pixels = np.random.default_rng(0).integers(0, 256, (256, 3, 16, 16), dtype=np.uint8)
    labels = np.random.default_rng(1).integers(0, 10, 256)
    for name, tolerance in (("float32", 1e-2), ("float64", 1e-9)):
        with precision(name):
            loader = ResidentLoader(Split(config.data, {"images": pixels, "labels": labels}), CPU)
            trainer = Trainer(config, build_method(config, CPU), loader, CPU)
            ours = trainer.method.players()["network"]
            assert isinstance(ours, VisionTransformer)
            theirs, average = train_theirs(checkout, config, ours, list(draws(config, loader)))
            for _ in range(STEPS):
                trainer.train_step()
            weights = [(p.detach(), theirs[official_name(key)]) for key, p in ours.named_parameters()]
            means = [
                (p, average[official_name(key.removeprefix("network."))]) for key, p in trainer.ema_weights().items()
            ]
            for what, found in (("weights", weights), ("EMA", means)):
                yield compare(f"{what} after {STEPS} steps", name, *map(list, zip(*found, strict=True)), tolerance)


def train_theirs(
    checkout: Checkout, config: RunConfig, ours: VisionTransformer, drawn: list[tuple[Batch, Batch, Tensor, Tensor]]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the weights and EMA of the authors' network after their `train` with the same draws."""
    training, diffusion = config.training, checkout.module("diffusion.py")
    twin = official_twin(checkout, ours, config.network, config.data)
    model = diffusion.GaussianDiffusion(twin, image_size=16, channels=3, timesteps=1000, loss_type="l1")
    average: Any = copy.deepcopy(model)
    rate, decay, warmup = (training.value_of(name) for name in ("learning_rate", "weight_decay", "warmup_epochs"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    arguments = Namespace(
        px=100.0, pyx=1.0, cm=False, mu=False, device=CPU, print_freq=-1,
        lr=rate, epochs=training.epochs, warmup=warmup,
    )  # fmt: skip
    length = training.iterations_per_epoch(config.data)
    scheduler = checkout.module("utils/scheduler.py").build_scheduler(arguments, optimizer, length)
    criterion = checkout.module("utils/losses.py").LabelSmoothingCrossEntropy()
    diffusion.torch = Overlay(
        torch, randint=queue_of(step[2] for step in drawn), randn_like=queue_of(step[3] for step in drawn)
    )
    labelled = [(step[0].images, step[0].labels) for step in drawn]
    clean = iter([(step[1].images, step[1].labels) for step in drawn])
    with quiet():
        checkout.module("gevit_main.py").train(
            labelled, clean, model, average, criterion, optimizer, 0, scheduler, arguments
        )
    diffusion.torch = torch
    return dict(twin.state_dict()), dict(average.denoise_fn.state_dict())
