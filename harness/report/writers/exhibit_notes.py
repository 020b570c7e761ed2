"""Notes on an exhibit, shared by all writers: feature spaces, coverage, seeds, cost, tolerances, footnotes."""

from collections.abc import Sequence

from harness.advice import command
from harness.config.feature_spaces import INCEPTION_SHA256
from harness.registry.metrics import Metric
from harness.registry.tolerances import Allowance
from harness.report.results.cells import Measured, ReportCell, ReportRow
from harness.report.results.report import ExhibitReport
from harness.report.writers.between_rows import rank_agreement
from harness.report.writers.rechecked_text import recheck_notes
from harness.report.writers.verdict_notes import verdict_notes
from harness.report.writers.wording import span
from harness.store.code import describe_other_code
from harness.store.records import FeatureSpaceDetails
from harness.store.usage import Usage


def notes(report: ExhibitReport) -> list[str]:
    """Return the notes on an exhibit: feature spaces, coverage, seeds, cost, footnotes."""
    needs = [f"{need[0].upper()}{need[1:]}." for need in report.needs]
    return [*general_notes(report), *needs, *footnotes(report)]


def general_notes(report: ExhibitReport) -> list[str]:
    """Return the notes on the exhibit as a whole, without footnotes on single rows and cells."""
    sentences = [*rows_left_out(report), *recheck_notes(report)]
    described = [FeatureSpaceDetails.model_validate(space) for space in report.feature_spaces]
    spaces = [space for space in described if space.kind == "classifier"]
    if spaces:
        listed = ", ".join(map(_classifier, spaces))
        sentences.append(
            "FD and CS are the Fréchet distance and class score in the features of a small classifier of the data "
            f"(test accuracy: {listed}); they are not FID and IS."
        )
    if repeated := [space.data for space in spaces if sum(other.data == space.data for other in spaces) > 1]:
        sentences.append(
            f"Several classifiers of {', '.join(dict.fromkeys(repeated))} were in use, as on processors of several "
            "kinds: values in their features are not compared with each other."
        )
    sentences += [_inception_note(space) for space in described if space.kind == "inception"]
    sentences += [f"{remark}." for remark in report.remarks]
    if report.stale:
        sentences.append(_stale(report))
    if report.wanted:
        sentences.append(_coverage(report))
    sentences += _beside_printed(report)
    sentences += _several_ranks(report)
    if cost := str(Usage.sum(report.usage.values())):
        sentences.append(f"Cost of these runs so far, training and all evaluations: {cost}.")
    if report.agreements:
        sentences.append(rank_agreement(report))
    sentences += verdict_notes(report)
    if report.scale.comparable:
        sentences += tolerances(report)
    return sentences


def rows_left_out(report: ExhibitReport) -> list[str]:
    """Return which rows are shown, and how many claims need others, if not all are shown."""
    if report.whole is None:
        return []
    shown, claims = len(report.rows), len(report.whole.claims) - len(report.exhibit.claims)
    rows = f"{shown} of {len(report.whole.rows)} rows {'is' if shown == 1 else 'are'} shown"
    counted = "counts, cost, rank agreement and the best values in bold are of the rows shown"
    needing = f"; {claims} {'claim needs' if claims == 1 else 'claims need'} other rows" if claims else ""
    without = f"{needing} and {'is' if claims == 1 else 'are'} left out" if claims else ""
    return [f"{rows}: {counted}{without}."]


def _beside_printed(report: ExhibitReport) -> list[str]:
    """Return notes on the ± of the paper's values and their numbers of seeds, as far as the paper states them."""
    numbers = [(row, cell) for row in report.rows for cell in row.cells if isinstance(cell.reported, int | float)]
    sentences = []
    if any(cell.reported_sd is not None for _, cell in numbers):
        sentences.append("The ± of the paper's values is the standard deviation that it reports.")
    for seeds in sorted({cell.reported_n for _, cell in numbers if cell.reported_n}):
        over = f"over {seeds} seed{'s' if seeds > 1 else ''}"
        if all(cell.reported_n == seeds for _, cell in numbers):
            sentences.append(f"The paper's values are {over}.")
        else:
            sentences.append(f"The paper's values {over}: {_named(report, numbers, seeds)}.")
    return sentences


def _several_ranks(report: ExhibitReport) -> list[str]:
    """Return which values were computed by several ranks, if any were: their sums are rounded in another order."""
    found = []
    for row in report.rows:
        values = [cell.measured for cell in row.cells if isinstance(cell.measured, Measured)]
        seeds = {run: seed for value in values for run, seed in zip(value.runs, value.numbers, strict=True)}
        by_ranks: dict[str, list[str]] = {}
        for run, seed in seeds.items():
            if name := ranks(report, run):
                by_ranks.setdefault(name, []).append(str(seed))
        found += [
            f"{row.row.key}, seed{'s' if len(of) > 1 else ''} {', '.join(of)} ({name})" for name, of in by_ranks.items()
        ]
    return [f"Computed by several ranks, whose sums are rounded in another order: {'; '.join(found)}."] if found else []


def ranks(report: ExhibitReport, run: str) -> str:
    """Return the number of ranks that computed a run, such as `2 ranks`, or `1 and 2 ranks`; empty for one rank."""
    sizes = report.world_sizes.get(run, ())
    return f"{' and '.join(map(str, sizes))} ranks" if max(sizes, default=1) > 1 else ""


def _named(report: ExhibitReport, numbers: Sequence[tuple[ReportRow, ReportCell]], seeds: int) -> str:
    """Return the rows whose reported values are over this many seeds, with the metrics unless all are."""
    by_row: dict[str, list[ReportCell]] = {}
    for row, cell in numbers:
        by_row.setdefault(row.row.key, []).append(cell)
    named = []
    for key, cells in by_row.items():
        labels = [cell.metric.label for cell in cells if cell.reported_n == seeds]
        if labels:
            named.append(key if len(labels) == len(cells) else f"{key} ({', '.join(labels)})")
    return "; ".join(named)


def _stale(report: ExhibitReport) -> str:
    """Return which runs were measured with other code and, for the user's own results, how to rerun them."""
    says = describe_other_code(report.stale)
    them = "it" if len(report.stale) == 1 else "them"
    rerun = f": '{command(f'run {report.name} --scale {report.scale.name} --stale')}' reruns {them}"
    return f"{says}{'' if report.origin else rerun}."


def footnotes(report: ExhibitReport) -> list[str]:
    """Return the notes on rows, and why cells are expected to fail."""
    rows = [f"{row.row.key}: {row.row.note}" for row in report.rows if row.row.note]
    by_reason: dict[tuple[str, str], list[str]] = {}
    for cell in report.exhibit.expected:
        by_reason.setdefault((cell.row, cell.reason), []).append(report.label(cell.metric))
    expected = [
        f"{row}, {' and '.join(labels)}: expected to fail, {reason}" for (row, reason), labels in by_reason.items()
    ]
    return rows + expected


def tolerances(report: ExhibitReport) -> list[str]:
    """Return the parts of every tolerance, once for metrics that share it."""
    labels: dict[str, list[str]] = {}
    for metric in report.exhibit.metrics:
        if rule := report.paper.tolerances.get(metric.key):
            parts = " + ".join(f"{_allowance(part, metric)} ({part.why})" for part in rule.parts)
            labels.setdefault(parts, []).append(report.label(metric))
    return [f"Tolerance of {', '.join(dict.fromkeys(of))}: {parts}." for parts, of in labels.items()]


def _allowance(part: Allowance, metric: Metric) -> str:
    unit = f" {metric.unit}" if metric.unit else ""
    sizes = [f"{part.absolute:g}{unit}"] if part.absolute else []
    sizes += [f"{100 * part.relative:g} % of the value"] if part.relative else []
    sizes += [f"{part.at_half:g}{unit} at 50 %, less towards 0 and 100 %"] if part.at_half else []
    return " + ".join(sizes) or f"0{unit}"


def _classifier(space: FeatureSpaceDetails) -> str:
    return f"{space.data} ({'unknown' if space.test_accuracy is None else f'{space.test_accuracy:.1f}'} %)"


def _inception_note(space: FeatureSpaceDetails) -> str:
    """Return a note on the weights of a feature space: only the published ones give FID and IS."""
    sha256 = space.weights_sha256
    made = f"features of {space.data} by {space.library}, weights {sha256[:8]}"
    if sha256 == INCEPTION_SHA256:
        return f"FID and IS: {made}, as published."
    return f"FD and CS (inception {sha256[:8]}): {made}, which are not the published ones; they are not FID and IS."


def _coverage(report: ExhibitReport) -> str:
    coverage = f"{report.measured} of {report.wanted} cells are measured"
    seeds = sorted({row.seeds for row in report.rows if row.seeds})
    if not seeds:
        return f"{coverage}."
    if several := [number for number in seeds if number > 1]:
        where = "" if several == seeds else ", where there are as many"
        return f"{coverage}; ± is the standard deviation over {span(several[0], several[-1])} seeds{where} (ddof 1)."
    by_declared = any(result.declared for result in report.claim_results)
    used = "claims use the declared one" if by_declared else "it is unknown"
    return f"{coverage}, with one seed: the values do not show the spread between seeds; {used}."
