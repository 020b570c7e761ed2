"""Cells: the measurable values of an exhibit, each with its run and evaluation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.config.evaluations import Evaluation
from harness.config.guard import asking
from harness.config.run import Run
from harness.errors import SpecError, given, unknown
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.paper import Paper, applicable
from harness.registry.row import Row
from harness.registry.scale import Scale

MetricProtocol = tuple[Metric, Evaluation, str]
"""A metric, the evaluation that measures it, and the name of the reading."""
PAPER_PROTOCOL = ""
"""The name of the paper's own protocol among the readings."""


@dataclass(frozen=True)
class Cell:
    """One measurable value: a row and a metric, at a scale, with a seed.

    `original` is the row's run at paper scale, `run` the run to train. `reading` names the protocol.
    """

    row: Row
    metric: Metric
    seed: int
    original: Run
    run: Run
    evaluation: Evaluation
    reading: str = PAPER_PROTOCOL

    @property
    def label(self) -> str:
        """The label of the measured value, which depends on the feature space and the data."""
        return self.evaluation.labels(self.run.config.data)[self.metric.quantity]


def cells(paper: Paper, exhibit: Exhibit, rows: Sequence[Row], scale: Scale, seeds: Sequence[int]) -> Iterator[Cell]:
    """Yield the measurable cells of some rows of an exhibit, ordered by row, seed, metric and reading.

    Cells that are blank in the paper's table are skipped. Raises `SpecError`, naming the row, if the paper or the scale
    fails to provide a run or protocol.
    """
    for row in rows:
        if row.run is None:
            continue
        with asking(f"{paper.name}/{exhibit.name}, row '{row.key}'"):
            small = scale.shrink(row.run)
            small.config.training.check_batch(small.config.data)
            protocols = _protocols(paper, exhibit, row, row.run, small, scale)
        for seed in seeds:
            run = small if seed == small.config.seed else small.but(seed=seed)
            for metric, evaluation, reading in protocols:
                yield Cell(row, metric, seed, row.run, run, evaluation, reading)


def _protocols(paper: Paper, exhibit: Exhibit, row: Row, run: Run, small: Run, scale: Scale) -> list[MetricProtocol]:
    """Return the metrics to measure for a row, with their evaluations and readings.

    Changes to the paper's protocol apply in this order: row, scale, reading.
    """
    _refuse_unknown_settings(paper, exhibit, row, run)
    found: list[MetricProtocol] = []
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
        found.append((metric, own, PAPER_PROTOCOL))
        for name, settings in exhibit.readings.items():
            if own.accepts(settings) and metric.quantity in _measured(reading := own.but(**settings), small):
                found.append((metric, reading, name))
    return found


def _measured(evaluation: Evaluation, run: Run) -> dict[str, str]:
    """Return the labels of the quantities that an evaluation measures for a run."""
    with asking(f"labels of evaluation '{evaluation.kind}'"):
        labels: Any = evaluation.labels(run.config.data)
        if not isinstance(labels, Mapping):
            raise SpecError(f"returns {given(labels)}, not a mapping from quantities to labels")
        return dict(labels)


def _refuse_unknown_split(evaluation: Evaluation, run: Run) -> None:
    """Raise `SpecError` if the run's dataset lacks the split of an evaluation."""
    split = getattr(evaluation, "split", None)
    if isinstance(split, str):
        with asking(f"evaluation '{evaluation.kind}'"):
            run.config.data.examples(split)


def _refuse_unknown_settings(paper: Paper, exhibit: Exhibit, row: Row, run: Run) -> None:
    """Raise `SpecError` for a setting in a row's protocol that none of its evaluations has."""
    if not row.protocol:
        return
    evaluations = {paper.measured_by(metric, run) for metric in exhibit.metrics if exhibit.asks(row, metric)}
    for name in row.protocol:
        if evaluations and not any(name in applicable(evaluation, row.protocol) for evaluation in evaluations):
            allowed = {setting for evaluation in evaluations for setting in type(evaluation).model_fields}
            raise unknown("setting in the row's protocol", name, allowed - {"kind"})
