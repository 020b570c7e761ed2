"""The data of a row for plots: values and arrays of the run with seed 0, or why there are none."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.metrics import Metric
from harness.registry.row import Row
from harness.report.figures.pictures import pictures_of
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import span
from harness.store.artefacts import load_artefact
from harness.store.results import Results
from harness.store.run_directory import RunDirectory


@dataclass(frozen=True)
class MeasuredValue:
    """A value of a row measured with seed 0, and its printed name."""

    metric: Metric
    label: str
    number: float
    text: str

    def __str__(self) -> str:
        return f"{self.label} {self.text} {self.metric.unit}".rstrip()


def value(report: ExhibitReport, row: Row, quantity: str) -> MeasuredValue | None:
    """Return a quantity of a row measured with seed 0, None if it is not measured."""
    for metric in report.exhibit.metrics:
        found = report.series.get((row.key, metric.key, PAPER_PROTOCOL))
        if metric.quantity == quantity and found and found.first_run:
            first = found.values[0]
            return MeasuredValue(metric, found.label, first, report.digits.number(first, metric))
    return None


def artefact(report: ExhibitReport, results: Results, row: Row, name: str) -> NDArray[Any] | None:
    """Return an array saved by a row's evaluations with seed 0, memory-mapped; None if there is none.

    Raises `StoreError` if its file is not the array that its record states.
    """
    path = array_path(report, results, row, name)
    return load_artefact(path) if path is not None else None


def pictures(report: ExhibitReport, results: Results, row: Row) -> NDArray[np.uint8] | None:
    """Return the samples of a row's run with seed 0 as pictures; None if there are none or they are not images.

    Raises `StoreError` if their file is damaged.
    """
    samples, path = artefact(report, results, row, "samples"), array_path(report, results, row, "samples")
    if samples is None or path is None:
        return None
    return pictures_of(RunDirectory(path.parents[2]), samples)


def array_path(report: ExhibitReport, results: Results, row: Row, name: str) -> Path | None:
    """Return the path of an array saved by a row's evaluations with seed 0; None if there is none."""
    for (key, _, reading), found in report.series.items():
        if key == row.key and reading == PAPER_PROTOCOL and found.first_run:
            path = results.runs / found.first_run / "evaluations" / found.evaluation / f"{name}.npy"
            if path.exists():
                return path
    return None


def first_seed(report: ExhibitReport) -> str:
    """Return the remark that a figure shows one seed, with the number of seeds."""
    seeds = len({seed for found in report.series.values() for seed in found.seeds})
    return f"Shown is the first of {seeds} seeds." if seeds > 1 else "One seed."


def all_seeds(report: ExhibitReport) -> str:
    """Return the remark on the number of seeds behind the means of a figure."""
    seeds = [len(found.seeds) for found in report.series.values()]
    if max(seeds, default=1) == 1:
        return "One seed."
    return f"Means over {span(min(seeds), max(seeds))} seeds; bars are standard deviations."


def why_empty(row: Row) -> str:
    """Return why a row has no data to show."""
    return "not measured yet" if row.run else f"not run here: {row.key}"
