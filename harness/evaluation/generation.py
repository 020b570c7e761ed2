"""Sample quality: Fréchet distance, class score, precision, recall, density and coverage against a reference split.

Samples are drawn with the EMA weights and converted to the dataset's storage format, images to uint8 as in the paper's
code. Artefacts: `samples.npy` `(n, *shape)`; `features.npy` and `sample_logits.npy`, their embedding in the feature
space; and, if the model is a classifier, `own_logits.npy` `(n, classes)` float32, its own logits for the stored
samples.
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
"""The paper's code shuffles the samples with this seed before splitting them for the score."""


def evaluate(evaluation: Generation, subject: Subject) -> EvaluationResult:
    """Draw samples, embed them and the reference split, and return every quantity.

    Precision, recall, density and coverage use at most as many reference images as there are samples. Raises
    `MissingRequirement` before sampling if the feature space is unavailable.
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
    """Embed samples, each rank a part, and return the features and logits of all."""
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
    """Return a fixed random subset of `count` rows, or all if there are fewer."""
    chosen = np.random.RandomState(PERMUTATION_SEED).permutation(len(features))[:count]
    return features[np.sort(chosen)]
