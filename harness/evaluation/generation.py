"""Generation: Fréchet distance and class score of samples against a reference split, as in the authors' code.

Samples come from the EMA weights, are quantised to uint8 as the paper's code does, and stand in `samples.npy`
`(n, channels, size, size)`; `features.npy` and `sample_logits.npy` are theirs in the feature space. Where the model
classifies too, `own_logits.npy` `(n, classes)` float32 are its own of its samples, read back into [-1, 1]. Sampling
goes on where it stopped: every finished shard is kept until the whole is written.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.loaders import to_signed, to_uint8
from harness.evaluation.base import BLOCK, Findings, Subject, large_block
from harness.evaluation.features import FeatureSpace, feature_space
from harness.evaluation.logits import block_logits
from harness.methods.base import Classifier, Generator
from harness.metrics.class_score import class_score
from harness.metrics.frechet import Moments, frechet_distance, moments
from harness.spec.evaluations import Generation
from harness.spec.samplers import Sampler
from harness.store.arrays import load_array, save_array
from harness.store.records import Measurement

BLOCKS_PER_SHARD = 5
SCORE_PERMUTATION_SEED = 2020
"""The paper's code shuffles the samples with this seed before it splits them for the score."""


def evaluate(evaluation: Generation, subject: Subject) -> Findings:
    """Draw the samples, embed them and the reference, and return the distance and the score."""
    space = feature_space(evaluation.features, subject)
    samples = draw(evaluation.samples, evaluation.sampler, subject)
    features, logits = space.embed(torch.from_numpy(samples))
    subject.save("features", features)
    subject.save("sample_logits", logits)
    if isinstance(subject.model, Classifier):
        blocks = (to_signed(block.to(subject.device)) for block in torch.from_numpy(samples).split(BLOCK))
        own_logits = block_logits(subject.model, blocks, lambda done: subject.report(done, len(samples)))
        subject.save("own_logits", own_logits)
    reference = reference_moments(space, evaluation.reference, subject)
    distance = frechet_distance(moments(features), reference)
    shuffled = np.random.RandomState(SCORE_PERMUTATION_SEED).permutation(len(logits))
    score, score_sd = class_score(logits[shuffled], evaluation.score_splits)
    return Findings(
        {
            "frechet_distance": Measurement(value=distance, n=len(samples)),
            "class_score": Measurement(value=score, n=len(samples)),
        },
        {
            "feature_space": space.describe(),
            "reference_n": reference.n,
            "class_score_sd_over_splits": score_sd,
        },
    )


def reference_moments(space: FeatureSpace, split: str, subject: Subject) -> Moments:
    """Return the moments of a split in a feature space, computed once and kept beside the space's weights."""
    paths = [space.folder / f"{split}-{part}.npy" for part in ("mean", "covariance")]
    images, _ = subject.data.split(split)
    if not all(path.exists() for path in paths):
        computed = moments(space.embed(torch.from_numpy(np.array(images)))[0])
        for path, array in zip(paths, (computed.mean, computed.covariance), strict=True):
            save_array(path, array)
    mean, covariance = map(load_array, paths)
    return Moments(mean, covariance, len(images))


@torch.inference_mode()
def draw(count: int, sampler: Sampler, subject: Subject) -> NDArray[np.uint8]:
    """Return `count` samples, of which sample i depends on the run and on i alone."""
    model, stream, shards = subject.model, subject.stream("samples"), []
    assert isinstance(model, Generator)
    block = large_block(subject.device)
    step = BLOCKS_PER_SHARD * block
    for start in range(0, count, step):
        stop = min(start + step, count)
        path = subject.artefacts / f"shard-{start:06d}-{stop:06d}.npy"
        if not path.exists():
            blocks = torch.arange(start, stop, device=subject.device).split(block)
            with subject.accelerated(subject.config.training.precision):
                images = torch.cat([to_uint8(model.sample(sampler, stream, rows)) for rows in blocks])
            subject.save(path.stem, images.cpu().numpy())
        shards.append(load_array(path))
        subject.report(stop, count)
    samples = np.concatenate(shards)
    subject.save("samples", samples)
    for path in subject.artefacts.glob("shard-*.npy"):
        path.unlink()
    return samples
