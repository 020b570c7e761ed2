"""Rechecks in words: how far other people's libraries agree with recorded numbers, and the numbers that they deny."""

from collections.abc import Iterator
from itertools import groupby

from harness.report.results.rechecked import Agreement, Rechecks, agreement, agreement_of
from harness.report.results.report import ExhibitReport
from harness.report.writers.wording import counted
from harness.store.rechecks import RecheckedValue

MOST_NAMED = 5
"""The largest number of differing numbers that is listed instead of counted."""
FEWEST_DIGITS, MOST_DIGITS = 4, 17
"""Significant digits of a recorded number beside a recomputed one: as many as tell them apart."""


def differences(found: Agreement) -> str:
    """Return how many numbers differ."""
    return f"{found.differing or 'none'} {'differ' if found.differing > 1 else 'differs'} by more than rounding"


def largest_differences(found: Agreement) -> str:
    """Return the largest difference from the numbers of each library, such as `numpy 2.4.6 to 2e-13`."""
    return ", ".join(f"{name} to {_size(difference)}" for name, (_, difference) in found.libraries.items())


def rechecked(runs: Rechecks) -> str:
    """Return a sentence on the rechecks of some runs, empty if there are none."""
    found = agreement_of(runs)
    if not found.numbers:
        return ""
    count = sum(map(bool, runs.values()))
    whose = f"{count} runs" if count == len(runs) else f"{count} of {len(runs)} runs"
    return f"{found.numbers:,} numbers of {whose} rechecked: {largest_differences(found)}; {differences(found)}"


def recheck_notes(report: ExhibitReport) -> list[str]:
    """Return a sentence on the numbers of an exhibit that differ by more than rounding, none if all agree."""
    records = _records(report)
    found = agreement(report.rechecks[run][evaluation].values for run, evaluation in records)
    if not found.differing:
        return []
    named = [
        text for (run, evaluation), whose in records.items() for text in _differing(report, run, evaluation, whose)
    ]
    more = [f"and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    verb, them = ("differs", "it") if found.differing == 1 else ("differ", "them")
    count = f"{found.differing} of {counted(found.numbers, 'number', 'numbers')} {verb} by more than rounding"
    return [f"Recheck: {count} ({'; '.join(named[:MOST_NAMED] + more)}); claims that use {them} may be wrong."]


def _records(report: ExhibitReport) -> dict[tuple[str, str], list[str]]:
    """Return the rechecked records of an exhibit by run and evaluation, each with the rows and seeds that it is of."""
    found: dict[tuple[str, str], list[str]] = {}
    for (row, *_), series in report.series.items():
        for seed, run in zip(series.seeds, series.runs, strict=True):
            if series.evaluation in report.rechecks.get(run, {}):
                whose = f"{row}, seed {seed}" if len(series.seeds) > 1 else row
                names = found.setdefault((run, series.evaluation), [])
                names += [whose] if whose not in names else []
    return found


def _differing(report: ExhibitReport, run: str, evaluation: str, whose: list[str]) -> Iterator[str]:
    """Yield the differing numbers of a record: `GenViT, bits/dim: recorded 4.118, recomputed 5.118 by numpy`."""
    values = [value for value in report.rechecks[run][evaluation].values if not value.agrees]
    labels = {
        metric.quantity: report.label(metric)
        for metric in (*report.shown, *report.exhibit.metrics)
        if any(of.evaluation == evaluation and key == metric.key for (_, key, _), of in report.series.items())
    }
    for quantity, of_quantity in groupby(
        sorted(values, key=lambda value: value.quantity), lambda value: value.quantity
    ):
        several = list(of_quantity)
        label = labels.get(quantity, quantity.replace("_", " "))
        recorded, recomputed = _told_apart(several)
        yield f"{' and '.join(whose)}, {label}: recorded {recorded}, recomputed {recomputed}"


def _told_apart(values: list[RecheckedValue]) -> tuple[str, str]:
    """Return a recorded number, and the recomputed ones with their libraries."""
    recorded = values[0].recorded

    def text(number: float, digits: int) -> str:
        return f"{number:.{digits}g}".replace("nan", "NaN")

    shown = next(
        (
            digits
            for digits in range(FEWEST_DIGITS, MOST_DIGITS)
            if all(text(recorded, digits) != text(value.recomputed, digits) for value in values)
        ),
        MOST_DIGITS,
    )
    recomputed = [f"{text(value.recomputed, shown)} by {value.by.rpartition(' ')[0] or value.by}" for value in values]
    return text(recorded, shown), " and ".join(recomputed)


def _size(difference: float) -> str:
    return f"{difference:.0e}".replace("e-0", "e-") if difference else "the bit"
