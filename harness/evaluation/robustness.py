"""Robustness: accuracy under white-box PGD with random starts, as in the authors' code.

All rows of a table attack the same images; a random start is a function of the run, the epsilon, the restart and the
image. Artefacts: `indices.npy` `(n,)` int64, the positions of the attacked images in the test split, and `fallen.npy`
`(epsilons, n)` int32, the query at which each image is first misclassified: 0 is the clean image, then each restart
counts its start and each of its steps; -1 is never. Interrupted attacks resume after the last finished epsilon, which
is saved until the evaluation is complete.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.config.dataset import images_of
from harness.config.evaluations import Robustness
from harness.config.resolve import resolve
from harness.data.loaders import Batch
from harness.evaluation.base import BLOCK, SHARD, EvaluationResult, Subject
from harness.evaluation.logits import shared_logits
from harness.evaluation.pgd import Attack, Report
from harness.methods.base import Classifier
from harness.randomness import Stream
from harness.store.records import Measurement

UNIT = 2 / 255
"""One pixel level of 255, for images in [-1, 1]."""
REACH = 2.5
"""Steps add up to this many radii by default: enough to cross the ball and move along its edge (Madry et al. §5)."""


def evaluate(evaluation: Robustness, subject: Subject) -> EvaluationResult:
    """Return the percentage of images that are never misclassified, for every epsilon.

    Raises `SpecError` unless the data are images, because epsilons are in pixel levels.
    """
    images_of(subject.config.data, evaluation)
    model, loader = subject.model, subject.loader("test")
    assert isinstance(model, Classifier)
    indices = Stream("robustness", "images").permutation(len(loader))[: evaluation.images]
    subject.save("indices", indices.numpy())

    def blocks(part: range) -> Iterator[Tensor]:
        return (batch.inputs for batch in loader.batches(_within(part, indices).split(BLOCK)) if len(batch))

    logits = shared_logits(model, blocks, len(indices), subject.comm, lambda done: None)
    quantities = [evaluation.quantity(epsilon) for epsilon in evaluation.epsilons]
    if not np.isfinite(logits).all():
        return EvaluationResult(dict.fromkeys(quantities, Measurement(value=float("nan"), n=len(indices))))
    part = subject.comm.shard(len(indices), BLOCK)
    (batch,) = loader.batches([_within(part, indices)])
    correct = torch.from_numpy(logits[part.start : part.stop].argmax(axis=1)).to(batch.targets.device) == batch.targets
    first_error = np.stack(
        [first_errors_within(epsilon, evaluation, batch, correct, subject) for epsilon in evaluation.epsilons]
    )
    subject.save("fallen", first_error)
    shares = [Measurement(value=100 * float((row == -1).mean()), n=len(row)) for row in first_error]
    sizes = [step_size(epsilon, evaluation) for epsilon in evaluation.epsilons]
    return EvaluationResult(
        dict(zip(quantities, shares, strict=True)),
        {
            "clean_accuracy": 100 * float((first_error[0] != 0).mean()),
            "steps": evaluation.steps,
            "step_sizes": dict(zip(quantities, sizes, strict=True)),
        },
    )


def step_size(epsilon: float, evaluation: Robustness) -> float:
    """Return the step size, in the unit of epsilon."""
    return evaluation.step_size or REACH * epsilon / evaluation.steps


def first_errors_within(
    epsilon: float, evaluation: Robustness, batch: Batch, correct: Tensor, subject: Subject
) -> NDArray[np.int32]:
    """Return the query at which each image is first misclassified for one epsilon, computed once and cached."""
    model, shard = subject.model, f"{SHARD}{evaluation.quantity(epsilon)}"
    assert isinstance(model, Classifier)
    kept: NDArray[np.int32] | None = subject.comm.on_first_rank(lambda: subject.saved_shard(shard))
    if kept is not None:
        return kept
    before, work = evaluation.epsilons.index(epsilon), evaluation.restarts * len(batch)
    ball = resolve(evaluation.norm.implementation)(evaluation.norm, UNIT * epsilon)
    attack = Attack(ball, UNIT * step_size(epsilon, evaluation), evaluation.steps)
    stream = subject.stream("robustness").at(evaluation.norm.kind, f"{epsilon:g}")

    def report(done: int) -> None:
        subject.report(before * work + done, len(evaluation.epsilons) * work)

    found = first_queries(model, batch, correct, attack, evaluation.restarts, stream, report)
    first_error = np.concatenate(subject.comm.all_gather([found.cpu().numpy().astype(np.int32)]))
    subject.comm.on_first_rank(lambda: subject.save_shard(shard, first_error))
    return first_error


def first_queries(
    model: Classifier,
    batch: Batch,
    correct: Tensor,
    attack: Attack,
    restarts: int,
    stream: Stream,
    report: Report,
) -> Tensor:
    """Return the query at which each image is first misclassified: 0 for the clean image, -1 for never.

    `correct` tells which clean images are classified correctly; `report` gets the number of finished restarts, summed
    over the images.
    """
    first_error = torch.where(correct, -1, 0)
    for restart in range(restarts):
        standing = (first_error == -1).nonzero().flatten()
        images, labels = batch.inputs[standing], batch.targets[standing]
        start = attack.ball.random_points(images, stream.at(restart), batch.indices[standing])
        told = _offset(report, (restart + 1) * len(batch) - len(standing))
        steps = attack.first_errors(model.logits, images, labels, start, BLOCK, told)
        first_error[standing] = torch.where(steps == -1, -1, 1 + restart * (attack.steps + 1) + steps)
    return first_error


def _offset(report: Report, before: int) -> Report:
    return lambda done: report(before + done)


def _within(part: range, indices: Tensor) -> Tensor:
    return indices[part.start : part.stop]
