"""Exhibits as data: the tables and figures of a paper, with the runs that measure them and the claims about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Self

from harness.errors import SpecError, unknown
from harness.registry.claims import Claim
from harness.registry.figures import Agreement, Plot, SampleStrips
from harness.registry.metrics import Metric
from harness.registry.row import Printed, Reported, Row, Source, Value, Words


@dataclass(frozen=True)
class Block:
    """Rows that are printed together, and the metrics that some of them have."""

    caption: str
    rows: tuple[Row, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class ExpectedFailure:
    """A cell whose printed value is not expected to be met, and why: the paper contradicts itself or its code."""

    row: str
    metric: Metric
    reason: str


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """What tables and figures share: rows, the metrics that are measured of them, and claims.

    `readings` are further protocols to measure beside the paper's, by name: changes to those evaluations that have
    such settings. `variant` names another reading of the whole exhibit, such as other schedules. `expected` are cells
    that are expected to fail, `best` the metrics of which documents print the best value bold.
    Raises `SpecError` when a row does not fit the metrics, a key stands twice, a claim or an expectation names no such
    cell, or no value of a metric can be best.
    """

    number: int
    title: str
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...] = ()
    expected: tuple[ExpectedFailure, ...] = ()
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    variant: str = ""
    best: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        keys = [row.key for row in self.rows]
        for row in self.rows:
            if len(row.reported) != len(self.metrics):
                given, wanted = len(row.reported), len(self.metrics)
                raise SpecError(f"{self.name}: row '{row.key}' reports {given} values for {wanted} metrics")
            if keys.count(row.key) > 1:
                raise SpecError(f"{self.name}: two rows are called '{row.key}'")
        for metric in self.metrics:
            if [other.key for other in self.metrics].count(metric.key) > 1:
                raise SpecError(f"{self.name}: two metrics have the key '{metric.key}'")
        for metric in self.best:
            if metric not in self.metrics:
                raise unknown(f"metric to print bold in {self.name}", metric.key, (m.key for m in self.metrics))
            if metric.better == "neither":
                raise SpecError(f"{self.name}: no value of {metric.key} is better than another, so none can be bold")
        for claim in self.claims:
            for term in claim.terms():
                self._check_cell("a claim", term.row, term.metric)
        for cell in self.expected:
            self._check_cell("an expectation", cell.row, cell.metric)

    def _check_cell(self, of: str, row: str, metric: Metric) -> None:
        """Refuse a claim or an expectation of a cell that is not there, or that can have no value."""
        if row not in (keys := [row.key for row in self.rows]):
            raise unknown(f"row in {of} of {self.name}", row, keys)
        if metric not in self.metrics:
            raise unknown(f"metric in {of} of {self.name}", metric.key, (m.key for m in self.metrics))

    def asks(self, row: Row, metric: Metric) -> bool:
        """Tell whether a metric of a row belongs to the exhibit."""
        return True

    @property
    def kind(self) -> str:
        """What the paper calls it: table or figure."""
        return type(self).__name__.lower()

    @property
    def name(self) -> str:
        """The name on the command line, such as `table6`, or `table5-schedules` for a variant."""
        return f"{self.kind}{self.number}" + (f"-{self.variant}" if self.variant else "")

    def row(self, key: str) -> Row:
        """Return the row with this key."""
        return next(row for row in self.rows if row.key == key)

    def reported(self, row: Row, metric: Metric) -> Reported:
        """Return the number or the words that the paper prints in a cell, None for a dash."""
        printed = self._printed(row, metric)
        return printed.value if isinstance(printed, Value) else printed

    def expected_to_fail(self, row: Row, metric: Metric) -> str:
        """Return why a cell is expected to fail, nothing where it is not."""
        return next((cell.reason for cell in self.expected if (cell.row, cell.metric) == (row.key, metric)), "")

    def reported_value(self, row: Row, metric: Metric) -> float | None:
        """Return the paper's value of a cell as a number, None for a dash and for words that mean none."""
        reported = self.reported(row, metric)
        return reported.meaning if isinstance(reported, Words) else reported

    def reported_sd(self, row: Row, metric: Metric) -> float | None:
        """Return the standard deviation that the paper prints with a value, None where it prints none."""
        printed = self._printed(row, metric)
        return printed.sd if isinstance(printed, Value) else None

    def reported_n(self, row: Row, metric: Metric) -> int | None:
        """Return over how many seeds the paper's value is, None where the paper does not say so."""
        printed = self._printed(row, metric)
        return printed.n if isinstance(printed, Value) else None

    def source(self, row: Row, metric: Metric) -> Source:
        """Return whose value the paper prints in a cell: what the cell says of it, else what its row says."""
        printed = self._printed(row, metric)
        return (printed.source if isinstance(printed, Value) else None) or row.source

    def _printed(self, row: Row, metric: Metric) -> Printed:
        return row.reported[self.metrics.index(metric)]

    def also(self, *readings: Mapping[str, Any]) -> Self:
        """Return the same exhibit with further protocols, each named after the settings that it changes."""
        named = {",".join(f"{name}={value}" for name, value in settings.items()): settings for settings in readings}
        return replace(self, readings={**self.readings, **named})

    def blocks(self) -> list[Block]:
        """Return the rows in blocks that are printed with columns of their own.

        There is one, without a caption, unless some section has metrics that the widest one lacks.
        """
        sections = dict.fromkeys(row.section for row in self.rows)
        apart = [self._block(name, [row for row in self.rows if row.section == name]) for name in sections]
        widest = max((set(block.metrics) for block in apart), key=len, default=set())
        if all(set(block.metrics) <= widest for block in apart):
            return [self._block("", self.rows)]
        return apart

    def _block(self, caption: str, rows: Sequence[Row]) -> Block:
        asked = tuple(metric for metric in self.metrics if any(self.asks(row, metric) for row in rows))
        return Block(caption, tuple(rows), asked)

    def select(self, pattern: str) -> tuple[Row, ...]:
        """Return the rows whose key matches a shell pattern, whatever the case; if none does, those that contain it."""
        wanted = pattern.lower()
        keys = {row.key: row.key.lower() for row in self.rows}
        matching = tuple(row for row in self.rows if fnmatchcase(keys[row.key], wanted))
        return matching or tuple(row for row in self.rows if wanted in keys[row.key])


@dataclass(frozen=True, kw_only=True)
class Table(Exhibit):
    """A table of a paper. What it prints as a dash is not measured.

    `drawings` are drawn of it by the name that follows the table's in the file's, such as `table6-samples`.
    """

    plots: Mapping[str, Plot] = field(default_factory=lambda: {"agreement": Agreement(), "samples": SampleStrips()})

    def asks(self, row: Row, metric: Metric) -> bool:
        """Tell whether the paper prints a value."""
        return self.reported(row, metric) is not None

    def _check_cell(self, of: str, row: str, metric: Metric) -> None:
        super()._check_cell(of, row, metric)
        if self.reported(self.row(row), metric) is None:
            raise SpecError(f"{self.name}: {of} needs {metric.key} of '{row}', which is a dash")


@dataclass(frozen=True, kw_only=True)
class Figure(Exhibit):
    """A figure of a paper: rows are its panels or curves, `drawing` says how they are drawn."""

    plot: Plot


def plots_of(exhibit: Exhibit) -> dict[str, Plot]:
    """Return what is drawn of an exhibit, by the names of the files."""
    if isinstance(exhibit, Figure):
        return {exhibit.name: exhibit.plot}
    if isinstance(exhibit, Table):
        return {f"{exhibit.name}-{name}": plot for name, plot in exhibit.plots.items()}
    return {}
