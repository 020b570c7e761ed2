"""The work of evaluations, in the closed forms of networks: their time is scaled by it."""

from functools import singledispatch
from typing import NamedTuple

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


class Work(NamedTuple):
    """How often a network is asked about an image, and the floating-point operations of that, two to a multiply-add."""

    passes: int
    flops: float

    @property
    def total(self) -> float:
        """The operations of all passes."""
        return self.passes * self.flops


@singledispatch
def work_of(evaluation: Evaluation, config: RunConfig) -> Work:
    """Return the work of the network in an evaluation of a run.

    Feature spaces, and distances between features, are not counted. An evaluation that says nothing of itself counts as
    a pass over the test split.
    """
    return Work(config.data.test_examples, _classified(config))


@work_of.register
def _(evaluation: Accuracy | Calibration, config: RunConfig) -> Work:
    return Work(config.data.splits[evaluation.split], _classified(config))


@work_of.register
def _(evaluation: OutOfDistribution, config: RunConfig) -> Work:
    outliers = (evaluation.outliers or config.data).test_examples
    return Work(config.data.test_examples + outliers, _classified(config))


@work_of.register
def _(evaluation: Robustness, config: RunConfig) -> Work:
    """Forward and backward, at every query. An upper bound: images that have fallen are attacked no further."""
    images = min(evaluation.images, config.data.test_examples)
    queries = len(evaluation.epsilons) * evaluation.restarts * (evaluation.steps + 1)
    return Work(images * queries, 3 * _classified(config))


@work_of.register
def _(evaluation: Generation, config: RunConfig) -> Work:
    steps = getattr(evaluation.sampler, "steps", config.method.chain)
    return Work(evaluation.samples * steps, config.method.sample_flops(config.network, config.data))


@work_of.register
def _(evaluation: Likelihood, config: RunConfig) -> Work:
    return Work(config.data.splits[evaluation.split] * config.method.chain, _denoised(config))


@work_of.register
def _(evaluation: Runtime, config: RunConfig) -> Work:
    steps = evaluation.warmup_steps + evaluation.windows * evaluation.timed_steps
    return Work(steps * config.training.batch_size, config.method.train_flops(config.network, config.data))


@work_of.register
def _(evaluation: Size, config: RunConfig) -> Work:
    return Work(0, 0.0)


def _classified(config: RunConfig) -> float:
    return config.network.forward_flops(config.data, conditioned=False)


def _denoised(config: RunConfig) -> float:
    return config.network.forward_flops(config.data, conditioned=True)
