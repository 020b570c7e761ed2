"""The features of a reference split: computed once for all runs that are measured against it."""

from dataclasses import replace

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from harness.config.feature_spaces import Embedding
from harness.config.resolve import resolve
from harness.evaluation.base import Subject
from harness.evaluation.features.base import FeatureSpace
from harness.store.arrays import load_array, save_array
from harness.store.code import cache_of


def space_of(embedding: Embedding, subject: Subject) -> FeatureSpace:
    """Return the feature space of an evaluation for the subject's data.

    What a space of another distribution keeps is of that very code. Raises `Needs` when it is not to be had.
    """
    subject = replace(subject, cache=cache_of(embedding.space, subject.cache))
    space: FeatureSpace = resolve(embedding.space.implementation)(embedding.space, embedding.weights, subject)
    return space


def reference_features(space: FeatureSpace, split: str, subject: Subject) -> NDArray[np.float32]:
    """Return the features `(n, d)` of a split, memory-mapped; they are kept beside what else the space has."""
    path = space.folder / f"{split}-features.npy"
    with FileLock(space.folder / f".{split}.lock"):
        if not path.exists():
            save_array(path, space.embed(subject.data.split(split).inputs, subject.report)[0])
    features: NDArray[np.float32] = load_array(path, mapped=True)
    return features
