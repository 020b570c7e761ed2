"""Prints rechecks: a table of recorded and recomputed numbers, the reasons for all others, and a summary."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tabulate import tabulate

from harness.recheck.runs import RecheckedRun
from harness.report.results.rechecked import Agreement, agreement, libraries_json
from harness.report.writers.csv_json import json_number
from harness.report.writers.rechecked_text import differences, largest_differences
from harness.report.writers.wording import counted
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
    found: dict[str, set[tuple[str, str, str]]] = {}
    mends: dict[str, str] = {}
    for run in runs:
        for record in run.records:
            for name, reason in record.comparison.left_out.items():
                found.setdefault(reason.why, set()).add((run.id, record.id, name.partition(" by ")[0]))
                mends.setdefault(reason.why, reason.mend)
    lines = []
    for why, numbers in found.items():
        which = f"{counted(len(numbers), 'number', 'numbers')} of {_few(sorted({run for run, *_ in numbers}))}"
        lines.append(f"not recomputed: {why} ({which}){f': {mends[why]}' if mends[why] else ''}")
    return lines


def summary(runs: Sequence[RecheckedRun]) -> str:
    """Return the number of recomputed numbers, how many differ, the largest by library, and the damaged runs."""
    found, damaged = overall(runs), sum(bool(run.problems) for run in runs)
    recomputed = sum(any(record.comparison.values for record in run.records) for run in runs)
    of = counted(recomputed if found.numbers else len(runs), "run", "runs")
    says = f"{counted(found.numbers, 'number', 'numbers')} of {of} recomputed"
    if found.numbers == 1 and not found.differing:
        says += f", it agrees with the record: {largest_differences(found)}"
    elif found.numbers:
        says += f", {differences(found)}: {largest_differences(found)}"
    return f"{says}; {counted(damaged, 'run is', 'runs are')} damaged" if damaged else says


def overall(runs: Iterable[RecheckedRun]) -> Agreement:
    """Return the largest differences of all runs."""
    return agreement(record.comparison.values for run in runs for record in run.records)


def to_json(runs: Sequence[RecheckedRun]) -> dict[str, Any]:
    """Return everything as JSON; numbers that are not finite are words."""
    found = overall(runs)
    return {
        "differing": found.differing,
        "numbers": found.numbers,
        "libraries": libraries_json(found),
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


def _few(runs: Sequence[str]) -> str:
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"
