"""Cells: every value of a table that can be measured, with the run and the evaluation that measure it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.spec.evaluations import Evaluation
from harness.spec.metrics import Metric
from harness.spec.paper import Paper
from harness.spec.run import Run
from harness.spec.scale import Scale
from harness.spec.table import Row, Table


@dataclass(frozen=True)
class Cell:
    """One measurable value: a row and a metric, at a scale, with a seed.

    `original` is the row's run at paper scale, `run` the one that is trained.
    """

    table: Table
    row: Row
    metric: Metric
    seed: int
    original: Run
    run: Run
    evaluation: Evaluation

    @property
    def label(self) -> str:
        """What the measured value is called, which depends on the feature space and the data."""
        return self.evaluation.labels(self.run.config.data)[self.metric.quantity]


def cells(paper: Paper, table: Table, rows: Sequence[Row], scale: Scale, seeds: Sequence[int]) -> Iterator[Cell]:
    """Yield the measurable cells of some rows of a table, in the order of rows, seeds and metrics."""
    for row in rows:
        if row.run is None:
            continue
        small = scale.shrink(row.run)
        for seed in seeds:
            run = small if seed == small.config.seed else small.but(seed=seed)
            for metric in table.metrics:
                evaluation = paper.evaluation(metric, row.run, scale)
                if evaluation is not None:
                    yield Cell(table, row, metric, seed, row.run, run, evaluation.but(after=row.after))
