"""From records to a data frame: one line per measured cell and seed."""

from itertools import count

import pandas as pd

from harness.spec.cells import Cell, cells
from harness.spec.paper import Paper
from harness.spec.scale import Scale
from harness.spec.table import Table
from harness.store.records import EvaluationRecord
from harness.store.run_directory import Results

COLUMNS = ["row", "metric", "seed", "value", "items", "run", "evaluation"]


def measurements(paper: Paper, table: Table, scale: Scale, results: Results) -> pd.DataFrame:
    """Return the measured values of a table: row key, metric key, seed, value, items, run id, evaluation id.

    Looks at the seeds 0, 1, ... up to the first that no row has a run of. A cell without a record has no line.
    """
    lines = []
    for seed in count():
        of_seed = list(cells(paper, table, table.rows, scale, [seed]))
        if not any(results.directory(cell.run).config.exists() for cell in of_seed):
            break
        lines += [line for cell in of_seed if (line := _line(cell, results)) is not None]
    return pd.DataFrame(lines, columns=COLUMNS)


def feature_space(frame: pd.DataFrame, results: Results) -> dict[str, str | float] | None:
    """Return the feature space that the generation metrics were measured in, None when there is no such record."""
    for run, evaluation in frame.drop_duplicates("evaluation")[["run", "evaluation"]].itertuples(index=False):
        record = EvaluationRecord.load(results.runs / run / "evaluations" / f"{evaluation}.json")
        if "feature_space" in record.details:
            return dict(record.details["feature_space"])
    return None


def _line(cell: Cell, results: Results) -> list[object] | None:
    record = results.directory(cell.run).record(cell.evaluation)
    if record is None or cell.metric.quantity not in record.quantities:
        return None
    measured = record.quantities[cell.metric.quantity]
    return [cell.row.key, cell.metric.key, cell.seed, measured.value, measured.n, cell.run.id, cell.evaluation.id]
