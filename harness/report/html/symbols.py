"""Marks of verdicts and statuses: a word, a symbol and a colour, so that colour is never the only cue."""

from dataclasses import dataclass

from harness.report.results.claims import ClaimStatus
from harness.report.results.verdicts import Verdict


@dataclass(frozen=True)
class Mark:
    """A word, the name of its symbol in the page's sprite, its tone (the colour), and its meaning."""

    word: str
    symbol: str
    tone: str
    means: str

    def counted(self, count: int) -> str:
        """Return a number with the word, such as `29 hold`."""
        status = next((status for status in ClaimStatus if status == self.word), None)
        return status.counted(count) if status else f"{count} {self.word}"


MARKS = {
    mark.word: mark
    for mark in (
        Mark(
            Verdict.FAIL,
            "cross",
            "bad",
            "the difference exceeds the tolerance and the 95 % prediction interval, or a value is not finite; "
            "with one seed and no known spread, the tolerance alone decides",
        ),
        Mark(Verdict.XPASS, "surprise", "odd", "within the tolerance although a failure was expected"),
        Mark(
            Verdict.INCONCLUSIVE,
            "unsure",
            "some",
            "the difference exceeds the tolerance, but not the 95 % prediction interval of another seed",
        ),
        Mark(
            Verdict.PASS,
            "check",
            "good",
            "the difference is within the tolerance; closely: so is the whole 90 % interval of the mean",
        ),
        Mark(Verdict.XFAIL, "expected", "odd", "exceeds the tolerance, as expected; the reason is stated"),
        Mark(Verdict.PARTIAL, "half", "some", "not all requested seeds are measured"),
        Mark(Verdict.MISSING, "empty", "none", "not measured yet"),
        Mark(Verdict.NOT_COMPARED, "dash", "none", "not comparable at this scale, for this metric, or with words"),
        Mark(Verdict.UNCERTAIN, "quote", "none", "the paper does not say who measured the value"),
        Mark(Verdict.CITED, "quote", "none", "the paper cites the value"),
        Mark(Verdict.NOT_REPORTED, "dash", "none", "the paper prints no value; such cells are not counted"),
        Mark(ClaimStatus.HOLDS, "check", "good", "the 95 % interval of every difference is within the claim's bounds"),
        Mark(ClaimStatus.FAILS, "cross", "bad", "the 95 % interval of a difference is outside the claim's bounds"),
        Mark(ClaimStatus.UNDECIDED, "unsure", "some", "an interval crosses a bound, or values are missing"),
        Mark(ClaimStatus.BEYOND, "beyond", "none", "the scale lacks what the claim presupposes, as stated"),
    )
}
"""By word: verdicts of cells first, worst first, then statuses of claims."""
