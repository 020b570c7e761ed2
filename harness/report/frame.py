"""From records to a data frame: one line per measured cell and seed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any

import pandas as pd

from harness.spec.cells import Cell, cells
from harness.spec.exhibit import Exhibit
from harness.spec.metrics import FURTHER
from harness.spec.paper import Paper
from harness.spec.scale import Scale
from harness.store.records import EvaluationRecord
from harness.store.run_directory import Results

COLUMNS = ["row", "metric", "reading", "seed", "value", "items", "run", "evaluation", "data", "label"]


@dataclass(frozen=True)
class Measurements:
    """The measured values of an exhibit: a frame with a line for each cell and seed, in the columns `COLUMNS`.

    `label` is what the value is called in print, `data` the dataset of its run. `waiting` counts by row, metric and
    reading the seeds that are asked for and not measured yet.
    """

    frame: pd.DataFrame
    waiting: Counter[tuple[str, str, str]]


def measurements(paper: Paper, exhibit: Exhibit, scale: Scale, results: Results) -> Measurements:
    """Read what was measured of an exhibit.

    Looks at the seeds 0, 1, ... up to the first that no row has a run of. A cell without a record has no line. What
    the records hold of `FURTHER` metrics has lines too.
    """
    # Metrics share evaluations: eight attacks stand in one record, which is read once.
    read = cache(lambda run, evaluation: results.directory(run).record(evaluation))
    lines, waiting = [], Counter[tuple[str, str, str]]()
    for seed in count():
        of_seed = list(cells(paper, exhibit, exhibit.rows, scale, [seed]))
        if not any(results.directory(cell.run).config.exists() for cell in of_seed):
            break
        for cell in with_further(of_seed, exhibit):
            if line := _line(cell, read(cell.run, cell.evaluation)):
                lines.append(line)
            elif results.directory(cell.run).is_requested(cell.evaluation):
                waiting[cell.row.key, cell.metric.key, cell.reading] += 1
    return Measurements(pd.DataFrame(lines, columns=COLUMNS), waiting)


def with_further(found: Iterable[Cell], exhibit: Exhibit) -> Iterator[Cell]:
    """Yield cells, and once each those that their evaluations measure and the exhibit has no column for."""
    seen = set()
    for cell in found:
        yield cell
        quantities = cell.evaluation.labels(cell.run.config.data)
        for metric in FURTHER:
            key = cell.row.key, cell.seed, metric, cell.reading
            if metric.quantity in quantities and metric not in exhibit.metrics and key not in seen:
                seen.add(key)
                yield replace(cell, metric=metric)


def details(frame: pd.DataFrame, results: Results) -> list[dict[str, Any]]:
    """Return the details of one record for every dataset and evaluation."""
    first = frame.drop_duplicates(["data", "evaluation"])[["run", "evaluation"]]
    paths = (
        results.runs / run / "evaluations" / f"{evaluation}.json" for run, evaluation in first.itertuples(index=False)
    )
    return [EvaluationRecord.load(path).details for path in paths]


def _line(cell: Cell, record: EvaluationRecord | None) -> list[object] | None:
    if record is None or cell.metric.quantity not in record.quantities:
        return None
    measured = record.quantities[cell.metric.quantity]
    names = [cell.row.key, cell.metric.key, cell.reading, cell.seed]
    where = [cell.run.id, cell.evaluation.id, cell.run.config.data.name, cell.label]
    return [*names, measured.value, measured.n, *where]
