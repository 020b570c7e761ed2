"""Exhibits as data: the tables and figures of a paper, with their runs and claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Self

from harness.errors import SpecError, unknown
from harness.registry.claims import Claim
from harness.registry.figures import Agreement, Plot, SampleStrips
from harness.registry.metrics import Metric
from harness.registry.presuppositions import cells as presupposed_cells
from harness.registry.row import Printed, Reported, Row, Source, Value, Words


@dataclass(frozen=True)
class Subtable:
    """Rows printed together, and the metrics with a value in some of them."""

    caption: str
    rows: tuple[Row, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class ExpectedFailure:
    """A cell expected to miss its printed value, because the paper contradicts itself or its code."""

    row: str
    metric: Metric
    reason: str


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """Base class of tables and figures: rows, metrics and claims.

    `readings` are additional protocols, by name: settings for every evaluation that has all of them. `variant` names an
    alternative version of the exhibit, such as with other schedules. `expected` are cells expected to fail. Documents
    print the best value of the `best` metrics in bold.
    Raises `SpecError` if a row does not match the metrics, a key is repeated, a claim or an expectation refers to a
    missing cell, or a metric in `best` has no direction.
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
            for place in presupposed_cells(claim.needs):
                self._check_presupposed(*place)
        for cell in self.expected:
            self._check_cell("an expectation", cell.row, cell.metric)

    def _check_presupposed(self, row: str, metric: Metric | None) -> None:
        """Raise `SpecError` if a claim presupposes something of a row or a cell that is not measured."""
        of = "needs of a claim"
        self._check_row(of, row)
        if metric is not None:
            self._check_cell(of, row, metric)
        if self.row(row).run is None:
            measured = ", ".join(row.key for row in self.rows if row.run) or "none"
            raise SpecError(f"{self.name}: {of} name row '{row}', which has no run to check: rows with one: {measured}")

    def _check_row(self, of: str, row: str) -> None:
        if row not in (keys := [row.key for row in self.rows]):
            raise unknown(f"row in {of} of {self.name}", row, keys)

    def _check_cell(self, of: str, row: str, metric: Metric) -> None:
        """Raise `SpecError` if a claim or an expectation refers to a cell that does not exist or has no value."""
        self._check_row(of, row)
        if metric not in self.metrics:
            raise unknown(f"metric in {of} of {self.name}", metric.key, (m.key for m in self.metrics))

    def asks(self, row: Row, metric: Metric) -> bool:
        """Return whether a metric of a row belongs to the exhibit."""
        return True

    @property
    def kind(self) -> str:
        """The kind of exhibit, `table` or `figure`."""
        return type(self).__name__.lower()

    @property
    def name(self) -> str:
        """The name on the command line, such as `table6`, or `table5-schedules` for a variant."""
        return f"{self.kind}{self.number}" + (f"-{self.variant}" if self.variant else "")

    def row(self, key: str) -> Row:
        """Return the row with this key."""
        return next(row for row in self.rows if row.key == key)

    def reported(self, row: Row, metric: Metric) -> Reported:
        """Return the number or words printed in a cell, None for a dash."""
        printed = self._printed(row, metric)
        return printed.value if isinstance(printed, Value) else printed

    def expected_to_fail(self, row: Row, metric: Metric) -> str:
        """Return why a cell is expected to fail, "" if it is not."""
        return next((cell.reason for cell in self.expected if (cell.row, cell.metric) == (row.key, metric)), "")

    def reported_value(self, row: Row, metric: Metric) -> float | None:
        """Return the paper's value of a cell as a number, None for a dash or words without a numeric meaning."""
        reported = self.reported(row, metric)
        return reported.meaning if isinstance(reported, Words) else reported

    def reported_sd(self, row: Row, metric: Metric) -> float | None:
        """Return the standard deviation printed with a value, None if there is none."""
        printed = self._printed(row, metric)
        return printed.sd if isinstance(printed, Value) else None

    def reported_n(self, row: Row, metric: Metric) -> int | None:
        """Return the number of seeds of the paper's value, None if the paper does not state it."""
        printed = self._printed(row, metric)
        return printed.n if isinstance(printed, Value) else None

    def source(self, row: Row, metric: Metric) -> Source:
        """Return the source of the value in a cell: that of the cell if set, else that of the row."""
        printed = self._printed(row, metric)
        return (printed.source if isinstance(printed, Value) else None) or row.source

    def _printed(self, row: Row, metric: Metric) -> Printed:
        return row.reported[self.metrics.index(metric)]

    def also(self, *readings: Mapping[str, Any]) -> Self:
        """Return a copy with additional protocols, each named after the settings that it changes."""
        named = {",".join(f"{name}={value}" for name, value in settings.items()): settings for settings in readings}
        return replace(self, readings={**self.readings, **named})

    def blocks(self) -> list[Subtable]:
        """Return the rows in blocks with separate columns.

        There is a single block without a caption unless a section has metrics that the widest one lacks.
        """
        sections = dict.fromkeys(row.section for row in self.rows)
        apart = [self._block(name, [row for row in self.rows if row.section == name]) for name in sections]
        widest = max((set(block.metrics) for block in apart), key=len, default=set())
        if all(set(block.metrics) <= widest for block in apart):
            return [self._block("", self.rows)]
        return apart

    def _block(self, caption: str, rows: Sequence[Row]) -> Subtable:
        asked = tuple(metric for metric in self.metrics if any(self.asks(row, metric) for row in rows))
        return Subtable(caption, tuple(rows), asked)

    def select(self, *patterns: str) -> tuple[Row, ...]:
        """Return the rows that match any of the patterns, in the exhibit's order; without patterns, all rows.

        A shell pattern matches keys, ignoring case. If it matches none, it matches the keys that contain it.
        """
        wanted = {row.key for pattern in patterns for row in self._matching(pattern.lower())}
        return tuple(row for row in self.rows if row.key in wanted or not patterns)

    def _matching(self, pattern: str) -> list[Row]:
        keys = {row.key: row.key.lower() for row in self.rows}
        matching = [row for row in self.rows if fnmatchcase(keys[row.key], pattern)]
        return matching or [row for row in self.rows if pattern in keys[row.key]]

    def only(self, rows: Sequence[Row]) -> Self:
        """Return a copy with some of the rows, without the claims and expectations that need others."""
        keys = {row.key for row in rows}
        return replace(
            self,
            rows=tuple(row for row in self.rows if row.key in keys),
            claims=tuple(claim for claim in self.claims if keys.issuperset(claim.rows)),
            expected=tuple(cell for cell in self.expected if cell.row in keys),
        )


@dataclass(frozen=True, kw_only=True)
class Table(Exhibit):
    """A table of a paper. Cells printed as a dash are not measured.

    `plots` draw the table, by the suffix of their file names, such as `samples` for `table6-samples`.
    """

    plots: Mapping[str, Plot] = field(default_factory=lambda: {"agreement": Agreement(), "samples": SampleStrips()})

    def asks(self, row: Row, metric: Metric) -> bool:
        """Return whether the paper prints a value."""
        return self.reported(row, metric) is not None

    def _check_cell(self, of: str, row: str, metric: Metric) -> None:
        super()._check_cell(of, row, metric)
        if self.reported(self.row(row), metric) is None:
            raise SpecError(f"{self.name}: {of} needs {metric.key} of '{row}', which is a dash")


@dataclass(frozen=True, kw_only=True)
class Figure(Exhibit):
    """A figure of a paper: rows are its panels or curves, `plot` draws them."""

    plot: Plot


def plots_of(exhibit: Exhibit) -> dict[str, Plot]:
    """Return the plots of an exhibit, by file name."""
    if isinstance(exhibit, Figure):
        return {exhibit.name: exhibit.plot}
    if isinstance(exhibit, Table):
        return {f"{exhibit.name}-{name}": plot for name, plot in exhibit.plots.items()}
    return {}
