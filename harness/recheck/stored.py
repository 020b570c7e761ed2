"""The arrays that a recheck reads: those beside a record, each with its hash, and the features of reference splits."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.evaluations import Evaluation
from harness.config.execution import Execution
from harness.errors import HarnessError
from harness.evaluation.features.reference import reference_features, space_of
from harness.recheck.recomputation import NotRecomputed
from harness.store.arrays import load_array
from harness.store.hashed import current_sha256
from harness.store.records import EvaluationRecord, FeatureSpaceDetails
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness.training.device import prepare_device
from harness.worker.context import Context
from harness.worker.features import subject_of_features


@dataclass(frozen=True)
class References:
    """The features of reference splits, from the cache of results or made anew; each is found once.

    They are computed on a GPU if there is one.
    """

    results: Results
    data_root: Path
    _found: dict[str, NDArray[np.float32] | NotRecomputed] = field(default_factory=dict)

    @cached_property
    def _context(self) -> Context:
        return Context(self.results, self.data_root, prepare_device(None), Execution())

    def of(self, record: EvaluationRecord, directory: RunDirectory) -> NDArray[np.float32]:
        """Return the features `(n, d)` with which a record compares samples.

        Raises `NotRecomputed` if they cannot be made, or if their data or feature space are not those of the record.
        """
        key = repr([record.evaluation, record.details.get("feature_space"), record.details.get("reference_sha256")])
        if key not in self._found:
            try:
                self._found[key] = self._make(record, directory)
            except NotRecomputed as reason:
                self._found[key] = reason
            except (HarnessError, OSError) as error:
                self._found[key] = NotRecomputed(f"no reference features: {error}")
        found = self._found[key]
        if isinstance(found, NotRecomputed):
            raise found
        return found

    def _make(self, record: EvaluationRecord, directory: RunDirectory) -> NDArray[np.float32]:
        embedding = Evaluation.read(record.evaluation).embedding
        config = directory.run().config
        subject = subject_of_features(self._context, config, directory.path)
        inputs = subject.data.files(embedding.reference)[config.data.inputs]
        _same("reference split", subject.data.manifest.files[inputs], record.details.get("reference_sha256"))
        space = space_of(embedding, subject)
        recorded = FeatureSpaceDetails.model_validate(record.details["feature_space"]).weights_sha256
        _same("feature space", str(space.describe().get("weights_sha256", "")), recorded)
        return reference_features(space, embedding.reference, subject)


MEND = "'python -m harness recheck' where it was computed"
"""What helps where a bundle lacks an array."""


@dataclass(frozen=True)
class ArraysOfRecord:
    """The arrays beside a record of a run; bundles leave most of them out."""

    path: Path
    record: EvaluationRecord
    directory: RunDirectory
    references: References

    def array(self, name: str) -> NDArray[Any]:
        """Return an array by its name, memory-mapped.

        Raises `NotRecomputed` if it is not here, or only a part of it.
        """
        file = self.path.with_suffix("") / f"{name}.npy"
        recorded = self.record.artefacts.get(file.name)
        if recorded is None:
            raise NotRecomputed(f"the record states no {file.name}")
        if not file.exists():
            raise NotRecomputed(f"{file.name} is not in the bundle", MEND)
        if current_sha256(file) != recorded:
            raise NotRecomputed(f"{file.name} is not in the bundle as a whole", MEND)
        return load_array(file, mapped=True)

    def reference(self) -> NDArray[np.float32]:
        """Return the features of the reference split."""
        return self.references.of(self.record, self.directory)


def _same(what: str, here: str, recorded: object) -> None:
    if here != recorded:
        raise NotRecomputed(f"the {what} here ({here[:8]}) is not that of the record ({str(recorded)[:8]})")
