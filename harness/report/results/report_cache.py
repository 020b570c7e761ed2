"""Results that several writers need of one report, computed once."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import finalize

from harness.report.results.report import ExhibitReport

Found = TypeVar("Found")


def cached_by_report(function: Callable[[ExhibitReport], Found]) -> Callable[[ExhibitReport], Found]:
    """Keep what a function returns for a report as long as the report exists; reports cannot be hashed."""
    kept: dict[int, Found] = {}

    @wraps(function)
    def cached(report: ExhibitReport) -> Found:
        key = id(report)
        if key not in kept:
            kept[key] = function(report)
            finalize(report, kept.pop, key, None)
        return kept[key]

    return cached
