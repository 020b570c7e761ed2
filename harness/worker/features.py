"""Computes the features that several runs share, before the first run needs them."""

import logging

from harness.errors import MissingRequirement
from harness.evaluation.features.reference import reference_features, space_of
from harness.methods.base import build_method
from harness.store.run_directory import RunDirectory
from harness.worker.context import Context

log = logging.getLogger("harness.worker")


def make_features(context: Context, directory: RunDirectory) -> None:
    """Compute the feature spaces and reference features that a run's missing evaluations need.

    Cached features are kept. Missing requirements are only logged here; the run records them.
    """
    config = directory.run().config
    model = build_method(config, context.device)  # untrained: features do not depend on it
    loaders = context.loaders(lambda phase, done, total: None)
    data = context.open_data(config.data)
    subject = context.subject(config, data, model, "", directory.path, loaders, lambda done, total: None)
    for evaluation in directory.missing():
        if evaluation.embedding is not None:
            try:
                reference_features(space_of(evaluation.embedding, subject), evaluation.embedding.reference, subject)
            except MissingRequirement as need:
                log.warning("%s %s", evaluation.id, need)
