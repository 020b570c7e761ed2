"""Implementations of the evaluations; every rank evaluates its part of a split."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.data.batches import Batch
from harness.evaluation.base import BLOCK, EvaluationResult, Subject
from harness.evaluation.logits import split_logits
from harness.store.records import Measurement
from outside_paper import evaluations as spec
from outside_paper.nn.protocols import LanguageModel, Regressor


def brier(evaluation: spec.Brier, subject: Subject) -> EvaluationResult:
    """Return the Brier score and the log loss."""
    logits, labels = split_logits(evaluation.split, subject)
    log_p = torch.from_numpy(logits).double().log_softmax(1).numpy()
    true = np.eye(log_p.shape[1])[labels]
    scores = {"brier": ((np.exp(log_p) - true) ** 2).sum(1).mean(), "log_loss": -(log_p * true).sum(1).mean()}
    return EvaluationResult({name: Measurement(value=float(value), n=len(labels)) for name, value in scores.items()})


def errors(evaluation: spec.Errors, subject: Subject) -> EvaluationResult:
    """Return the root mean squared error; saves predictions and targets."""
    model = subject.model
    assert isinstance(model, Regressor)
    predictions = of_each(subject, evaluation.split, lambda batch: model.predict(batch.inputs))
    targets = subject.data.split(evaluation.split).targets
    subject.save("predictions", predictions)
    subject.save("targets", targets)
    error = float(np.sqrt(((predictions - targets).astype(np.float64) ** 2).mean()))
    return EvaluationResult({"rmse": Measurement(value=error, n=len(targets))})


def token_bits(evaluation: spec.TokenBits, subject: Subject) -> EvaluationResult:
    """Return the mean bits over all tokens but the first of each sequence."""
    model = subject.model
    assert isinstance(model, LanguageModel)
    losses = of_each(subject, evaluation.split, lambda batch: model.token_losses(batch.inputs)) / np.log(2)
    subject.save("bits", losses.astype(np.float32))
    return EvaluationResult({"bits_per_token": Measurement(value=float(losses.mean(dtype=np.float64)), n=losses.size)})


def margin(score: spec.Margin, logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the difference of the two largest logits of each example."""
    highest = np.sort(logits, axis=1)
    difference: NDArray[np.float64] = highest[:, -1] - highest[:, -2]
    return difference


@torch.inference_mode()
def of_each(subject: Subject, split: str, compute: Callable[[Batch], Tensor]) -> NDArray[np.float32]:
    """Apply `compute` to every batch of a split and return the results in its order."""
    loader = subject.loader(split)
    part = subject.comm.shard(len(loader), BLOCK)
    found: list[NDArray[np.float32]] = []
    for batch in loader.blocks(BLOCK, part):
        found.append(compute(batch).float().cpu().numpy())
        subject.report(sum(map(len, found)), len(part))
    return np.concatenate(subject.comm.all_gather(found))
