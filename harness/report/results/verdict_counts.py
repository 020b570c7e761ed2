"""Counts of cells by verdict, for an exhibit or a whole paper."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from harness.report.results.verdicts import Verdict

WORST_FIRST = tuple(Verdict)
COMPARED = (Verdict.FAIL, Verdict.XPASS, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.XFAIL)


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

    def __str__(self) -> str:
        """Format the counts as `1 FAIL, 12 PASS`, worst first."""
        return ", ".join(f"{count} {verdict}" for verdict, count in self.counts.items())
