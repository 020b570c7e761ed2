"""Draws samples. Sample i depends only on the weights, the sampler, the seed and i.

Interrupted sampling resumes after the last finished shard; shards are kept until the evaluation is complete. Samples of
another evaluation with the same weights and sampler are reused: 50,000 samples start with the same 10,000. Samples that
do not match their hash are drawn again.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness.config.dataset import Dataset
from harness.config.evaluations import Generation
from harness.config.samplers import Sampler
from harness.data.loaders import as_stored
from harness.evaluation.base import SHARD, Subject, evaluation_stream, large_block
from harness.methods.base import Generator
from harness.store.arrays import load_array
from harness.store.artefacts import is_recorded, record_beside
from harness.store.files import StoreError, read_json, remove, write_json
from harness.store.hashed import load_hashed
from harness.store.names import ARRAY, EVALUATION, named

log = logging.getLogger("harness.evaluation")

ORIGIN = "samples.json"
"""Records the settings and weights behind the samples and shards next to it."""


@torch.inference_mode()
def draw(evaluation: Generation, subject: Subject) -> NDArray[Any]:
    """Draw the samples `(n, *shape)`, in the dataset's storage format, each rank a part.

    Saves them as `samples.npy`.
    """
    folders = subject.comm.on_first_rank(lambda: _begin(evaluation, subject))
    block = large_block(subject.device)
    part, shards = subject.comm.shard(evaluation.samples, block), []
    for start in part[::block]:
        stop = min(start + block, part.stop)
        shard = _reused(folders, start, stop, subject.weights_sha256)
        if shard is None:
            shard = _drawn(evaluation.sampler, start, stop, subject)
            subject.save_shard(_shard_name(start), shard)
        shards.append(shard)
        subject.report(stop - part.start, len(part))
    samples = np.concatenate(subject.comm.all_gather(shards))
    subject.save("samples", samples)
    return samples


def _drawn(sampler: Sampler, start: int, stop: int, subject: Subject) -> NDArray[Any]:
    assert isinstance(subject.model, Generator)
    with subject.accelerated(subject.config.training.precision):
        config = subject.config
        return sample_rows(subject.model, sampler, config.data, config.seed, start, stop, subject.device)


def sample_rows(
    model: Generator, sampler: Sampler, data: Dataset, seed: int, start: int, stop: int, device: torch.device
) -> NDArray[Any]:
    """Return samples `start` to `stop` for a seed.

    Draws whole blocks, so that no sample depends on the number requested.
    """
    stream, block = evaluation_stream(seed, "samples"), large_block(device)
    padded = torch.arange(start, stop + -(stop - start) % block, device=device)
    samples = torch.cat([as_stored(data, model.sample(sampler, stream, rows)) for rows in padded.split(block)])
    return samples[: stop - start].cpu().numpy()


def _begin(evaluation: Generation, subject: Subject) -> list[Path]:
    """Record the origin of the samples, and delete stale samples of another origin.

    Returns the folders of all evaluations of the run whose samples have this origin, including this one.
    """
    settings = evaluation.model_dump(mode="json", exclude=set(evaluation.scoring))
    origin = settings | {"weights_sha256": subject.weights_sha256}
    path = subject.artefacts / ORIGIN
    if _origin_of(subject.artefacts) != origin:
        subject.discard_shards()
        for stale in named(subject.artefacts, ARRAY):
            remove(stale)
        write_json(path, origin)
    return [folder for folder in named(subject.artefacts.parent, EVALUATION) if _origin_of(folder) == origin]


def _origin_of(folder: Path) -> Any:
    """Return the recorded origin of the samples in a folder, None if there is no readable one."""
    try:
        return read_json(folder / ORIGIN)
    except FileNotFoundError:
        return None
    except StoreError as error:
        log.warning("%s: the samples beside it are drawn again", error)
        return None


def _reused(folders: list[Path], start: int, stop: int, weights_sha256: str) -> NDArray[Any] | None:
    """Return samples already drawn in one of these folders, or None."""
    for folder in folders:
        shard = load_hashed(folder / f"{_shard_name(start)}.npy", weights_sha256)
        if shard is not None and len(shard) >= stop - start:
            return shard[: stop - start]
        samples = _recorded_samples(folder)
        if samples is not None and len(samples) >= stop:
            return np.array(samples[start:stop])
    return None


def _recorded_samples(folder: Path) -> NDArray[Any] | None:
    """Return the samples of a finished evaluation, memory-mapped, or None."""
    path = folder / "samples.npy"
    if not path.exists() or not record_beside(path).exists():
        return None
    if is_recorded(path):
        return load_array(path, mapped=True)
    log.warning("%s does not match its record: its samples are drawn again", path)
    return None


def _shard_name(start: int) -> str:
    return f"{SHARD}{start:06d}"
