"""A comparison as text for the terminal and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from textwrap import fill
from typing import Any

from tabulate import tabulate

from harness.compare.cells import ComparedCell, SideValue
from harness.compare.parameters import Difference
from harness.compare.sides import Side
from harness.compare.significance import TEST, Status
from harness.registry.digits import fixed, justified, p_value, signed
from harness.registry.metrics import Metric
from harness.report.results.column_digits import display_form, needed
from harness.report.writers.csv_json import json_number
from harness.report.writers.text_markdown import TERMINAL_WIDTH

FORMAT = 1
"""Version of the JSON document; raised when a key changes its meaning (docs/results.md)."""
QUIET = (Status.NOT_SIGNIFICANT, Status.IDENTICAL, Status.PARTLY_IDENTICAL)
"""Statuses that are counted, and listed only with `--all`."""
MOST_NAMES = 2


@dataclass(frozen=True)
class Comparison:
    """Two result sets with the cells and parameters in which they may differ."""

    scale: str
    a: Side
    b: Side
    cells: tuple[ComparedCell, ...]
    parameters: tuple[Difference, ...]

    @property
    def counts(self) -> dict[Status, int]:
        """The number of cells by status."""
        counted = Counter(cell.status for cell in self.cells)
        return {status: counted[status] for status in Status if counted[status]}

    @property
    def differs(self) -> bool:
        """Whether any cell differs significantly or is not finite on one side."""
        return any(cell.status in (Status.DIFFERS, Status.NOT_FINITE) for cell in self.cells)


def terminal(comparison: Comparison, everything: bool) -> str:
    """Return the comparison as text: counts, cells (without `everything`, not those in `QUIET`), parameters."""
    shown = [cell for cell in comparison.cells if everything or cell.status not in QUIET]
    counts = ", ".join(f"{count} {status}" for status, count in comparison.counts.items()) or "none"
    tested = sum(cell.test is not None for cell in comparison.cells)
    parts = [
        _side(comparison.a),
        _side(comparison.b),
        f"{len(comparison.cells)} measured cells at scale {comparison.scale}: {counts}.",
        fill(f"Tests: {TEST}. Cells tested: {tested or 'none'}.", TERMINAL_WIDTH),
    ]
    if shown:
        headings = ["exhibit", "row", "metric", "A", "B", "B - A", "detectable", "p (Holm)", ""]
        lines = [_line(cell) for cell in shown]
        align = ("left", "left", "left", "right", "right", "right", "right", "right", "left")
        parts += ["", tabulate(lines, headings, colalign=align, disable_numparse=True)]
    if hidden := len(comparison.cells) - len(shown):
        parts += [
            "",
            f"Not listed: {hidden} cells that are identical or not significantly different (--all lists them).",
        ]
    if seen := _would_have_been_seen(comparison.cells):
        parts += [fill(seen, TERMINAL_WIDTH)]
    parts += ["", *_parameters(comparison)]
    parts += [f"skipped: {line}" for line in (*comparison.a.skipped_runs, *comparison.b.skipped_runs)]
    return "\n".join(parts)


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as documented JSON (docs/results.md)."""
    return {
        "format": FORMAT,
        "scale": comparison.scale,
        "a": _side_to_json(comparison.a),
        "b": _side_to_json(comparison.b),
        "test": TEST,
        "counts": {status.value: count for status, count in comparison.counts.items()},
        "cells": [_cell_to_json(cell) for cell in comparison.cells],
        "parameters": [
            {"field": found.field, "a": found.a, "b": found.b, "runs": [list(pair) for pair in found.runs]}
            for found in comparison.parameters
        ],
        "left_aside": [*comparison.a.skipped_runs, *comparison.b.skipped_runs],
    }


def _side(side: Side) -> str:
    commits = ", ".join(commit[:9] for commit in side.commits) or "unknown"
    return f"{side.name}: {side.path}, {len(side.stored)} runs, commit {commits}"


def _side_to_json(side: Side) -> dict[str, Any]:
    return {"path": side.path, "runs": len(side.stored), "commits": side.commits}


def _line(cell: ComparedCell) -> list[str]:
    metric = f"{cell.label} {cell.metric.unit}".rstrip() + (f" ({cell.reading})" if cell.reading else "")
    also = f" (+ {len(cell.also)})" if cell.also else ""
    corrected = "" if cell.corrected is None else p_value(cell.corrected)
    return [
        cell.exhibit + also,
        cell.row,
        metric,
        _value(cell, cell.a),
        _value(cell, cell.b),
        _difference(cell),
        _detectable(cell),
        corrected,
        cell.status.value,
    ]


def _value(cell: ComparedCell, found: SideValue | None) -> str:
    if found is None:
        return "-"
    sides = [side.values for side in (cell.a, cell.b) if side]
    shown = max(needed(side.mean, side.sd, cell.metric) or 0 for side in sides)
    return f"{display_form(found.values.mean, found.values.sd, cell.metric, shown)} (n={found.values.n})"


def _difference(cell: ComparedCell) -> str:
    if cell.difference is None or not isfinite(cell.difference):
        return ""
    half_width = cell.test.half_width if cell.test else None
    return signed(fixed(cell.difference, justified(cell.difference, half_width, cell.metric.decimals)))


def _detectable(cell: ComparedCell) -> str:
    return "" if cell.detectable is None else _size(cell.detectable, cell.metric)


def _size(value: float, metric: Metric) -> str:
    """Return the size of an uncertainty, with the digits of an uncertainty."""
    return fixed(value, justified(value, value, metric.decimals))


def _would_have_been_seen(cells: Sequence[ComparedCell]) -> str:
    """Return the least differences that would have been significant, by the printed name of the values."""
    found: dict[str, tuple[Metric, list[float]]] = {}
    for cell in cells:
        if cell.status is Status.NOT_SIGNIFICANT and cell.detectable is not None:
            found.setdefault(cell.label, (cell.metric, []))[1].append(cell.detectable)
    listed = [f"{label} {_span(metric, sizes)} {metric.unit}".rstrip() for label, (metric, sizes) in found.items()]
    return f"Differences would have been significant from: {'; '.join(listed)}." if listed else ""


def _span(metric: Metric, sizes: Sequence[float]) -> str:
    least, most = _size(min(sizes), metric), _size(max(sizes), metric)
    return least if least == most else f"{least} to {most}"


def _parameters(comparison: Comparison) -> list[str]:
    pairs = {
        (one, cell.b.runs[seed])
        for cell in comparison.cells
        if cell.a and cell.b
        for seed, one in cell.a.runs.items()
        if seed in cell.b.runs
    }
    if not pairs:
        return ["No run of A corresponds to a run of B."]
    renamed = sum(one != other for one, other in pairs)
    lead = f"{len(pairs)} runs of A correspond to runs of B"
    lead += f", {renamed} of them with other ids, since configurations differ." if renamed else ", with equal ids."
    if not comparison.parameters:
        return [lead, "They were computed with the same parameters, versions and devices."]
    lines = [
        [found.field, _short(found.a), _short(found.b), _runs(found, len(pairs))] for found in comparison.parameters
    ]
    return [lead, "", tabulate(lines, ["parameter", "A", "B", "runs"], disable_numparse=True)]


def _runs(found: Difference, total: int) -> str:
    if len(found.runs) == total:
        return f"all {total}"
    names = [one if one == other else f"{one} / {other}" for one, other in found.runs[:MOST_NAMES]]
    rest = len(found.runs) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _cell_to_json(cell: ComparedCell) -> dict[str, Any]:
    return {
        "exhibit": cell.exhibit,
        "row": cell.row,
        "metric": cell.metric.key,
        "reading": cell.reading,
        "measured_as": cell.label,
        "data": cell.data,
        "also": list(cell.also),
        "status": cell.status.value,
        "a": _found_to_json(cell.a),
        "b": _found_to_json(cell.b),
        "difference": json_number(cell.difference),
        "t": cell.test.t if cell.test else None,
        "df": cell.test.df if cell.test else None,
        "p": cell.test.p_value if cell.test else None,
        "p_holm": cell.corrected,
        "detectable": cell.detectable,
    }


def _found_to_json(found: SideValue | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "mean": json_number(found.values.mean),
        "sd": found.values.sd,
        "seeds": [
            {"seed": seed, "value": json_number(value), "run": found.runs[seed]}
            for seed, value in found.values.by_seed.items()
        ],
    }
