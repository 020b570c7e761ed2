"""The cells of two result sets side by side: values by seed, their difference, and its significance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from harness.compare.noise import CellOfBoth, PooledNoise
from harness.compare.sides import Side
from harness.compare.significance import DifferenceTest, SeedValues, Status, holm, status
from harness.registry.cells import Cell, cells
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.paper import Paper
from harness.registry.scale import Scale
from harness.store.records import EvaluationRecord


@dataclass(frozen=True)
class SideValue:
    """The values, runs and records of a cell on one side, by seed."""

    values: SeedValues
    runs: dict[int, str]
    records: dict[int, EvaluationRecord]


@dataclass(frozen=True)
class ComparedCell:
    """A compared cell.

    `also` names other rows with the same measurement. `corrected` is the p-value corrected by Holm over all tested
    cells, `detectable` the least difference that would have been significant.
    """

    exhibit: str
    row: str
    metric: Metric
    reading: str
    label: str
    data: str
    a: SideValue | None
    b: SideValue | None
    status: Status
    test: DifferenceTest | None = None
    corrected: float | None = None
    detectable: float | None = None
    also: tuple[str, ...] = ()

    @property
    def difference(self) -> float | None:
        """B's mean minus A's, None if one is absent."""
        return self.b.values.mean - self.a.values.mean if self.a and self.b else None


@dataclass
class _Pair:
    """A cell before its test."""

    exhibit: str
    cell: Cell
    a: SideValue | None
    b: SideValue | None
    also: list[str] = field(default_factory=list)


def compared(
    selection: Sequence[tuple[Paper, Exhibit]], scale: str, a: Side, b: Side, metrics: Sequence[str] = ()
) -> list[ComparedCell]:
    """Return every cell with a value on either side, each measurement once, sorted by status and significance.

    `metrics` restricts the cells to these keys of metrics.
    """
    pairs: dict[tuple[str, str, str], _Pair] = {}
    expected = {paper.name: _Expected(paper, paper.scale(scale)) for paper, _ in selection}
    for paper, exhibit in selection:
        for pair in _pairs(paper, exhibit, paper.scale(scale), a, b, expected[paper.name]):
            if metrics and pair.cell.metric.key not in metrics:
                continue
            key = pair.cell.run.id, pair.cell.evaluation.id, pair.cell.metric.quantity
            if key in pairs:
                pairs[key].also.append(f"{pair.exhibit} {pair.cell.row.key}")
            else:
                pairs[key] = pair
    return sorted(_with_status(list(pairs.values())), key=_urgency)


def _with_status(pairs: Sequence[_Pair]) -> Iterator[ComparedCell]:
    both = [_of_both(pair) for pair in pairs]
    noise = PooledNoise(filter(None, both))
    tests = [noise.test(one) if one and _is_open(one) else None for one in both]
    number = sum(test is not None for test in tests)
    corrections = iter(holm([test.p_value for test in tests if test]))
    for pair, test in zip(pairs, tests, strict=True):
        corrected = next(corrections) if test else None
        values = (pair.a.values if pair.a else None), (pair.b.values if pair.b else None)
        found = status(*values, corrected, pair.cell.metric.noise == "none")
        if found is not None:
            cell = pair.cell
            yield ComparedCell(
                exhibit=pair.exhibit,
                row=cell.row.key,
                metric=cell.metric,
                reading=cell.reading,
                label=cell.label,
                data=cell.run.config.data.name,
                a=pair.a,
                b=pair.b,
                status=found,
                test=test,
                corrected=corrected,
                detectable=test.detectable(number) if test else None,
                also=tuple(dict.fromkeys(pair.also)),
            )


def _of_both(pair: _Pair) -> CellOfBoth | None:
    """Return a cell that contributes to the noise estimate, None if its values are exact, absent, or not finite."""
    a, b, metric = pair.a, pair.b, pair.cell.metric
    if metric.noise == "none" or not (a and b and a.values.is_finite and b.values.is_finite):
        return None
    items = next(iter(a.records.values())).quantities[metric.quantity].n
    return CellOfBoth(pair.cell, a.values, b.values, items, same_runs=a.runs == b.runs)


def _is_open(one: CellOfBoth) -> bool:
    """Return whether only a test can tell if both sides of a cell differ."""
    return status(one.a, one.b, 1.0, exact=False) is Status.NOT_SIGNIFICANT


def _urgency(cell: ComparedCell) -> tuple[int, float, float]:
    """Sort key: status, then significance, then size of the difference."""
    order = list(Status).index(cell.status)
    size = abs(cell.difference) if cell.difference is not None else 0.0
    return order, cell.corrected if cell.corrected is not None else 1.0, -size


def _pairs(paper: Paper, exhibit: Exhibit, scale: Scale, a: Side, b: Side, expected: "_Expected") -> Iterator[_Pair]:
    """Yield the cells of an exhibit with their values on both sides, for all seeds before the first without a run."""
    by_cell: dict[tuple[str, Metric, str], dict[int, Cell]] = {}
    for seed in count():
        of_seed = list(cells(paper, exhibit, exhibit.rows, scale, [seed]))
        if not any(side.run(cell.run, expected) for cell in of_seed for side in (a, b)):
            break
        for cell in of_seed:
            by_cell.setdefault((cell.row.key, cell.metric, cell.reading), {})[seed] = cell
    for seeds in by_cell.values():
        sides = _side_value(a, seeds, expected), _side_value(b, seeds, expected)
        yield _Pair(f"{paper.name}/{exhibit.name}", seeds[0], *sides)


def _side_value(side: Side, seeds: dict[int, Cell], expected: "_Expected") -> SideValue | None:
    values, runs, records = {}, {}, {}
    for seed, cell in seeds.items():
        quantity = cell.metric.quantity
        run = side.run(cell.run, expected)
        record = side.record(run, cell.evaluation, quantity, expected) if run else None
        if run and record and quantity in record.quantities:
            values[seed], runs[seed], records[seed] = record.quantities[quantity].value, run, record
    return SideValue(SeedValues(values), runs, records) if values else None


class _Expected:
    """The ids of the runs and evaluations of a paper's cells, which are never matched to other cells."""

    def __init__(self, paper: Paper, scale: Scale) -> None:
        self._paper = paper
        self._scale = scale
        self._by_seed: dict[int, frozenset[str]] = {}

    def __call__(self, seed: int) -> frozenset[str]:
        """Return the ids of the runs and evaluations of all cells with a seed."""
        if seed not in self._by_seed:
            exhibits = self._paper.exhibits
            found = (cell for e in exhibits for cell in cells(self._paper, e, e.rows, self._scale, [seed]))
            self._by_seed[seed] = frozenset(id for cell in found for id in (cell.run.id, cell.evaluation.id))
        return self._by_seed[seed]
