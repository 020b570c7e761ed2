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
    run is printed and never measured. `after` is the share of the training after which the run is evaluated.
    """

    label: str
    run: Run | None
    reported: tuple[float | None, ...]
    section: str = ""
    source: Source = "own"
    note: str = ""
    after: float = 1.0

    @property
    def key(self) -> str:
        """What names the row within its table: the label, after its section where there is one."""
        return f"{self.section}: {self.label}" if self.section else self.label


@dataclass(frozen=True)
class Table:
    """A table of a paper.

    Raises `SpecError` when a row does not fit the metrics, a key stands twice, or a claim names no such cell.
    """

    number: int
    title: str
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]
    claims: tuple[Claim, ...] = ()

    def __post_init__(self) -> None:
        keys = [row.key for row in self.rows]
        for row in self.rows:
            if len(row.reported) != len(self.metrics):
                given, wanted = len(row.reported), len(self.metrics)
                raise SpecError(f"{self.name}: row '{row.key}' reports {given} values for {wanted} metrics")
            if keys.count(row.key) > 1:
                raise SpecError(f"{self.name}: two rows are called '{row.key}'")
        for claim in self.claims:
            for term in claim.terms():
                if term.row not in keys:
                    raise unknown(f"row in a claim of {self.name}", term.row, keys)
                if self.reported(self.row(term.row), term.metric) is None:
                    raise SpecError(f"{self.name}: a claim needs {term.metric.key} of '{term.row}', which is a dash")

    @property
    def name(self) -> str:
        """The name on the command line, such as `table6`."""
        return f"table{self.number}"

    def row(self, key: str) -> Row:
        """Return the row with this key."""
        return next(row for row in self.rows if row.key == key)

    def reported(self, row: Row, metric: Metric) -> float | None:
        """Return the paper's value of a cell, None for a dash."""
        return row.reported[self.metrics.index(metric)]

    def select(self, pattern: str) -> tuple[Row, ...]:
        """Return the rows whose key matches a shell pattern, whatever the case; if none does, those that contain it.

        Raises `SpecError` when no row does.
        """
        wanted = pattern.lower()
        keys = {row.key: row.key.lower() for row in self.rows}
        matching = tuple(row for row in self.rows if fnmatchcase(keys[row.key], wanted))
        chosen = matching or tuple(row for row in self.rows if wanted in keys[row.key])
        if not chosen:
            raise unknown(f"row of {self.name}", pattern, keys)
        return chosen
