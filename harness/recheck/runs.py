"""Rechecks runs: the hashes of their records and arrays first, then the numbers."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.config.evaluations import Evaluation
from harness.errors import SpecError
from harness.recheck.compare import Comparison, compare
from harness.recheck.stored import ArraysOfRecord, References
from harness.store.files import StoreError, sha256_of
from harness.store.rechecks import RecheckedEvaluation, RecheckRecord, recheck_path
from harness.store.records import EvaluationRecord
from harness.store.requests import read_config
from harness.store.run_directory import RunDirectory
from harness.store.verification import Checked, checked_measurements


@dataclass(frozen=True)
class RecheckedRecord:
    """The comparison of one record of a run; `labels` are the printed names of its quantities."""

    id: str
    sha256: str
    labels: dict[str, str]
    comparison: Comparison


@dataclass(frozen=True)
class RecheckedRun:
    """A rechecked run: the damaged files, whose numbers are not used, and the comparisons of all other records.

    `refused` says that a damaged file decides which records count, so that none is used and nothing is written.
    """

    id: str
    name: str
    problems: tuple[Checked, ...]
    records: tuple[RecheckedRecord, ...]
    refused: bool

    def save(self, directory: RunDirectory) -> None:
        """Write the record of the recheck into the run, unless the run was refused."""
        if self.refused:
            return
        found = {
            each.id: RecheckedEvaluation(
                record_sha256=each.sha256,
                values=tuple(each.comparison.values),
                left_out={name: reason.why for name, reason in each.comparison.left_out.items()},
            )
            for each in self.records
        }
        RecheckRecord(harness=__version__, evaluations=found).sealed().save(recheck_path(directory))


def recheck_run(directory: RunDirectory, references: References, parts: Collection[Path] | None = None) -> RecheckedRun:
    """Recheck one run: its files first, then the numbers of all records without a damaged file.

    `parts` are the arrays of a bundle of which it holds only a part, and those that it lacks are no damage; None if
    the run is not from a bundle.
    """
    problems = [each for each in checked_measurements(directory) if each.problem]
    if parts is not None:
        problems = [each for each in problems if not each.absent and each.path not in parts]
    damaged = {each.path for each in problems} | {each.path.parent for each in problems}
    refused = not all(each.path.is_relative_to(directory.evaluations) for each in problems)
    paths = [] if refused else [path for path in directory.counting_records() if not damaged & {path, _folder(path)}]
    records = [_recheck_record(path, directory, references) for path in paths]
    return RecheckedRun(directory.id, _name(directory), tuple(problems), tuple(records), refused)


def _folder(record: Path) -> Path:
    """Return the folder of the arrays of a record."""
    return record.with_suffix("")


def _recheck_record(path: Path, directory: RunDirectory, references: References) -> RecheckedRecord:
    record = EvaluationRecord.load(path)
    stored = ArraysOfRecord(path, record, directory, references)
    return RecheckedRecord(path.stem, sha256_of(path), _labels(record, directory), compare(record, stored))


def _labels(record: EvaluationRecord, directory: RunDirectory) -> dict[str, str]:
    """Return the printed names of the quantities, none if the kinds of the run are not installed."""
    with suppress(SpecError, StoreError):
        evaluation: Evaluation = Evaluation.read(record.evaluation)
        return evaluation.labels(directory.run().config.data)
    return {}


def _name(directory: RunDirectory) -> str:
    with suppress(StoreError, OSError):
        return read_config(directory.config)[0]
    return ""
