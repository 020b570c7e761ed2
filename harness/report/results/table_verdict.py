"""The verdict on a table or figure, by as many FAILs as an honest rerun would have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from harness.report.results.statistics import ALPHA
from harness.report.results.verdict_counts import COMPARED, VerdictCounts
from harness.report.results.verdicts import Judgement, Verdict

EACH = ALPHA / 2
"""The probability with which an honest rerun exceeds each of two limits: on the number of FAILs, and on one of them."""
COULD_FAIL = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
"""Verdicts on cells that may fail; an expected failure is none."""
MEASURED = (*COMPARED, Verdict.PARTIAL, Verdict.NOT_COMPARED, Verdict.UNCERTAIN)


@dataclass(frozen=True)
class TableVerdict:
    """The verdict on an exhibit.

    `word` is FAIL, MISSING (nothing is measured), PARTIAL (something is not measured yet), PASS, INCONCLUSIVE (nothing
    that was compared is PASS or XFAIL) or `not compared`. `fails` of `cells` compared cells are FAIL. An honest rerun
    would have `expected` of them on average and rarely more than `at_most`: both are over the `known` cells, whose
    spread between seeds is known, and None if there are none. `one_seed` cells have one seed and no known spread.
    `because` has the reasons for FAIL.
    """

    word: str
    fails: int = 0
    cells: int = 0
    known: int = 0
    one_seed: int = 0
    expected: float | None = None
    at_most: int | None = None
    because: tuple[str, ...] = ()

    @classmethod
    def of(cls, judgements: Iterable[Judgement]) -> Self:
        """Return the verdict on the exhibit with these judgements of its cells.

        It is FAIL if more cells are FAIL than in 97.5 % of honest reruns, or if one differs by more than the most
        extreme of so many does in 97.5 %, so that an honest rerun is FAIL in 5 % at most. It is FAIL, too, with an
        XPASS, and with a FAIL that no noise explains (of a value that is not finite or exact, or of a setting) or
        whose noise is unknown (one seed).
        """
        found = list(judgements)
        could = [one for one in found if one.verdict in COULD_FAIL]
        fails = [one for one in could if one.verdict is Verdict.FAIL]
        known = [one for one in could if one.prediction and one.prediction.sd]
        chances = [chance for one in known if (chance := one.chance_of_fail) is not None]
        most = most_fails(chances) if chances else None
        because = _because(found, fails, known, most or 0)
        return cls(
            word="FAIL" if because else _by_counts(VerdictCounts.of(one.verdict for one in found)),
            fails=len(fails),
            cells=len(could),
            known=len(known),
            one_seed=sum(one.by_tolerance_alone for one in could),
            expected=sum(chances) if chances else None,
            at_most=most,
            because=because,
        )

    def __str__(self) -> str:
        """Format the count as `3 of 36 FAIL; about 1.8 expected of an honest rerun, at most 4`; empty without cells."""
        if not self.cells:
            return "; ".join(self.because)
        parts = [f"{self.fails} of {self.cells} FAIL"]
        if self.expected is not None:
            expected = f"about {self.expected:.1f}" if self.expected >= 0.05 else "less than 0.1"
            of = f" of {self.known} cells" if self.one_seed else ""
            parts.append(f"{expected} expected of an honest rerun{of}, at most {self.at_most}")
        if self.one_seed:
            which = f"{self.one_seed} with one seed" if self.known else "one seed"
            parts.append(f"{which}: no expectation")
        return "; ".join([*parts, *self.because])


def most_fails(chances: Sequence[float]) -> int:
    """Return the number of FAILs that independent cells with these chances rarely exceed."""
    probabilities = [1.0]  # of 0, 1, ... FAILs (the Poisson binomial distribution)
    for chance in chances:
        with_it, without = [0.0, *(chance * p for p in probabilities)], [(1 - chance) * p for p in probabilities]
        probabilities = [a + b for a, b in zip(with_it, [*without, 0.0], strict=True)]
    most, below = 0, probabilities[0]
    while below < 1 - EACH - 1e-12:
        most += 1
        below += probabilities[most]
    return most


def _because(
    found: Sequence[Judgement], fails: Sequence[Judgement], known: Sequence[Judgement], most: int
) -> tuple[str, ...]:
    """Return the reasons for FAIL."""
    noisy = [one for one in known if one.verdict is Verdict.FAIL]
    limit = EACH / len(known) if known else 0.0
    far = [one for one in noisy if one.prediction and one.prediction.p_value(one.difference or 0.0) < limit]
    one_seed = sum(one.by_tolerance_alone for one in fails)
    other = len(fails) - len(noisy) - one_seed
    xpass = sum(one.verdict is Verdict.XPASS for one in found)
    reasons = (
        (len(noisy) > most, f"{len(noisy)} FAIL are more than {most}"),
        (bool(far), f"{len(far)} beyond the limit for the largest of {len(known)} differences"),
        (bool(one_seed), f"{one_seed} FAIL with one seed"),
        (bool(other), f"{other} FAIL that no noise explains"),
        (bool(xpass), f"{xpass} XPASS"),
    )
    return tuple(says for holds, says in reasons if holds)


def _by_counts(counts: VerdictCounts) -> str:
    has = counts.counts.get
    if has(Verdict.MISSING) and not any(map(has, MEASURED)):
        return "MISSING"
    if has(Verdict.MISSING) or has(Verdict.PARTIAL):
        return "PARTIAL"
    if has(Verdict.PASS) or has(Verdict.XFAIL):
        return "PASS"
    return Verdict.INCONCLUSIVE.value if any(map(has, COMPARED)) else Verdict.NOT_COMPARED.value
