"""The CSV and JSON writers, for programs."""

import io
from csv import DictWriter
from math import isfinite
from typing import Any

from pydantic_core import to_json as to_json_bytes

from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.metrics import Metric
from harness.registry.row import Reported, Words
from harness.report.results.cells import Configured, Measured, ReportCell
from harness.report.results.claims import ClaimResult
from harness.report.results.rank_agreement import RankAgreement
from harness.report.results.rechecked import rechecked_json
from harness.report.results.report import ExhibitReport
from harness.report.results.statistics import CONFIDENCE
from harness.report.writers import answer
from harness.report.writers.claim_evidence import reason
from harness.report.writers.contrast_formula import Formulas
from harness.report.writers.judgement_data import fails_to_json, judged_columns, judgement_to_json
from harness.report.writers.presuppositions import finding_to_json
from harness.store.usage import Usage

FORMAT = 4
"""Version of the JSON document; raised when a key changes its meaning (docs/results.md)."""


def csv(report: ExhibitReport) -> str:
    """Return one line per cell and protocol: reported value, measured value and verdict."""
    lines = [
        {
            "exhibit": report.name,
            "scale": report.scale.name,
            "section": row.row.section,
            "row": row.row.name,
            "source": cell.source,
            "metric": cell.metric.key,
            "protocol": protocol,
            "measured_as": cell.labels.get(protocol) or report.label(cell.metric),
            "reported": cell.reported,
            "reported_sd": cell.reported_sd,
            "reported_n": cell.reported_n,
            "reported_text": "" if cell.reported is None else cell.printed,
            **_columns(value),
            "measured_text": _text(value, cell.metric, report),
            "world_sizes": _world_sizes_text(value, report),
            **judged_columns(cell, protocol),
            **_cost(value, report),
        }
        for row in report.rows
        for cell in (*row.cells, *row.secondary)
        for protocol, value in [("", cell.measured), *cell.readings.items()]
    ]
    text = io.StringIO()
    writer = DictWriter(text, lines[0], lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({key: json_number(value) if isinstance(value, float) else value for key, value in line.items()})
    return text.getvalue()


def _world_sizes_text(value: Measured | Configured | None, report: ExhibitReport) -> str:
    """Return the numbers of ranks of the runs behind a value, in their order, such as `2 1+2`."""
    runs = value.runs if isinstance(value, Measured) else ()
    return " ".join("+".join(map(str, report.world_sizes.get(run, ()))) or "?" for run in runs)


def _columns(value: Measured | Configured | None) -> dict[str, object]:
    if isinstance(value, Measured):
        return {"measured": value.mean, "sd": value.sd, "seeds": value.seeds, "runs": " ".join(value.runs)}
    return {"measured": value.value if value else None, "sd": None, "seeds": 0, "runs": ""}


def _text(value: Measured | Configured | None, metric: Metric, report: ExhibitReport) -> str:
    """Return the display form of a value, with which it is printed in every format."""
    if isinstance(value, Measured):
        return str(report.digits.form(value, metric))
    return value.value if value else ""


def _cost(value: Measured | Configured | None, report: ExhibitReport) -> dict[str, object]:
    """Return the cost of the runs behind a value, evaluations included; lines with the same runs repeat it."""
    runs = value.runs if isinstance(value, Measured) else ()
    usage = Usage.sum(report.usage[run] for run in runs).to_json()
    return {f"runs_{name}": usage[name] if runs else None for name in ("gpu_hours", "core_hours", "energy_joules")}


def to_json(report: ExhibitReport) -> dict[str, Any]:
    """Return the report as documented JSON (docs/results.md)."""
    return {
        "format": FORMAT,
        "paper": report.paper.name,
        report.exhibit.kind: report.exhibit.name,
        "title": report.exhibit.title,
        "scale": report.scale.name,
        "origin": report.origin,
        "answer": answer.to_json([report]),
        "comparable": report.scale.comparable,
        "note": report.scale.note,
        "stand_ins": [{"paper": data.paper, "used": data.used} for data in report.stand_ins],
        "feature_spaces": list(report.feature_spaces),
        "remarks": list(report.remarks),
        "stale": {run: list(names) for run, names in report.stale.items()},
        "coverage": {"measured": report.measured, "wanted": report.wanted},
        "verdict": report.verdict.word,
        "fails": fails_to_json(report.verdict),
        "verdicts": {verdict.value: count for verdict, count in report.verdict_counts.counts.items()},
        "rank_agreement": [_agreement(found) for found in report.agreements],
        "spent": {
            **Usage.sum(report.usage.values()).to_json(),
            "runs": {run: usage.to_json() for run, usage in report.usage.items()},
        },
        "rechecked": rechecked_json(report.rechecks),
        "left_out": _left_out(report),
        "rows": [
            {
                "section": row.row.section,
                "label": row.row.label,
                "key": row.row.key,
                "source": row.row.source,
                "sources": {cell.metric.key: cell.source for cell in row.cells},
                "cells": {cell.metric.key: _cell(cell, report) for cell in row.cells},
                "further": {cell.metric.key: _cell(cell, report) for cell in row.secondary},
            }
            for row in report.rows
        ],
        "claims": [claim_to_json(result, report) for result in report.claim_results],
    }


def _left_out(report: ExhibitReport) -> dict[str, list[str]]:
    """Return the rows that are not shown, by key, and the claims that need them."""
    whole = report.whole or report.exhibit
    return {
        "rows": [row.key for row in whole.rows if row not in report.exhibit.rows],
        "claims": [claim.says for claim in whole.claims if claim not in report.exhibit.claims],
    }


def json_text(report: ExhibitReport) -> str:
    """Return the report as JSON text."""
    return to_json_bytes(to_json(report), indent=2, inf_nan_mode="strings").decode() + "\n"


def _cell(cell: ReportCell, report: ExhibitReport) -> dict[str, Any]:
    return {
        "reported": as_printed(cell.reported),
        "reported_sd": cell.reported_sd,
        "reported_n": cell.reported_n,
        "measured_as": cell.labels.get(PAPER_PROTOCOL) or report.label(cell.metric),
        "measured": _measured(cell.measured, cell.metric, report) if cell.measured else None,
        "readings": {
            name: {**_measured(value, cell.metric, report), "measured_as": cell.labels[name]}
            for name, value in cell.readings.items()
        },
        **judgement_to_json(cell),
        "needs": str(cell.needs) if cell.needs else None,
    }


def _agreement(found: RankAgreement) -> dict[str, Any]:
    return {
        "metric": found.metric.key,
        "among": found.among.paper if found.among else "",
        "measured_as": found.measure,
        "group": found.group,
        "rows": found.rows,
        "kendall_tau_b": found.tau if isfinite(found.tau) else None,
        "p_value": found.p_value if isfinite(found.p_value) else None,
    }


def as_printed(value: Reported) -> float | str | None:
    """Return a reported value for JSON: words as a string."""
    return value.text if isinstance(value, Words) else value


def _measured(value: Measured | Configured, metric: Metric, report: ExhibitReport) -> dict[str, Any]:
    if isinstance(value, Configured):
        return {"configured": value.value}
    sd = value.sd if value.sd is not None and isfinite(value.sd) else None
    return {
        "mean": json_number(value.mean),
        "sd": sd,
        "text": _text(value, metric, report),
        "seeds": value.seeds,
        "values": {str(seed): json_number(of_seed) for seed, of_seed in zip(value.numbers, value.values, strict=True)},
        "runs": list(value.runs),
        "world_sizes": {run: list(report.world_sizes.get(run, ())) for run in value.runs},
    }


def json_number(value: float | None) -> float | str | None:
    """Replace NaN and infinities, which JSON lacks, by strings."""
    return value if value is None or isfinite(value) else str(value).replace("nan", "NaN")


def claim_to_json(result: ClaimResult, report: ExhibitReport) -> dict[str, Any]:
    """Return a claim with its status and evidence."""
    formulas = Formulas(result, report.exhibit, report.label)
    return {
        "says": result.claim.says,
        "where": result.claim.where,
        "abstract": result.claim.abstract,
        "status": result.status.value,
        "by_the_printed_values": result.printed.value if result.printed else None,
        "reason": reason(result, formulas),
        "presupposes": [
            {**finding_to_json(found, report.label), "values": list(map(json_number, found.measured))}
            for found in result.findings
        ],
        "values": [
            {"row": value.row, "metric": value.metric.key, "mean": json_number(value.mean), "seeds": value.seeds}
            for value in result.values
        ],
        "contrasts": [
            {
                "formula": formulas.formula(contrast_result.contrast),
                "estimate": contrast_result.estimate,
                "half_width_95": contrast_result.estimated.half_width(CONFIDENCE),
                "level": contrast_result.level,
                "half_width": contrast_result.half_width,
                "interval": list(contrast_result.interval),
                "low": None if abs(contrast_result.contrast.low) == float("inf") else contrast_result.contrast.low,
                "high": None if abs(contrast_result.contrast.high) == float("inf") else contrast_result.contrast.high,
                "status": contrast_result.status.value,
            }
            for contrast_result in result.contrasts
        ],
    }
