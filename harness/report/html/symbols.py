"""The marks of verdicts and statuses: a word, a symbol and a colour, so that colour never stands alone."""

from dataclasses import dataclass

from harness.report.results.claims import ClaimStatus
from harness.report.results.verdicts import Verdict


@dataclass(frozen=True)
class Mark:
    """A word, the name of its symbol in the page's sprite, its tone (the colour), and what it means."""

    word: str
    symbol: str
    tone: str
    means: str


MARKS = {
    mark.word: mark
    for mark in (
        Mark(Verdict.FAIL, "cross", "bad", "the difference is beyond the tolerance, or a value is not finite"),
        Mark(Verdict.XPASS, "surprise", "odd", "within the tolerance, where a failure was expected"),
        Mark(Verdict.PASS, "check", "good", "the difference is within the tolerance"),
        Mark(Verdict.XFAIL, "expected", "odd", "beyond the tolerance, as expected; the reason is stated"),
        Mark(Verdict.PARTIAL, "half", "some", "not all seeds that were asked for are measured"),
        Mark(Verdict.MISSING, "empty", "none", "not measured yet"),
        Mark(Verdict.NOT_COMPARED, "dash", "none", "the scale, the metric or the words of the paper do not compare"),
        Mark(Verdict.UNCERTAIN, "quote", "none", "the paper leaves open who measured its value"),
        Mark(Verdict.CITED, "quote", "none", "the paper cites its value"),
        Mark(Verdict.NOT_REPORTED, "dash", "none", "the paper prints no value; such cells are not counted"),
        Mark(ClaimStatus.HOLDS, "check", "good", "the 95 % interval lies where the paper puts the difference"),
        Mark(ClaimStatus.FAILS, "cross", "bad", "the 95 % interval lies elsewhere"),
        Mark(ClaimStatus.UNDECIDED, "unsure", "some", "the interval reaches over the bound, or values are missing"),
    )
}
"""By word; verdicts of cells first, worst first."""
