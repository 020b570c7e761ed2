"""Verdicts with their evidence, for programs."""

from typing import Any

from harness.report.results.cells import ReportCell
from harness.report.results.table_verdict import TableVerdict
from harness.report.results.verdicts import Judgement

COLUMNS = (
    "low_95",
    "high_95",
    "predicted_low_95",
    "predicted_high_95",
    "p_value",
    "difference",
    "tolerance",
    "verdict",
    "beside_verdict",
)


def judged_columns(cell: ReportCell, protocol: str) -> dict[str, object]:
    """Return the judgement of the value by the paper's protocol; other protocols are not judged."""
    if protocol:
        return dict.fromkeys(COLUMNS)
    judgement, statistics = cell.judgement, cell.statistics
    intervals = (statistics.interval, statistics.prediction) if statistics else (None, None)
    bounds = [bound for interval in intervals for bound in interval or (None, None)]
    p_value = statistics.p_value if statistics else None
    evidence = (*bounds, p_value, judgement.difference, judgement.tolerance)
    return dict(zip(COLUMNS, (*evidence, judgement.verdict.value, judgement.qualifier), strict=True))


def judgement_to_json(cell: ReportCell) -> dict[str, Any]:
    """Return the judgement of a cell: verdict, difference and tolerance, intervals and test, with their reasons."""
    judgement, statistics = cell.judgement, cell.statistics
    return {
        "verdict": judgement.verdict.value,
        "closely": judgement.closely,
        "one_seed": judgement.by_tolerance_alone,
        "difference": judgement.difference,
        "tolerance": judgement.tolerance,
        "tolerance_is": list(judgement.parts),
        "reason": judgement.reason,
        "interval_95": list(statistics.interval) if statistics and statistics.interval else None,
        "prediction_95": list(statistics.prediction) if statistics and statistics.prediction else None,
        "p_value": statistics.p_value if statistics else None,
        "test": statistics.test if statistics else None,
        "spread": _spread(judgement),
        "chance_of_fail": judgement.chance_of_fail,
    }


def fails_to_json(verdict: TableVerdict) -> dict[str, Any]:
    """Return how many cells FAIL, how many of an honest rerun would, and why the exhibit is FAIL."""
    return {
        "cells": verdict.fails,
        "of": verdict.cells,
        "expected": verdict.expected,
        "at_most": verdict.at_most,
        "known": verdict.known,
        "one_seed": verdict.one_seed,
        "because": list(verdict.because),
    }


def _spread(judgement: Judgement) -> dict[str, float] | None:
    """Return the standard deviation between seeds by which a cell is judged, with its degrees of freedom."""
    prediction = judgement.prediction
    return {"sd": prediction.sd, "df": prediction.df} if prediction and prediction.sd else None
