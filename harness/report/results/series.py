"""From records to series: the measured values of each cell by each protocol, one value per seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from harness.config.evaluations import measure_of
from harness.registry.cells import Cell, cells
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import secondary_metric
from harness.registry.paper import Paper
from harness.registry.scale import Scale
from harness.store.files import DamagedError, StoreError
from harness.store.records import Need
from harness.store.results import Results
from harness.store.vouching import UnvouchedError

SeedValues = list[tuple[int, str, str, float, int]]
"""For each seed: the seed, its run, its feature space, the value, and the number of items behind the value."""
SeriesKey = tuple[str, str, str]
"""The keys of a row and a metric, and the name of the protocol: empty for the paper's."""


@dataclass(frozen=True)
class Series:
    """The values of a cell by one protocol: one for each seed, in the order of seeds, with its run.

    `label` is the printed name of the values, `data` the dataset of the runs, `kind` their kind of model, `items` the
    number of items behind the first value. `spaces` are the feature spaces of the values, by the SHA-256 of their
    weights.
    """

    evaluation: str
    data: str
    label: str
    items: int
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    runs: tuple[str, ...]
    spaces: tuple[str, ...] = ()
    kind: str = ""

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return sum(self.values) / len(self.values)

    @property
    def measure(self) -> tuple[str, str, tuple[str, ...]]:
        """The dataset, the measure and the feature spaces: only values that share all three are comparable."""
        return self.data, measure_of(self.label), self.spaces

    @property
    def first_run(self) -> str | None:
        """The run with seed 0, None if it is not measured."""
        return self.runs[0] if self.seeds[0] == 0 else None


@dataclass(frozen=True)
class Measurements:
    """The measured values of an exhibit, in the order of its cells, and the `runs` behind them, seed after seed.

    `waiting` counts the seeds that are requested and not measured yet. `damaged` are the records that cannot be read
    or are not vouched for, by run and evaluation; their values count as not measured.
    """

    series: Mapping[SeriesKey, Series]
    runs: tuple[str, ...]
    waiting: Counter[SeriesKey]
    damaged: Mapping[tuple[str, str], Need] = field(default_factory=dict)


def measurements(paper: Paper, exhibit: Exhibit, scale: Scale, results: Results) -> Measurements:
    """Read the measured values of an exhibit.

    Reads the seeds 0, 1, ... until no row has a run with the seed. A cell without a record has no series.
    Secondary metrics in the records have series too.
    """
    reader = results.reader
    asked: list[tuple[Cell, SeedValues]] = [
        (cell, []) for cell in with_secondary(cells(paper, exhibit, exhibit.rows, scale, [0]), exhibit)
    ]
    first_runs = {cell.run.id: cell.run for cell, _ in asked}
    of_records: dict[tuple[str, str], list[tuple[Cell, SeedValues]]] = {}
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
                quantities, space = reader.quantities(run, evaluation), reader.feature_space(run, evaluation)
            except StoreError as error:
                damaged[run, evaluation] = need_of(error)
                quantities, space = {}, ""
            for cell, found in of_record:
                if quantity := quantities.get(cell.metric.quantity):
                    found.append((seed, run, space, *quantity))
                elif reader.directory(run).is_requested(cell.evaluation):
                    waiting[_key_of(cell)] += 1
    series = {_key_of(cell): _series(cell, found) for cell, found in asked if found}
    in_turn = sorted((seed, number, run) for number, (_, found) in enumerate(asked) for seed, run, *_ in found)
    return Measurements(series, tuple(dict.fromkeys(run for _, _, run in in_turn)), waiting, damaged)


def most_seeds_of(series: Mapping[SeriesKey, Series]) -> int:
    """Return the largest number of seeds of a cell, 0 without any."""
    return max((len(found.seeds) for found in series.values()), default=0)


def _key_of(cell: Cell) -> SeriesKey:
    return cell.row.key, cell.metric.key, cell.reading


def _series(cell: Cell, found: SeedValues) -> Series:
    seeds, runs, spaces, values, items = zip(*found, strict=True)
    config, distinct = cell.run.config, tuple(sorted(set(spaces)))
    kind = config.model_kind
    return Series(cell.evaluation.id, config.data.name, cell.label, items[0], seeds, values, runs, distinct, kind)


def need_of(error: StoreError) -> Need:
    """Return the need of a record that does not count, with the command that fixes it."""
    if isinstance(error, UnvouchedError):
        return Need(what=error.what, how=error.mend)
    if isinstance(error, DamagedError):
        return Need(what="damaged", how=error.mend)
    return Need(what="unreadable", how=str(error))


def with_secondary(found: Iterable[Cell], exhibit: Exhibit) -> Iterator[Cell]:
    """Yield cells and, once each, the cells of metrics that their evaluations measure beyond the exhibit's columns."""
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
    """Return the details of one record per dataset, evaluation and feature space."""
    reader, first = results.reader, dict[tuple[str, str, str], str]()
    for found in series:
        for run in found.runs if len(found.spaces) > 1 else found.runs[:1]:
            first.setdefault((found.data, found.evaluation, reader.feature_space(run, found.evaluation)), run)
    return [reader.details(run, evaluation) for (_, evaluation, _), run in first.items()]
