"""Computes the features that several runs share, before the first run needs them."""

import logging
from pathlib import Path

from harness.config.run import RunConfig
from harness.errors import MissingRequirement
from harness.evaluation.base import Subject
from harness.evaluation.features.reference import reference_features, space_of
from harness.methods.base import build_method
from harness.store.run_directory import RunDirectory
from harness.worker.context import Context

log = logging.getLogger("harness.worker")


def make_features(context: Context, directory: RunDirectory) -> None:
    """Compute the feature spaces and reference features that a run's missing evaluations need.

    Cached features are kept. Missing requirements are only logged here; the run records them.
    """
    subject = subject_of_features(context, directory.run().config, directory.path)
    for evaluation in directory.missing():
        if evaluation.embedding is not None:
            try:
                reference_features(space_of(evaluation.embedding, subject), evaluation.embedding.reference, subject)
            except MissingRequirement as need:
                log.warning("%s %s", evaluation.id, need)


def subject_of_features(context: Context, config: RunConfig, folder: Path) -> Subject:
    """Return the subject by which feature spaces are found: its model is not trained, since they depend on data only.

    `folder` is the one for arrays, which feature spaces do not write.
    """
    model = build_method(config, context.device)
    loaders = context.loaders(lambda phase, done, total: None)
    data = context.open_data(config.data)
    return context.subject(config, data, model, "", folder, loaders, lambda done, total: None)
