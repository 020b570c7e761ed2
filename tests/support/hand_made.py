"""Measurements made by hand: series of values over seeds, without runs."""

from dataclasses import replace

from harness.registry.metrics import FID
from harness.report.results.series import Series

UNITS = replace(FID, key="u", noise="absolute")
WORDS = {"says": "s", "where": "w"}


def measured(**rows):
    """Build measurements from row=[values over seeds] of a metric with absolute noise."""
    return cells([(row, UNITS, seed, value) for row, values in rows.items() for seed, value in enumerate(values)])


def cells(values, label="l", data="d"):
    """Build measurements from (row, metric, seed, value), all of the same data."""
    found = {}
    for row, metric, seed, value in values:
        found.setdefault((row, metric.key, ""), []).append((seed, value, f"{row} {seed}"))
    return {place: Series("e", data, label, 10_000, *zip(*of_cell, strict=True)) for place, of_cell in found.items()}
