"""Training of JEM++: its initial chains, and network and chains after ten iterations of the authors' `main`."""

from argparse import Namespace
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from harness.config.run import RunConfig
from harness.methods.base import Step, build_method
from harness.methods.class_gaussians import ClassGaussians
from harness.methods.jem_plus_plus import JEMPlusPlus
from harness.randomness import Stream
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
from tools.parity.official import LEGACY, Checkout, Overlay, queue_of, replaced
from tools.parity.process import quiet
from tools.parity.table import Row, compare, precision


def initialisation(checkout: Checkout) -> Iterator[Row]:
    """Compare ten initial states drawn from the Gaussians of three classes, which both sides estimate.

    Their covariances get float64, as ours: float32 changes the states by 1e-3.
    """
    module, loader, rows = checkout.module("train_jempp.py"), loader_of(DATA), torch.arange(10)
    stream, kept = Stream("initial"), dict[str, Any]()

    def keep(value: Any, path: str) -> None:
        kept[path] = value

    def load(*given: Any) -> Any:
        # The script saves the covariances with `load`, by mistake.
        return keep(*given) if len(given) > 1 else kept[given[0]]

    classes = iter(stream.at("class").integers(rows, DATA.num_classes).tolist())
    normal = iter(stream.at("noise").normal(rows, DATA.dimensions).double())
    given = {
        "t": Overlay(torch, save=keep, load=load),
        "np": Overlay(LEGACY["numpy"], random=Overlay(np.random, randint=lambda high: next(classes))),
        "conditionals": [],
    }
    settings = Namespace(dataset="cifar10", n_classes=DATA.num_classes, buffer_size=10, device=CPU)
    with precision("float64"), quiet(), replaced(module, given):
        batch = next(loader.blocks(DATA.train_examples))
        module.category_mean([(batch.images, batch.labels)], settings)
        module.init_from_centers(settings)
        with patch("torch.distributions.multivariate_normal._standard_normal", queue_of(normal)):
            theirs = module.init_random(settings, len(rows))
    ours = ClassGaussians(loader, DATA.num_classes).sample(stream, rows, theirs.shape[1:])
    yield compare("JEM++: initial states of ten chains", "float32", ours, theirs, 1e-5)


def training(checkout: Checkout) -> Iterator[Row]:
    """Compare weights, running statistics and chains."""
    config = runs.JEM_PLUS_PLUS.config.but(**SMALL, buffer_size=20, outer_steps=3, reinitialised=0.3)
    with precision("float64"), patch.object(JEMPlusPlus, "prepare"), patch.object(JEMPlusPlus, "initial_states", noise):
        trainer = Trainer(config, build_method(config, CPU), loader_of(DATA), CPU)
        method = trainer.method
        assert isinstance(method, JEMPlusPlus)
        module, models = checkout.module("train_jempp.py"), checkout.module("models/jem_models.py")
        theirs = models.CCF(10, 1, "batch", n_classes=DATA.num_classes, model="yopo")
        del theirs.energy_output
        pairs = paired(method.network, theirs)
        give_weights(pairs)
        method.replay.images.copy_(method.initial_states(Stream("chains"), torch.arange(20)))
        before, chains = starts(pairs), method.replay.images.clone()
        buffer = chains.clone()
        settings = arguments(checkout, config)
        given = given_to_script(method, trained(trainer)) | {
            "args": settings,
            "get_model_and_buffer": lambda arguments, device: (theirs, None),
            "init_from_centers": lambda arguments: buffer,
        }
        with quiet(), replaced(module, given):
            module.main(settings)
        yield changes("JEM++: network after ten steps", moved(pairs, before))
        yield changes("JEM++: running statistics", running(pairs, STATISTICS))
        yield changes("JEM++: chains", [(method.replay.images, buffer, chains)])


def noise(method: JEMPlusPlus, stream: Stream, rows: Tensor) -> Tensor:
    """Return initial states of chains, one per row."""
    return 2 * stream.uniform(rows, *method.example_shape).to(torch.get_default_dtype()) - 1


def given_to_script(method: JEMPlusPlus, steps: list[Step]) -> dict[str, Any]:
    """Return names for their script with our batches, chains, restarts and initial states."""
    rows = torch.arange(BATCH)
    fresh = (method.initial_states(step.stream.at("chain", "fresh"), rows) for step in steps)
    observed, labelled = Epochs(batches(method, "observed", steps)), iter(batches(method, "labelled", steps))
    return {
        "t": Overlay(
            torch,
            randint=queue_of(method.replay.slots(step) for step in steps),
            rand=queue_of(step.stream.at("replay", "anew").uniform(rows) for step in steps),
        ),
        "init_random": lambda arguments, count: next(fresh),
        "get_data": lambda arguments: (observed, labelled, [], []),
        "tqdm": lambda batches: batches,
        "checkpoint": lambda *arguments: None,
        "eval_classification": lambda *arguments: (0.0, 0.0),
    }


def arguments(checkout: Checkout, config: RunConfig) -> Namespace:
    """Return the settings of their script."""
    method: Any = config.method
    return arguments_of(checkout, "train_jempp.py", config, {
        "optimizer": "sgd", "n_classes": DATA.num_classes, "norm": "batch", "pid": 0,
        "lr": config.training.value_of("learning_rate"), "weight_decay": config.training.value_of("weight_decay"),
        "n_steps": method.outer_steps, "in_steps": method.inner_steps, "reinit_freq": method.reinitialised,
    })  # fmt: skip
