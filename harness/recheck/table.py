"""Prints rechecks: a table of recorded and recomputed numbers, the reasons for all others, and a summary."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tabulate import tabulate

from harness.recheck.runs import RecheckedRun
from harness.report.results.rechecked import Agreement, agreement
from harness.report.writers.csv_json import json_number
from harness.store.rechecks import RecheckedValue

HEADINGS = ("run", "evaluation", "metric", "recorded", "recomputed", "by", "difference", "tolerance")


def table(runs: Sequence[RecheckedRun]) -> str:
    """Return one line for each recomputed number, marked where it differs."""
    lines = [
        [run.id, record.id, record.labels.get(value.quantity, value.quantity), *_printed(value)]
        for run in runs
        for record in run.records
        for value in record.comparison.values
    ]
    return tabulate(lines, HEADINGS, disable_numparse=True, stralign="left") if lines else ""


def reasons(runs: Sequence[RecheckedRun]) -> list[str]:
    """Return a line for each reason why numbers were not recomputed, with their number and the mend."""
    found: Counter[tuple[str, str]] = Counter()
    whose: dict[tuple[str, str], dict[str, None]] = {}
    for run in runs:
        for record in run.records:
            for reason in record.comparison.left_out.values():
                key = (reason.why, reason.mend.replace(run.id, "RUN"))
                found[key] += 1
                whose.setdefault(key, {})[run.id] = None
    return [
        f"not recomputed: {why} ({_count(found[why, mend], 'number')} of {_few(list(whose[why, mend]))})"
        + (f": {mend.replace('RUN', next(iter(whose[why, mend])))}" if mend else "")
        for why, mend in found
    ]


def summary(runs: Sequence[RecheckedRun]) -> str:
    """Return the number of recomputed numbers, the largest difference by library, and how many differ."""
    found = overall(runs)
    differ = f"{_count(found.differing, 'number')} {'differs' if found.differing == 1 else 'differ'}"
    return f"{_count(found.numbers, 'number')} of {_count(len(runs), 'run')} recomputed, {differ}: {found}"


def overall(runs: Iterable[RecheckedRun]) -> Agreement:
    """Return the largest differences of all runs."""
    return agreement(record.comparison.values for run in runs for record in run.records)


def to_json(runs: Sequence[RecheckedRun]) -> dict[str, Any]:
    """Return everything as JSON; numbers that are not finite are words."""
    found = overall(runs)
    return {
        "differing": found.differing,
        "libraries": [
            {"name": name, "numbers": count, "largest_difference": json_number(difference)}
            for name, (count, difference) in found.libraries.items()
        ],
        "runs": [
            {
                "run": run.id,
                "name": run.name,
                "problems": [
                    {"file": str(each.path), "problem": each.problem, "mend": each.mend} for each in run.problems
                ],
                "values": list(_values(run)),
                "not_recomputed": [
                    {"evaluation": record.id, "quantity": name, "why": reason.why, "mend": reason.mend}
                    for record in run.records
                    for name, reason in record.comparison.left_out.items()
                ],
            }
            for run in runs
        ],
    }


def _values(run: RecheckedRun) -> Iterator[dict[str, Any]]:
    for record in run.records:
        for value in record.comparison.values:
            yield {
                "evaluation": record.id,
                "quantity": value.quantity,
                "label": record.labels.get(value.quantity),
                "recorded": json_number(value.recorded),
                "recomputed": json_number(value.recomputed),
                "by": value.by,
                "difference": json_number(value.difference),
                "tolerance": json_number(value.tolerance),
                "agrees": value.agrees,
            }


def _printed(value: RecheckedValue) -> Iterator[str]:
    yield from (f"{number:.12g}" for number in (value.recorded, value.recomputed))
    yield value.by
    yield f"{value.difference:.1e}" + ("" if value.agrees else "  DIFFERS") if value.difference else "0"
    yield f"{value.tolerance:.0e}"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _few(runs: Sequence[str]) -> str:
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"
