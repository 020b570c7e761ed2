"""From records to a data frame: one line per measured cell and seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pandas as pd

from harness.spec.cells import Cell, cells
from harness.spec.exhibit import Exhibit
from harness.spec.metrics import FURTHER
from harness.spec.paper import Paper
from harness.spec.scale import Scale
from harness.store.files import DamagedError, StoreError
from harness.store.records import Need
from harness.store.run_directory import Results

COLUMNS = ["row", "metric", "reading", "seed", "value", "items", "run", "evaluation", "data", "label"]
NAMES = ["row", "metric", "reading", "evaluation", "data", "label"]
"""Those columns that say the same over and over: numbers compare faster than words."""


@dataclass(frozen=True)
class Measurements:
    """The measured values of an exhibit: a frame with a line for each cell and seed, in the columns `COLUMNS`.

    `label` is what the value is called in print, `data` the dataset of its run. `waiting` counts by row, metric and
    reading the seeds that are asked for and not measured yet. `damaged` are the records that cannot be read, by run and
    evaluation; what stands in them counts as not measured.
    """

    frame: pd.DataFrame
    waiting: Counter[tuple[str, str, str]]
    damaged: Mapping[tuple[str, str], Need] = field(default_factory=dict)


def measurements(paper: Paper, exhibit: Exhibit, scale: Scale, results: Results) -> Measurements:
    """Read what was measured of an exhibit.

    Looks at the seeds 0, 1, ... up to the first that no row has a run of. A cell without a record has no line. What
    the records hold of `FURTHER` metrics has lines too.
    """
    reader = results.reader
    asked = list(with_further(cells(paper, exhibit, exhibit.rows, scale, [0]), exhibit))
    same = [(cell.row.key, cell.metric.key, cell.reading) for cell in asked]
    where = [(cell.evaluation.id, cell.run.config.data.name, cell.label) for cell in asked]
    lines, waiting, damaged = [], Counter[tuple[str, str, str]](), {}
    for seed in count():
        runs = [reader.id_of(cell.run, seed) for cell in asked]
        if not any(map(reader.exists, runs)):
            break
        for cell, run, names, (evaluation, data, label) in zip(asked, runs, same, where, strict=True):
            try:
                found = reader.quantities(run, evaluation).get(cell.metric.quantity)
            except StoreError as error:
                damaged[run, evaluation] = need_of(error)
                found = None
            if found is not None:
                lines.append((*names, seed, *found, run, evaluation, data, label))
            elif reader.directory(run).is_requested(cell.evaluation):
                waiting[names] += 1
    frame = pd.DataFrame(lines, columns=COLUMNS)
    return Measurements(frame.astype(dict.fromkeys(NAMES, "category")), waiting, damaged)


def need_of(error: StoreError) -> Need:
    """Return what a record is that cannot be read, and what mends it."""
    if isinstance(error, DamagedError):
        return Need(what="damaged", how=error.mend)
    return Need(what="unreadable", how=str(error))


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
    return [results.reader.details(run, evaluation) for run, evaluation in first.itertuples(index=False)]
