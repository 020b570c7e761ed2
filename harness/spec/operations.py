"""The operations of evaluations, in the closed forms of networks: their time is scaled by them."""

from functools import singledispatch

from harness.spec.evaluations import (
    Accuracy,
    Calibration,
    Evaluation,
    Generation,
    Likelihood,
    OutOfDistribution,
    Robustness,
    Runtime,
    Size,
)
from harness.spec.run import RunConfig


@singledispatch
def evaluation_flops(evaluation: Evaluation, config: RunConfig) -> float:
    """Return the floating-point operations of the network in an evaluation of a run, two to a multiply-add.

    Feature spaces, and distances between features, are not counted. An evaluation that says nothing of itself counts as
    a pass over the test split.
    """
    return _classified(config, config.data.test_examples)


@evaluation_flops.register
def _(evaluation: Accuracy | Calibration, config: RunConfig) -> float:
    return _classified(config, config.data.splits[evaluation.split])


@evaluation_flops.register
def _(evaluation: OutOfDistribution, config: RunConfig) -> float:
    outliers = (evaluation.outliers or config.data).test_examples
    return _classified(config, config.data.test_examples + outliers)


@evaluation_flops.register
def _(evaluation: Robustness, config: RunConfig) -> float:
    """Each query is a forward and a backward pass. An upper bound: images that have fallen are attacked no further."""
    images = min(evaluation.images, config.data.test_examples)
    queries = len(evaluation.epsilons) * evaluation.restarts * (evaluation.steps + 1)
    return 3 * queries * _classified(config, images)


@evaluation_flops.register
def _(evaluation: Generation, config: RunConfig) -> float:
    steps = getattr(evaluation.sampler, "steps", _timesteps(config))
    return evaluation.samples * steps * _denoised(config)


@evaluation_flops.register
def _(evaluation: Likelihood, config: RunConfig) -> float:
    return config.data.splits[evaluation.split] * _timesteps(config) * _denoised(config)


@evaluation_flops.register
def _(evaluation: Runtime, config: RunConfig) -> float:
    steps = evaluation.warmup_steps + evaluation.windows * evaluation.timed_steps
    per_example = config.method.train_flops(config.network, config.data)
    return steps * config.training.batch_size * per_example + 2 * _classified(config, config.data.test_examples)


@evaluation_flops.register
def _(evaluation: Size, config: RunConfig) -> float:
    return 0.0


def _classified(config: RunConfig, images: int) -> float:
    return images * config.network.forward_flops(config.data, conditioned=False)


def _denoised(config: RunConfig) -> float:
    return config.network.forward_flops(config.data, conditioned=True)


def _timesteps(config: RunConfig) -> int:
    """Return the steps of the full chain; 1 for a method without one."""
    process = getattr(config.method, "process", None)
    return process.timesteps if process else 1
