"""Cells: every value of an exhibit that can be measured, with the run and the evaluation that measure it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.config.evaluations import Evaluation
from harness.config.guard import asking
from harness.config.run import Run
from harness.errors import SpecError, given, unknown
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.paper import Paper, fitting
from harness.registry.row import Row
from harness.registry.scale import Scale

Asked = tuple[Metric, Evaluation, str]
"""A metric, the evaluation that measures it, and the name of the reading."""


@dataclass(frozen=True)
class Cell:
    """One measurable value: a row and a metric, at a scale, with a seed.

    `original` is the row's run at paper scale, `run` the one that is trained. `reading` names a protocol beside the
    paper's own, which has the empty name.
    """

    row: Row
    metric: Metric
    seed: int
    original: Run
    run: Run
    evaluation: Evaluation
    reading: str = ""

    @property
    def label(self) -> str:
        """What the measured value is called, which depends on the feature space and the data."""
        return self.evaluation.labels(self.run.config.data)[self.metric.quantity]


def cells(paper: Paper, exhibit: Exhibit, rows: Sequence[Row], scale: Scale, seeds: Sequence[int]) -> Iterator[Cell]:
    """Yield the measurable cells of some rows of an exhibit, in the order of rows, seeds, metrics and readings.

    Cells that the paper leaves blank in a table are not measured. Raises `SpecError`, which names the row, for a run or
    a protocol that the paper or the scale cannot give.
    """
    for row in rows:
        if row.run is None:
            continue
        with asking(f"{paper.name}/{exhibit.name}, row '{row.key}'"):
            small = scale.shrink(row.run)
            small.config.training.check_batch(small.config.data)
            asked = _asked(paper, exhibit, row, row.run, small, scale)
        for seed in seeds:
            run = small if seed == small.config.seed else small.but(seed=seed)
            for metric, evaluation, reading in asked:
                yield Cell(row, metric, seed, row.run, run, evaluation, reading)


def _asked(paper: Paper, exhibit: Exhibit, row: Row, run: Run, small: Run, scale: Scale) -> list[Asked]:
    """Return what is measured of a row, by which evaluations.

    The paper's protocol is changed by the row, then by the scale, and last by the readings.
    """
    _refuse_unknown_settings(paper, exhibit, row, run)
    found: list[Asked] = []
    for metric in exhibit.metrics:
        if not exhibit.asks(row, metric):
            continue
        own = paper.evaluation(metric, run, scale, row.protocol)
        if own is None:
            continue
        _refuse_unknown_split(own, small)
        measured = _measured(own, small)
        if metric.quantity not in measured:
            raise SpecError(
                f"protocol of metric '{metric.key}': evaluation '{own.kind}' does not measure "
                f"'{metric.quantity}': it measures {', '.join(sorted(measured))}"
            )
        found.append((metric, own, ""))
        for name, settings in exhibit.readings.items():
            if own.accepts(settings) and metric.quantity in _measured(reading := own.but(**settings), small):
                found.append((metric, reading, name))
    return found


def _measured(evaluation: Evaluation, run: Run) -> dict[str, str]:
    """Return the labels of what an evaluation measures of a run."""
    with asking(f"labels of evaluation '{evaluation.kind}'"):
        labels: Any = evaluation.labels(run.config.data)
        if not isinstance(labels, Mapping):
            raise SpecError(f"returns {given(labels)}, not what each quantity is called in print")
        return dict(labels)


def _refuse_unknown_split(evaluation: Evaluation, run: Run) -> None:
    """Raise `SpecError` when an evaluation is of a split that the data of a run do not have."""
    split = getattr(evaluation, "split", None)
    if isinstance(split, str):
        with asking(f"evaluation '{evaluation.kind}'"):
            run.config.data.examples(split)


def _refuse_unknown_settings(paper: Paper, exhibit: Exhibit, row: Row, run: Run) -> None:
    """Raise `SpecError` for a setting in a row's protocol that no evaluation of the row has."""
    if not row.protocol:
        return
    evaluations = {paper.measured_by(metric, run) for metric in exhibit.metrics if exhibit.asks(row, metric)}
    for name in row.protocol:
        if evaluations and not any(name in fitting(evaluation, row.protocol) for evaluation in evaluations):
            allowed = {setting for evaluation in evaluations for setting in type(evaluation).model_fields}
            raise unknown("setting in the row's protocol", name, allowed - {"kind"})
