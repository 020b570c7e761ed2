"""Makes the features that several runs will share, before the first of them needs them."""

import logging
from pathlib import Path

import torch

from harness.config.execution import Execution
from harness.data.loaders.open_loader import LoaderPool
from harness.data.prepared.dataset import open_dataset
from harness.errors import MissingRequirement
from harness.evaluation.base import Subject
from harness.evaluation.features.reference import reference_features, space_of
from harness.methods.base import build_method
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

log = logging.getLogger("harness.worker")


def make_features(
    results: Results, directory: RunDirectory, data_root: Path, device: torch.device, execution: Execution
) -> None:
    """Make the feature spaces and reference features that the missing evaluations of a run ask for.

    What is at hand is left as it is. What cannot be made is left to the runs, whose records say what they need.
    """
    config = directory.run().config
    data = open_dataset(config.data, data_root)
    subject = Subject(
        config=config,
        model=build_method(config, device),  # untrained: features do not depend on it
        weights_sha256="",
        data=data,
        data_root=data_root,
        device=device,
        compiled=False,
        artefacts=directory.path,
        cache=results.cache,
        report=lambda done, total: None,
        open_data=lambda other: open_dataset(other, data_root),
        open_loader=LoaderPool(execution.loader, device, lambda phase, done, total: None).open,
    )
    for evaluation in directory.missing():
        if evaluation.embedding is not None:
            try:
                reference_features(space_of(evaluation.embedding, subject), evaluation.embedding.reference, subject)
            except MissingRequirement as need:
                log.warning("%s %s", evaluation.id, need)
