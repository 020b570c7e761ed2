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
from harness.spec.interfaces import LOGITS, PREDICT_NOISE
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
    return Work(config.data.examples("test"), _input_pass(config))


@work_of.register
def _(evaluation: Accuracy | Calibration, config: RunConfig) -> Work:
    return Work(config.data.examples(evaluation.split), _classified(config))


@work_of.register
def _(evaluation: OutOfDistribution, config: RunConfig) -> Work:
    outliers = (evaluation.outliers or config.data).examples("test")
    return Work(config.data.examples("test") + outliers, _classified(config))


@work_of.register
def _(evaluation: Robustness, config: RunConfig) -> Work:
    """Forward and backward, at every query. An upper bound: images that have fallen are attacked no further."""
    images = min(evaluation.images, config.data.examples("test"))
    queries = len(evaluation.epsilons) * evaluation.restarts * (evaluation.steps + 1)
    return Work(images * queries, 3 * _classified(config))


@work_of.register
def _(evaluation: Generation, config: RunConfig) -> Work:
    steps = evaluation.sampler.passes(config.method.chain)
    return Work(evaluation.samples * steps, config.method.sample_flops(config.network, config.data))


@work_of.register
def _(evaluation: Likelihood, config: RunConfig) -> Work:
    return Work(config.data.examples(evaluation.split) * config.method.chain, _denoised(config))


@work_of.register
def _(evaluation: Runtime, config: RunConfig) -> Work:
    steps = evaluation.warmup_steps + evaluation.windows * evaluation.timed_steps
    return Work(steps * config.training.batch_size, config.method.train_flops(config.network, config.data))


@work_of.register
def _(evaluation: Size, config: RunConfig) -> Work:
    return Work(0, 0.0)


def _input_pass(config: RunConfig) -> float:
    """Return the cost of the cheapest pass that the method takes."""
    return min((config.network.flops(config.data, name) for name in config.method.passes), default=0.0)


def _classified(config: RunConfig) -> float:
    return _pass(config, LOGITS)


def _denoised(config: RunConfig) -> float:
    return _pass(config, PREDICT_NOISE)


def _pass(config: RunConfig, name: str) -> float:
    """Return the cost of a pass; a method that answers by another one is taken to need its cheapest."""
    if name in config.method.passes:
        return config.network.flops(config.data, name)
    return _input_pass(config)
