"""Tables as data: rows with the paper's values, the runs that measure them, and the claims about them."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from harness.spec.claims import Claim
from harness.spec.errors import SpecError, unknown
from harness.spec.metrics import Metric
from harness.spec.run import Run

Source = Literal["own", "cited", "uncertain"]


@dataclass(frozen=True)
class Row:
    """A row as printed. `reported` follows the table's metrics; None stands for a dash.

    `source` says whether the paper measured the values itself, cites them, or leaves it open; a row without a
    run is printed and never measured.
    """

    label: str
    run: Run | None
    reported: tuple[float | None, ...]
    section: str = ""
    source: Source = "own"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a paper.

    Raises `SpecError` when a row does not fit the metrics, a label stands twice, or a claim names no such cell.
    """

    number: int
    title: str
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        labels = [row.label for row in self.rows]
        for row in self.rows:
            if len(row.reported) != len(self.metrics):
                given, wanted = len(row.reported), len(self.metrics)
                raise SpecError(f"{self.name}: row '{row.label}' reports {given} values for {wanted} metrics")
            if labels.count(row.label) > 1:
                raise SpecError(f"{self.name}: two rows are labelled '{row.label}'")
        for claim in self.claims:
            for term in claim.terms():
                if term.row not in labels:
                    raise unknown(f"row in a claim of {self.name}", term.row, labels)
                if self.reported(self.row(term.row), term.metric) is None:
                    raise SpecError(f"{self.name}: a claim needs {term.metric.key} of '{term.row}', which is a dash")

    @property
    def name(self) -> str:
        """The name on the command line, such as `table6`."""
        return f"table{self.number}"

    def row(self, label: str) -> Row:
        """Return the row with this label."""
        return next(row for row in self.rows if row.label == label)

    def reported(self, row: Row, metric: Metric) -> float | None:
        """Return the paper's value of a cell, None for a dash."""
        return row.reported[self.metrics.index(metric)]

    def select(self, pattern: str) -> tuple[Row, ...]:
        """Return the rows whose label matches a shell pattern, or contains it, whatever the case.

        Raises `SpecError` when no row does.
        """
        wanted = pattern.lower()
        labels = {row.label: row.label.lower() for row in self.rows}
        chosen = tuple(
            row for row in self.rows if fnmatchcase(labels[row.label], wanted) or wanted in labels[row.label]
        )
        if not chosen:
            raise unknown(f"row of {self.name}", pattern, labels)
        return chosen
