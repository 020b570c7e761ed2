"""Rows as data: the values printed in a paper, and the run or settings to compare them with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from harness.config.arguments import checked_arguments
from harness.config.run import Run, RunConfig
from harness.errors import given, invalid, unknown

Source = Literal["own", "cited", "uncertain"]
CELLS = "a finite number, Value(94.1, sd=0.2, n=5), Words('3 days'), or None for a dash"


@checked_arguments
@dataclass(frozen=True)
class Words:
    """A cell with words instead of a number; `meaning` is their value in the metric's unit, if they have one.

    "32 GPUs for 5 days" means 3,840 GPU-hours. Raises `SpecError` for arguments of other types.
    """

    text: str
    meaning: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise invalid("Words", "text", self.text, "text in quotes")
        if self.meaning is not None and not _is_number(self.meaning):
            raise invalid(f"Words({given(self.text)})", "meaning", self.meaning, "a finite number or None")

    def __str__(self) -> str:
        return self.text


@checked_arguments
@dataclass(frozen=True)
class Value:
    """A printed number with its standard deviation, number of seeds, and source.

    `sd` is non-negative, in the metric's unit, and `n` is at least 1; each is None if the paper does not give it.
    `source` overrides `Row.source` for this cell. Raises `SpecError` for invalid arguments.
    """

    value: float
    sd: float | None = None
    n: int | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.value):
            raise invalid("Value", "value", self.value, "a finite number", _number_in(self.value))
        of = f"Value({self.value})"
        if self.sd is not None and not (_is_number(self.sd) and self.sd >= 0):
            raise invalid(of, "sd", self.sd, "a finite number of 0 or more, or None", _number_in(self.sd))
        if self.n is not None and not (type(self.n) is int and self.n >= 1):
            raise invalid(of, "n", self.n, "a whole number of 1 or more, or None")
        if self.source is not None:
            _check_source(of, self.source)


Reported = float | Words | None
"""The content of a cell without standard deviation and source; None is a dash."""
Printed = Reported | Value
"""The content of a cell."""


@checked_arguments
@dataclass(frozen=True)
class Setting:
    """A hyper-parameter, read from the resolved configurations of some runs instead of measured."""

    field: str
    runs: tuple[Run, ...]


@checked_arguments
@dataclass(frozen=True)
class Row:
    """A row as printed. `reported` follows the exhibit's metrics.

    `source` is `own` if the paper measured the values, `cited` if it took them from elsewhere, `uncertain` if it leaves
    this open. A row without a run is not measured; `setting` reads its values from configurations instead. `under` is
    the parent of an indented row.
    `protocol` changes the paper's evaluations for this row: `{"after": 0.2}` evaluates after a fifth of the training.
    Raises `SpecError` for a field of another type and for a cell other than a number, words or a dash.
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

    def __post_init__(self) -> None:
        for name in ("label", "section", "under", "note"):
            if not isinstance(text := getattr(self, name), str):
                raise invalid(f"row {given(self.label)}", name, text, "text in quotes")
        of = f"row {given(self.key)}"
        if not isinstance(self.run, Run | None):
            meant = 'Run("name", config)' if isinstance(self.run, RunConfig) else ""
            raise invalid(of, "run", self.run, "a Run, or None for a row that is not measured", meant)
        if not isinstance(self.reported, tuple):
            raise invalid(
                of, "reported", self.reported, "a tuple with a value for each metric", _tuple_of(self.reported)
            )
        for place, cell in enumerate(self.reported):
            if not (cell is None or isinstance(cell, Words | Value) or _is_number(cell)):
                raise invalid(of, f"reported[{place}]", cell, CELLS, _cell_in(cell))
        _check_source(of, self.source)
        if not isinstance(self.protocol, Mapping):
            raise invalid(of, "protocol", self.protocol, "a dict of settings, such as {'after': 0.2}")
        if not isinstance(self.setting, Setting | None):
            raise invalid(of, "setting", self.setting, "a Setting, or None for a row of measured values")

    @property
    def name(self) -> str:
        """The label, prefixed by the parent row."""
        return f"{self.under} {self.label}".strip()

    @property
    def key(self) -> str:
        """The unique key of the row in its exhibit: the name, prefixed by the section if there is one."""
        return f"{self.section}: {self.name}" if self.section else self.name


def _is_number(value: object) -> bool:
    """Return whether a value is a finite number that fits a float, excluding booleans."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _check_source(of: str, source: object) -> None:
    allowed = get_args(Source)
    if not isinstance(source, str):
        raise invalid(of, "source", source, ", ".join(allowed))
    if source not in allowed:
        raise unknown(f"source of {of}", source, allowed)


def _number_in(value: object) -> str:
    """Return the number in a string, "" if there is none."""
    try:
        return str(value).strip() if isinstance(value, str) and _is_number(float(value)) else ""
    except ValueError:
        return ""


def _tuple_of(reported: object) -> str:
    """Return the likely intended tuple for cells of another type, as source text."""
    if isinstance(reported, list):
        return given(tuple(reported)).removesuffix(" (tuple)")
    return f"({reported!r},)" if _is_number(reported) or isinstance(reported, Value | Words) else ""


def _cell_in(cell: object) -> str:
    """Return the likely intended cell for a number in quotes, words, or a pair of mean and sd, as source text."""
    if isinstance(cell, str):
        return _number_in(cell) or f"Words({given(cell)})"
    if isinstance(cell, tuple | list) and len(cell) == 2 and all(map(_is_number, cell)):
        return f"Value({cell[0]}, sd={cell[1]})"
    return ""
