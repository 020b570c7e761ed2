"""Notes on the verdicts of an exhibit: counts, how many FAILs an honest rerun would have, and words beside verdicts."""

from harness.report.results.report import ExhibitReport
from harness.report.results.verdicts import Verdict


def verdict_notes(report: ExhibitReport) -> list[str]:
    """Return the counts of cells and the verdict with its reasons, as far as there is something to say."""
    counts, verdict = report.verdict_counts, report.verdict
    if len(counts.counts) < 2 and not report.scale.comparable:
        return []
    says = f" {verdict}." if str(verdict) else ""
    notes = [f"Cells by verdict: {counts}.", f"Verdict of the {report.exhibit.kind}: {verdict.word}.{says}"]
    judgements = [cell.judgement for row in report.rows for cell in row.cells]
    if any(one.verdict is Verdict.INCONCLUSIVE for one in judgements):
        notes.append("INCONCLUSIVE: outside the tolerance, inside the 95 % prediction interval of another seed.")
    if any(one.closely for one in judgements):
        notes.append("Closely: the 90 % interval of the mean lies within the tolerance (two one-sided tests at 5 %).")
    if any(one.by_tolerance_alone for one in judgements):
        notes.append("One seed: no spread is known, and the tolerance alone decides.")
    return notes
