"""Features of reference splits, computed once for all runs that use them."""

from dataclasses import replace

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from harness.config.feature_spaces import Embedding
from harness.config.resolve import resolve
from harness.evaluation.base import Subject
from harness.evaluation.features.base import FeatureSpace
from harness.store.arrays import load_array
from harness.store.code import cache_of
from harness.store.hashed import is_intact, save_hashed


def space_of(embedding: Embedding, subject: Subject) -> FeatureSpace:
    """Return the feature space of an evaluation for the subject's data.

    The cache of a third-party space is keyed by the hash of its code. Raises `MissingRequirement` if it is unavailable.
    """
    subject = replace(subject, cache=cache_of(embedding.space, subject.cache))
    space: FeatureSpace = resolve(embedding.space.implementation)(embedding.space, embedding.weights, subject)
    return space


def reference_features(space: FeatureSpace, split: str, subject: Subject) -> NDArray[np.float32]:
    """Return the features `(n, d)` of a split, memory-mapped, from the cache folder of the space."""
    path = space.folder / f"{split}-features.npy"
    with FileLock(space.folder / f".{split}.lock"):
        if not is_intact(path):
            save_hashed(path, space.embed(subject.data.split(split).inputs, subject.report)[0])
    features: NDArray[np.float32] = load_array(path, mapped=True)
    return features
