"""Drawing samples, of which sample i depends on the weights, the sampler and i alone.

Drawing goes on where it stopped: every finished shard is kept until the whole is written. What another evaluation
of the same weights with the same sampler has drawn already is taken over: 50,000 samples begin with the 10,000.
"""

from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.data.loaders import to_uint8
from harness.evaluation.base import Subject, large_block
from harness.methods.base import Generator
from harness.spec.evaluations import Generation
from harness.spec.samplers import Sampler
from harness.store.arrays import load_array
from harness.store.files import read_json, write_json

BLOCKS_PER_SHARD = 5
ORIGIN = "samples.json"
"""Says what the samples and shards beside it depend on."""
WITHOUT_EFFECT = {"samples", "features", "weights", "reference", "score_splits", "neighbours"}
"""Settings that do not change a sample."""


@torch.inference_mode()
def draw(evaluation: Generation, subject: Subject) -> NDArray[np.uint8]:
    """Return the samples `(n, channels, size, size)`, which are kept as `samples.npy`."""
    count, shards = evaluation.samples, []
    origin, step = _begin(evaluation, subject), BLOCKS_PER_SHARD * large_block(subject.device)
    for start in range(0, count, step):
        stop = min(start + step, count)
        shard = _taken_over(origin, start, stop, subject)
        if shard is None:
            shard = _drawn(evaluation.sampler, start, stop, subject)
            subject.save(_shard_name(start), shard)
        shards.append(shard)
        subject.report(stop, count)
    samples = np.concatenate(shards)
    subject.save("samples", samples)
    for path in subject.artefacts.glob("shard-*.npy"):
        path.unlink()
    return samples


def _drawn(sampler: Sampler, start: int, stop: int, subject: Subject) -> NDArray[np.uint8]:
    """Draw whole blocks, so that no sample depends on how many are asked for, and return what is wanted of them."""
    model, stream = subject.model, subject.stream("samples")
    assert isinstance(model, Generator)
    block = large_block(subject.device)
    blocks = torch.arange(start, stop + -(stop - start) % block, device=subject.device).split(block)
    with subject.accelerated(subject.config.training.precision):
        images = torch.cat([to_uint8(model.sample(sampler, stream, rows)) for rows in blocks])
    return images[: stop - start].cpu().numpy()


def _begin(evaluation: Generation, subject: Subject) -> dict[str, Any]:
    """Note what the samples depend on and return it, having removed any that depend on something else."""
    settings = evaluation.model_dump(mode="json", exclude=WITHOUT_EFFECT)
    origin = settings | {"weights_sha256": subject.weights_sha256}
    path = subject.artefacts / ORIGIN
    if not path.exists() or read_json(path) != origin:
        for stale in subject.artefacts.glob("*.npy"):
            stale.unlink()
        write_json(path, origin)
    return origin


def _taken_over(origin: dict[str, Any], start: int, stop: int, subject: Subject) -> NDArray[np.uint8] | None:
    """Return samples that were drawn before, for this evaluation or another of the run; None when they were not."""
    for note in sorted(subject.artefacts.parent.glob(f"*/{ORIGIN}")):
        if read_json(note) != origin:
            continue
        for name, first in ((_shard_name(start), start), ("samples", 0)):
            with suppress(OSError, ValueError, EOFError):  # what is absent or broken is drawn anew
                found = load_array(note.with_name(f"{name}.npy"), mapped=True)[start - first : stop - first]
                if len(found) == stop - start:
                    return np.array(found)
    return None


def _shard_name(start: int) -> str:
    return f"shard-{start:06d}"
