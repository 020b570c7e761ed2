"""Draws samples of a finished or unfinished run, from its final weights or its newest checkpoint."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.advice import command
from harness.config.samplers import Sampler
from harness.errors import HarnessError, SpecError
from harness.evaluation.samples import sample_rows
from harness.methods.base import Generator, build_method
from harness.models.acceleration import accelerated
from harness.store.run_directory import RunDirectory
from harness.training.checkpoints import load_tensors, newest_checkpoint, tensors_match
from harness.training.state import evaluated_step, evaluated_weights


def preview(directory: RunDirectory, sampler: Sampler, count: int, device: torch.device) -> tuple[NDArray[Any], int]:
    """Return the first `count` samples `(count, *shape)`, and the training step of their EMA weights.

    Samples have the dataset's storage format and start from the same noise as the samples behind the run's tables. With
    selection, the weights are the best so far. Raises `SpecError` if the method is not a generator or there are no
    weights.
    """
    run = directory.run()
    model = build_method(run.config, device).eval()
    if not isinstance(model, Generator):
        raise SpecError(f"{run.name} ({run.id}) has no samples to draw: its method is '{run.config.method.kind}'")
    weights, step = _latest_weights(directory)
    model.load_state_dict(weights)
    with torch.inference_mode(), accelerated(model.players().values(), run.config.training.precision, compiled=False):
        return sample_rows(model, sampler, run.config.data, run.config.seed, 0, count, device), step


def _latest_weights(directory: RunDirectory) -> tuple[Mapping[str, Tensor], int]:
    run = directory.run()
    if record := directory.training_record():
        if not tensors_match(directory.weights, record.weights_sha256):
            mend = f"delete {directory.training}, then '{command(f'retry {directory.id}')}' trains again"
            raise HarnessError(f"{directory.weights} is missing or does not match its training record: {mend}")
        return load_tensors(directory.weights, record.weights_sha256), record.selected or run.iterations
    found = newest_checkpoint(directory.checkpoints)
    if found is None:
        raise SpecError(f"{run.name} ({run.id}) has no weights yet: see '{command('status')}'")
    return evaluated_weights(found.state), evaluated_step(found.state, found.step)
