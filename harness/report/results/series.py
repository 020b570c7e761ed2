"""From records to series: what was measured of each cell by each protocol, a value a seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from harness.registry.cells import Cell, cells
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import secondary_metric
from harness.registry.paper import Paper
from harness.registry.scale import Scale
from harness.store.files import DamagedError, StoreError
from harness.store.records import Need
from harness.store.results import Results

Found = list[tuple[int, str, float, int]]
"""Seeds, each with its run, the value, and over how many items it was taken."""
SeriesKey = tuple[str, str, str]
"""The keys of a row and of a metric, and the name of the protocol that measures them: the paper's has none."""


@dataclass(frozen=True)
class Series:
    """What was measured of a cell by one protocol: a value for each seed, in their order, with its run.

    `label` is what the values are called in print, `data` the dataset of the runs, `items` over how many items the
    first value was taken.
    """

    evaluation: str
    data: str
    label: str
    items: int
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    runs: tuple[str, ...]

    @property
    def first_run(self) -> str | None:
        """The run with seed 0, None while it is not measured."""
        return self.runs[0] if self.seeds[0] == 0 else None


@dataclass(frozen=True)
class Measurements:
    """The measured values of an exhibit, in the order of its cells, and the `runs` behind them, seed after seed.

    `waiting` counts the seeds that are asked for and not measured yet. `damaged` are the records that cannot be read,
    by run and evaluation; what stands in them counts as not measured.
    """

    series: Mapping[SeriesKey, Series]
    runs: tuple[str, ...]
    waiting: Counter[SeriesKey]
    damaged: Mapping[tuple[str, str], Need] = field(default_factory=dict)


def measurements(paper: Paper, exhibit: Exhibit, scale: Scale, results: Results) -> Measurements:
    """Read what was measured of an exhibit.

    Looks at the seeds 0, 1, ... up to the first that no row has a run of. A cell without a record has no series. What
    the records hold of secondary metrics has series too.
    """
    reader = results.reader
    asked: list[tuple[Cell, Found]] = [
        (cell, []) for cell in with_secondary(cells(paper, exhibit, exhibit.rows, scale, [0]), exhibit)
    ]
    first_runs = {cell.run.id: cell.run for cell, _ in asked}
    of_records: dict[tuple[str, str], list[tuple[Cell, Found]]] = {}
    for cell, found in asked:
        of_records.setdefault((cell.run.id, cell.evaluation.id), []).append((cell, found))
    waiting, damaged = Counter[SeriesKey](), {}
    for seed in count():
        runs = {first: reader.id_of(run, seed) for first, run in first_runs.items()}
        if not any(map(reader.exists, runs.values())):
            break
        for (first, evaluation), of_record in of_records.items():
            run = runs[first]
            try:
                quantities = reader.quantities(run, evaluation)
            except StoreError as error:
                damaged[run, evaluation] = need_of(error)
                quantities = {}
            for cell, found in of_record:
                if quantity := quantities.get(cell.metric.quantity):
                    found.append((seed, run, *quantity))
                elif reader.directory(run).is_requested(cell.evaluation):
                    waiting[_place(cell)] += 1
    series = {_place(cell): _series(cell, found) for cell, found in asked if found}
    in_turn = sorted((seed, number, run) for number, (_, found) in enumerate(asked) for seed, run, *_ in found)
    return Measurements(series, tuple(dict.fromkeys(run for _, _, run in in_turn)), waiting, damaged)


def _place(cell: Cell) -> SeriesKey:
    return cell.row.key, cell.metric.key, cell.reading


def _series(cell: Cell, found: Found) -> Series:
    seeds, runs, values, items = zip(*found, strict=True)
    return Series(cell.evaluation.id, cell.run.config.data.name, cell.label, items[0], seeds, values, runs)


def need_of(error: StoreError) -> Need:
    """Return what a record is that cannot be read, and what mends it."""
    if isinstance(error, DamagedError):
        return Need(what="damaged", how=error.mend)
    return Need(what="unreadable", how=str(error))


def with_secondary(found: Iterable[Cell], exhibit: Exhibit) -> Iterator[Cell]:
    """Yield cells, and once each those that their evaluations measure and the exhibit has no column for."""
    seen = set()
    for cell in found:
        yield cell
        quantities = cell.evaluation.labels(cell.run.config.data)
        for metric in map(secondary_metric, cell.evaluation.secondary):
            key = cell.row.key, cell.seed, metric, cell.reading
            if metric.quantity in quantities and metric not in exhibit.metrics and key not in seen:
                seen.add(key)
                yield replace(cell, metric=metric)


def details(series: Iterable[Series], results: Results) -> list[dict[str, Any]]:
    """Return the details of one record for every dataset and evaluation."""
    first: dict[tuple[str, str], str] = {}
    for found in series:
        first.setdefault((found.data, found.evaluation), found.runs[0])
    return [results.reader.details(run, evaluation) for (_, evaluation), run in first.items()]
