"""Cells: every value of an exhibit that can be measured, with the run and the evaluation that measure it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.spec.evaluations import Evaluation
from harness.spec.exhibit import Exhibit
from harness.spec.metrics import Metric
from harness.spec.paper import Paper
from harness.spec.row import Row
from harness.spec.run import Run
from harness.spec.scale import Scale


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

    Cells that the paper leaves blank in a table are not measured.
    """
    for row in rows:
        if row.run is None:
            continue
        small = scale.shrink(row.run)
        asked = list(_asked(paper, exhibit, row, row.run, scale))
        for seed in seeds:
            run = small if seed == small.config.seed else small.but(seed=seed)
            for metric, evaluation, reading in asked:
                yield Cell(row, metric, seed, row.run, run, evaluation, reading)


def _asked(
    paper: Paper, exhibit: Exhibit, row: Row, run: Run, scale: Scale
) -> Iterator[tuple[Metric, Evaluation, str]]:
    """Yield what is measured of a row, by which evaluation, and the name of the reading."""
    for metric in exhibit.metrics:
        evaluation = paper.evaluation(metric, run, scale)
        if evaluation is None or not exhibit.asks(row, metric):
            continue
        own = evaluation.but(**row.protocol) if row.protocol else evaluation
        yield metric, own, ""
        for name, settings in exhibit.readings.items():
            if own.accepts(settings):
                yield metric, own.but(**settings), name
