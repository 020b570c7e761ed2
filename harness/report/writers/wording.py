"""Titles and names in reports, shared by all writers."""

from collections.abc import Iterable

from harness.registry.claims import Claim
from harness.registry.exhibit import plots_of
from harness.registry.row import Row
from harness.report.results.report import ExhibitReport


def title(report: ExhibitReport) -> str:
    """Return the exhibit's heading with its subject and scale."""
    return f"{heading(report)}: {subject(report)} ({_whose(report)}, scale {report.scale.name})"


def heading(report: ExhibitReport) -> str:
    """Return the paper's name of an exhibit, such as `Table 6` or `Table 5 (schedules)`."""
    exhibit = report.exhibit
    return f"{exhibit.kind.capitalize()} {exhibit.number}" + (f" ({exhibit.variant})" if exhibit.variant else "")


def location(claim: Claim) -> str:
    """Return where the paper makes a claim, such as `abstract, §5.1`."""
    return ", ".join(filter(None, ["abstract" * claim.abstract, claim.where]))


def subject(report: ExhibitReport) -> str:
    """Return the exhibit's title, with the stand-ins for its data and its class in brackets."""
    found = [*map(str, report.stand_ins), *filter(None, [class_shown(report)])]
    return f"{report.exhibit.title} [{', '.join(found)}]" if found else report.exhibit.title


def class_shown(report: ExhibitReport) -> str:
    """Return the class of stand-in data that a figure shows and the paper's class; empty if there is none."""
    shown = {found for plot in plots_of(report.exhibit).values() if (found := plot.class_shown)}
    if len(shown) != 1 or not any(data.is_stand_in for data in report.data(row.row for row in report.rows)):
        return ""
    ((index, name),) = shown
    return f"class {index} for {name}"


def with_data(report: ExhibitReport, name: str, rows: Iterable[Row]) -> str:
    """Return the name of rows, with the stand-in for their data if the exhibit has several datasets.

    The stand-in follows the name of the dataset: `CIFAR10 → digits`, and else in parentheses.
    """
    found = report.data(rows)
    if not any(data.is_stand_in for data in found) or len(report.data(row.row for row in report.rows)) == 1:
        return name
    if len(found) == 1 and _letters(name) == _letters(found[0].paper):
        return f"{name} → {found[0].used}"
    return f"{name} ({', '.join(map(str, found))})"


def with_outliers(report: ExhibitReport, label: str, measured_as: str) -> str:
    """Return a metric's label, followed by the stand-in for its outliers if the values are named after it."""
    return f"{label} → {measured_as}" if measured_as in {data.used for data in report.stand_ins} else label


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _whose(report: ExhibitReport) -> str:
    return f"{report.paper.name}, {report.origin}" if report.origin else report.paper.name


def caption(report: ExhibitReport) -> str:
    """Return the heading for a document that numbers its own tables and figures."""
    exhibit, scale = report.exhibit, report.scale.name
    origin = f", {report.origin}" if report.origin else ""
    return f"{subject(report)} ({report.paper.name} {exhibit.kind} {exhibit.number}{origin}, scale {scale})"


def span(fewest: object, most: object) -> str:
    """Return a range of numbers, or one number if they are equal."""
    return str(fewest) if fewest == most else f"{fewest} to {most}"


def levels(reports: Iterable[ExhibitReport]) -> str:
    """Return the levels of the intervals that decide claims, such as `95 %`; `95 % to 98.94 %` if they differ."""
    found = sorted({report.level for report in reports if report.claim_results})
    return span(*(f"{100 * level:.4g}\u00a0%" for level in (found[0], found[-1]))) if found else ""


def counted(count: int, one: str, several: str) -> str:
    """Return a number with its noun or verb, such as `1 run` and `2 runs`."""
    return f"{count} {one if count == 1 else several}"
