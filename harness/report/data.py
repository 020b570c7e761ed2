"""The CSV and JSON writers, for programs."""

import json
from math import isfinite
from typing import Any

import pandas as pd

from harness.report.build import Measured, ReportCell, TableReport
from harness.report.claims import Decision

FORMAT = 1
"""Version of the JSON document; raised when a key changes its meaning (docs/results.md)."""


def csv(report: TableReport) -> str:
    """Return one line per cell: what was reported, what was measured, and the verdict."""
    lines = [
        {
            "table": report.name,
            "scale": report.scale.name,
            "section": row.row.section,
            "row": row.row.label,
            "source": row.row.source,
            "metric": cell.metric.key,
            "measured_as": report.labels.get(cell.metric.key),
            "reported": cell.reported,
            "measured": cell.measured.mean if cell.measured else None,
            "sd": cell.measured.sd if cell.measured else None,
            "seeds": cell.measured.seeds if cell.measured else 0,
            "verdict": cell.verdict.value,
            "runs": " ".join(cell.measured.runs) if cell.measured else "",
        }
        for row in report.rows
        for cell in row.cells
    ]
    return pd.DataFrame(lines).to_csv(index=False, na_rep="")


def to_json(report: TableReport) -> dict[str, Any]:
    """Return the report in the documented shape."""
    return {
        "format": FORMAT,
        "paper": report.paper.name,
        "table": report.table.name,
        "title": report.table.title,
        "scale": report.scale.name,
        "comparable": report.scale.comparable,
        "note": report.scale.note,
        "features": report.features,
        "coverage": {"measured": report.measured, "wanted": report.wanted},
        "rows": [
            {
                "section": row.row.section,
                "label": row.row.label,
                "source": row.row.source,
                "cells": {cell.metric.key: _cell(cell, report.labels) for cell in row.cells},
            }
            for row in report.rows
        ],
        "claims": [_claim(decision) for decision in report.decisions],
    }


def json_text(report: TableReport) -> str:
    """Return the report as JSON text."""
    return json.dumps(to_json(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _cell(cell: ReportCell, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "reported": cell.reported,
        "measured_as": labels.get(cell.metric.key),
        "measured": _measured(cell.measured) if cell.measured else None,
        "verdict": cell.verdict.value,
    }


def _measured(value: Measured) -> dict[str, Any]:
    sd = value.sd if value.sd is not None and isfinite(value.sd) else None
    return {"mean": _finite(value.mean), "sd": sd, "seeds": value.seeds, "runs": list(value.runs)}


def _finite(value: float) -> float | str:
    """JSON has no NaN and no infinities: they become strings."""
    return value if isfinite(value) else str(value).replace("nan", "NaN")


def _claim(decision: Decision) -> dict[str, Any]:
    return {
        "says": decision.claim.says,
        "where": decision.claim.where,
        "status": decision.status.value,
        "reason": decision.reason,
        "values": [
            {"row": value.row, "metric": value.metric.key, "mean": _finite(value.mean)} for value in decision.values
        ],
        "contrasts": [
            {
                "estimate": finding.estimate,
                "half_width_95": finding.half_width,
                "low": None if abs(finding.contrast.low) == float("inf") else finding.contrast.low,
                "high": None if abs(finding.contrast.high) == float("inf") else finding.contrast.high,
                "status": finding.status.value,
            }
            for finding in decision.findings
        ],
    }
