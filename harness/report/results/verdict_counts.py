"""Counts of cells by verdict, for an exhibit or a whole paper."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from harness.report.results.verdicts import Verdict

WORST_FIRST = tuple(Verdict)
COMPARED = (Verdict.FAIL, Verdict.XPASS, Verdict.PASS, Verdict.XFAIL)


@dataclass(frozen=True)
class VerdictCounts:
    """Numbers of cells by verdict."""

    counts: Mapping[Verdict, int]

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Self:
        """Count verdicts, except of cells that the paper does not report."""
        found = [verdict for verdict in verdicts if verdict is not Verdict.NOT_REPORTED]
        return cls({verdict: found.count(verdict) for verdict in WORST_FIRST if verdict in found})

    @classmethod
    def sum(cls, parts: Iterable[Self]) -> Self:
        """Return the counts of several exhibits together."""
        parts = list(parts)
        sums = {verdict: sum(part.counts.get(verdict, 0) for part in parts) for verdict in WORST_FIRST}
        return cls({verdict: count for verdict, count in sums.items() if count})

    @property
    def cells(self) -> int:
        """The number of cells that the paper reports."""
        return sum(self.counts.values())

    @property
    def verdict(self) -> str:
        """The overall verdict, by the worst cell.

        FAIL if a cell fails or passes against expectation, MISSING if nothing is measured, PARTIAL if something is
        not measured yet, PASS if everything compared came out as expected, `not compared` if nothing was compared.
        """
        has = self.counts.get
        if has(Verdict.FAIL) or has(Verdict.XPASS):
            return "FAIL"
        measured = {*COMPARED, Verdict.PARTIAL, Verdict.NOT_COMPARED, Verdict.UNCERTAIN}
        if has(Verdict.MISSING) and not any(has(verdict) for verdict in measured):
            return "MISSING"
        if has(Verdict.MISSING) or has(Verdict.PARTIAL):
            return "PARTIAL"
        return "PASS" if any(has(verdict) for verdict in COMPARED) else Verdict.NOT_COMPARED.value

    def __str__(self) -> str:
        """Format the counts as `1 FAIL, 12 PASS`, worst first."""
        return ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
