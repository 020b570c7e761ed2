"""How values read: one place for numbers, headings and sentences, shared by all writers."""

from math import inf

from harness.report.build import Measured, ReportCell, ReportRow, TableReport
from harness.report.claims import Decision
from harness.report.verdicts import Verdict
from harness.spec.metrics import Metric

DASH = "-"


def measured(value: Measured | None, metric: Metric) -> str:
    """Return a mean, with the standard deviation where there are several seeds."""
    if value is None:
        return ""
    text = metric.measured(value.mean)
    return text if value.sd is None else f"{text} ± {metric.measured(value.sd)}"


def headings(report: TableReport) -> list[str]:
    """Return the column headings: for each metric the paper's and the measured value."""
    columns = ["Model"]
    for metric in report.table.metrics:
        unit = f" {metric.unit}" if metric.unit else ""
        columns += [f"{metric.label}{unit} (paper)", f"{report.labels.get(metric.key, metric.label)}{unit}"]
    return [*columns, "seeds", *(["verdict"] if report.scale.comparable else [])]


def line(report: TableReport, row: ReportRow) -> list[str]:
    """Return the texts of a row, in the order of the headings; verdicts stand where values are compared."""
    texts = [row.row.label]
    for cell in row.cells:
        texts += [cell.metric.reported(cell.reported), _measured_or_gap(cell)]
    return [*texts, str(row.seeds or ""), *([verdict(row)] if report.scale.comparable else [])]


def lines(report: TableReport) -> list[list[str]]:
    """Return the texts of all rows; a section begins with a line that holds its name alone."""
    found, section = [], ""
    for row in report.rows:
        if row.row.section != section:
            section = row.row.section
            found.append([section, *[""] * (len(headings(report)) - 1)])
        found.append(line(report, row))
    return found


def verdict(row: ReportRow) -> str:
    """Return the verdicts of a row in a few words: each kind once, counted where it occurs more often."""
    kinds = [cell.verdict for cell in row.cells if cell.verdict is not Verdict.NOT_REPORTED]
    order = [Verdict.FAIL, Verdict.PASS, Verdict.MISSING, Verdict.NOT_COMPARED, Verdict.CITED]
    if len(set(kinds)) <= 1:
        return kinds[0].value if kinds else DASH
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in order if kind in kinds)


def title(report: TableReport) -> str:
    """Return the table's heading."""
    return f"Table {report.table.number}: {report.table.title} ({report.paper.name}, scale {report.scale.name})"


def notes(report: TableReport) -> list[str]:
    """Return what a reader must know of the values: feature spaces, coverage, seeds, footnotes."""
    sentences = []
    seeds = sorted({row.seeds for row in report.rows if row.seeds})
    if report.features and report.features.get("kind") == "classifier":
        data, accuracy = report.features["data"], report.features["test_accuracy"]
        sentences.append(
            f"FD and CS are a Fréchet distance and a class score in the features of a small classifier of the {data} "
            f"(test accuracy {accuracy:.1f} %); they are not FID and IS."
        )
    coverage = f"{report.measured} of {report.wanted} cells are measured"
    if seeds and seeds[-1] > 1:
        sentences.append(f"{coverage}; ± is the standard deviation over {_range(seeds)} seeds (ddof 1).")
    else:
        sentences.append(f"{coverage}, with one seed: the spread between seeds is not in the values.")
    sentences += [f"{row.row.key}: {row.row.note}" for row in report.rows if row.row.note]
    return sentences


def claim_evidence(decision: Decision, labels: dict[str, str]) -> str:
    """Return the measured values that decide a claim, and what keeps it from being decided."""
    by_metric: dict[Metric, list[str]] = {}
    for value in decision.values:
        by_metric.setdefault(value.metric, []).append(f"{value.row} {value.metric.measured(value.mean)}")
    parts = [f"{labels.get(metric.key, metric.label)}: {', '.join(values)}" for metric, values in by_metric.items()]
    intervals = [
        f"{finding.estimate:+.2f} ± {finding.half_width:.2f} {_bounds(finding.contrast.low, finding.contrast.high)}"
        for finding in decision.findings
    ]
    if intervals:
        parts.append(f"Differences: {'; '.join(intervals)}")
    if decision.reason:
        parts.append(decision.reason[0].upper() + decision.reason[1:])
    return ". ".join(parts)


def _bounds(low: float, high: float) -> str:
    if low == -inf:
        return f"(claimed < {high:g})"
    if high == inf:
        return f"(claimed > {low:g})"
    return f"(claimed {low:g} to {high:g})"


def _measured_or_gap(cell: ReportCell) -> str:
    if cell.measured is None:
        return "..." if cell.verdict is Verdict.MISSING else DASH
    return measured(cell.measured, cell.metric)


def _range(seeds: list[int]) -> str:
    return str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
