"""OOD detection: AUROC of a score of the class logits, test examples against outliers, as in the authors' code.

No noise is added. Artefacts: `in_scores.npy` and `out_scores.npy`, float64, in the order of their splits; Interp in the
order of construction.
"""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax
from torch import Tensor

from harness.config.dataset import Dataset, Images
from harness.config.evaluations import OutOfDistribution, Score
from harness.config.resolve import resolve
from harness.data.loaders import Loader
from harness.errors import HarnessError
from harness.evaluation.base import EvaluationResult, Subject
from harness.evaluation.logits import input_blocks, shared_logits
from harness.methods.base import Classifier
from harness.metrics.auroc import auroc
from harness.randomness import Stream
from harness.store.records import Measurement

MIXED_BATCH = 100
"""The batch size of Interp: the paper's code averages two consecutive batches."""


def evaluate(evaluation: OutOfDistribution, subject: Subject) -> EvaluationResult:
    """Return the AUROC of the score, with the run's own test examples as positives.

    Raises `HarnessError` if the shape or dtype of the outliers differs from the run's data, or Interp does not apply
    to it.
    """
    own = subject.loader("test")
    if evaluation.outliers is None:
        check_means(subject.config.data)
        name, data = "Interp", subject.data
        count = interpolation_count(len(own))
        outliers = partial(interpolations, own, subject.stream("interp"))
    else:
        check_shapes(evaluation.outliers, subject.config.data)
        name, data = evaluation.outliers.name, subject.open_data(evaluation.outliers)
        loader = subject.loader("test", data)
        outliers, count = partial(input_blocks, loader), len(loader)
    model, comm, total = subject.model, subject.comm, len(own) + count
    assert isinstance(model, Classifier)
    logits = shared_logits(model, partial(input_blocks, own), len(own), comm, lambda n: subject.report(n, total))
    inside = scores(evaluation.score, logits)
    logits = shared_logits(model, outliers, count, comm, lambda n: subject.report(len(own) + n, total))
    outside = scores(evaluation.score, logits)
    subject.save("in_scores", inside)
    subject.save("out_scores", outside)
    finite = np.isfinite(inside).all() and np.isfinite(outside).all()
    return EvaluationResult(
        {"auroc": Measurement(value=auroc(inside, outside) if finite else float("nan"), n=total)},
        {"outliers": name, "outliers_n": len(outside), "outliers_sha256": data.manifest.sha256},
    )


def scores(score: Score, logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the score of each row of logits, in float64 so that confident predictions do not tie at 1."""
    result: NDArray[np.float64] = resolve(score.implementation)(score, logits.astype(np.float64))
    return result


def log_density(score: Score, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log p(x) up to a constant: the logsumexp of each row (HybViT App. C.1)."""
    result: NDArray[np.float64] = logsumexp(logits, axis=1)
    return result


def max_probability(score: Score, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return max_y p(y | x), the maximum softmax probability of each row (HybViT App. C.3)."""
    result: NDArray[np.float64] = softmax(logits, axis=1).max(axis=1)
    return result


def check_shapes(outliers: Dataset, own: Dataset) -> None:
    """Raise `HarnessError` unless the outliers have the shape and dtype of the model's inputs."""
    shapes = ["x".join(map(str, data.example_shape)) or "single numbers" for data in (outliers, own)]
    types = [data.stored[data.inputs].dtype for data in (outliers, own)]
    if types[0] != types[1]:
        shapes = [f"{shape} {dtype}" for shape, dtype in zip(shapes, types, strict=True)]
    if shapes[0] != shapes[1]:
        raise HarnessError(
            f"outliers '{outliers.name}' are {shapes[0]}, but the model of '{own.name}' takes {shapes[1]}"
        )


def check_means(data: Dataset) -> None:
    """Raise `HarnessError` unless the mean of two examples is a valid input (images or real numbers)."""
    dtype = data.stored[data.inputs].dtype
    if not isinstance(data, Images) and not dtype.startswith("float"):
        raise HarnessError(f"Interp needs images or real numbers: dataset '{data.name}' holds {dtype}")


def interpolation_count(examples: int) -> int:
    """Return the number of interpolated examples: one batch fewer than there are full batches.

    Raises `HarnessError` if there are fewer than two full batches.
    """
    if examples < 2 * MIXED_BATCH:
        raise HarnessError(f"Interp needs at least {2 * MIXED_BATCH} test examples: there are {examples}")
    return (examples // MIXED_BATCH - 1) * MIXED_BATCH


def interpolations(loader: Loader, stream: Stream, part: range) -> Iterator[Tensor]:
    """Yield a part of the paper's Interp: each batch of the shuffled split averaged elementwise with the next.

    `part` must consist of whole batches.
    """
    order = stream.permutation(len(loader))
    shuffled = loader.batches(order[part.start : part.stop + MIXED_BATCH].split(MIXED_BATCH) if part else ())
    for first, second in pairwise(shuffled):
        yield (first.inputs + second.inputs) / 2
