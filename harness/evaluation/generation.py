"""Generation: Fréchet distance, class score, and how samples lie among the images of a reference split.

Samples come from the EMA weights. They are brought to the form in which the dataset stores its inputs, images to uint8
as the paper's code does it, and stand in `samples.npy` `(n, *shape)`. `features.npy` and `sample_logits.npy` are theirs
in the feature space. Where the model classifies too, `own_logits.npy` `(n, classes)` float32 are its own of its
samples, read back into the form that models take.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.config.evaluations import Generation
from harness.data.loaders import as_inputs
from harness.evaluation.base import BLOCK, EvaluationResult, Subject
from harness.evaluation.features.base import Arrays, FeatureSpace
from harness.evaluation.features.reference import reference_features, space_of
from harness.evaluation.logits import shared_logits
from harness.evaluation.samples import draw
from harness.methods.base import Classifier
from harness.metrics.class_score import class_score
from harness.metrics.frechet import frechet_distance, moments
from harness.metrics.prdc import prdc
from harness.store.records import Measurement

PERMUTATION_SEED = 2020
"""The paper's code shuffles the samples with this seed before it splits them for the score."""


def evaluate(evaluation: Generation, subject: Subject) -> EvaluationResult:
    """Draw the samples, embed them and the reference, and return every quantity.

    Precision, recall, density and coverage take as many reference images as there are samples, if there are so many.
    Raises `Needs` when the feature space is not to be had, before anything is drawn.
    """
    space = space_of(evaluation.embedding, subject)
    samples = draw(evaluation, subject)
    features, logits = shared_embedding(space, samples, subject)
    subject.save("features", features)
    subject.save("sample_logits", logits)
    if isinstance(subject.model, Classifier):
        _save_own_logits(subject.model, samples, subject)
    reference = reference_features(space, evaluation.reference, subject)
    distance = frechet_distance(moments(features), moments(reference))
    shuffled = np.random.RandomState(PERMUTATION_SEED).permutation(len(logits))
    score, score_sd = class_score(logits[shuffled], evaluation.score_splits)
    neighbours = _some(reference, len(samples))
    shares = prdc(neighbours, features, evaluation.neighbours)
    quantities = {"frechet_distance": distance, "class_score": score, **vars(shares)}
    return EvaluationResult(
        {name: Measurement(value=value, n=len(samples)) for name, value in quantities.items()},
        {
            "feature_space": space.describe(),
            "reference": evaluation.reference,
            "reference_n": len(reference),
            "reference_sha256": subject.data.manifest.files[_inputs_file(evaluation.reference, subject)],
            "class_score_sd_over_splits": score_sd,
            "neighbours": evaluation.neighbours,
            "neighbours_reference_n": len(neighbours),
        },
    )


def shared_embedding(space: FeatureSpace, samples: NDArray[Any], subject: Subject) -> Arrays:
    """Return features and logits of samples, of which every rank embeds a part."""
    part = subject.comm.shard(len(samples), BLOCK)
    found = [space.embed(samples[part.start : part.stop], subject.report)] if part else []
    features, logits = zip(*subject.comm.all_gather(found), strict=True)
    return np.concatenate(features), np.concatenate(logits)


def _save_own_logits(model: Classifier, samples: NDArray[Any], subject: Subject) -> None:
    def blocks(part: range) -> Iterator[Tensor]:
        for start in part[::BLOCK]:
            block = torch.from_numpy(samples[start : min(start + BLOCK, part.stop)])
            yield as_inputs(subject.config.data, block.to(subject.device))

    n, comm = len(samples), subject.comm
    subject.save("own_logits", shared_logits(model, blocks, n, comm, lambda done: subject.report(done, n)))


def _inputs_file(split: str, subject: Subject) -> str:
    return subject.data.files(split)[subject.config.data.inputs]


def _some(features: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return so many rows, always the same ones, or all where there are fewer."""
    chosen = np.random.RandomState(PERMUTATION_SEED).permutation(len(features))[:count]
    return features[np.sort(chosen)]
