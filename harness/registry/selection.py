"""Selects rows of exhibits by patterns."""

from collections.abc import Sequence

from harness.errors import SpecError, unknown
from harness.registry.exhibit import Exhibit
from harness.registry.paper import Paper
from harness.registry.row import Row

SelectedRows = tuple[Paper, Exhibit, tuple[Row, ...]]
"""An exhibit with its selected rows."""


def select_rows(exhibits: Sequence[tuple[Paper, Exhibit]], patterns: Sequence[str]) -> list[SelectedRows]:
    """Return the exhibits that have rows matching any of the patterns, with these rows; without patterns, all.

    Raises `SpecError` for a pattern that is blank or matches no row of any exhibit.
    """
    for pattern in patterns:
        if not pattern.strip():
            raise SpecError("--rows is blank: give a name or pattern, or leave it out for all rows")
        if not any(exhibit.select(pattern) for _, exhibit in exhibits):
            names = ", ".join(exhibit.name for _, exhibit in exhibits)
            raise unknown(f"row of {names}", pattern, {row.key for _, exhibit in exhibits for row in exhibit.rows})
    found = [(paper, exhibit, exhibit.select(*patterns)) for paper, exhibit in exhibits]
    return [selected for selected in found if selected[2] or not patterns]
