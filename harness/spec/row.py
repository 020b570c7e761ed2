"""Rows as data: what a paper prints in a line, and the run or the settings that the harness puts beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.spec.run import Run

Source = Literal["own", "cited", "uncertain"]


@dataclass(frozen=True)
class Words:
    """A cell that prints words instead of a number; `meaning` is their value in the metric's unit, where they have one.

    "32 GPUs for 5 days" means 3,840 GPU-hours.
    """

    text: str
    meaning: float | None = None

    def __str__(self) -> str:
        return self.text


Printed = float | Words | None
"""A cell as printed; None stands for a dash."""


@dataclass(frozen=True)
class Setting:
    """A hyper-parameter, read from the resolved configurations of some runs instead of being measured."""

    field: str
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Row:
    """A row as printed. `reported` follows the exhibit's metrics.

    `source` says whether the paper measured the values itself, cites them, or leaves it open; a row without a
    run is printed and never measured, unless it is a `setting`. `under` is the row that an indented one belongs to.
    `protocol` changes the paper's evaluations for this row: `{"after": 0.2}` evaluates after a fifth of the training.
    """

    label: str
    run: Run | None
    reported: tuple[Printed, ...]
    section: str = ""
    under: str = ""
    source: Source = "own"
    note: str = ""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    setting: Setting | None = None

    @property
    def name(self) -> str:
        """The label, after the row that it belongs to."""
        return f"{self.under} {self.label}".strip()

    @property
    def key(self) -> str:
        """What names the row within its exhibit: the name, after its section where there is one."""
        return f"{self.section}: {self.name}" if self.section else self.name
