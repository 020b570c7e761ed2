"""The marks in a table and their explanations below it."""

from harness.report.latex.escape import tex
from harness.report.results.report import ExhibitReport
from harness.report.writers import between_rows, exhibit_notes

CITED, UNCERTAIN, FAILED, UNEXPECTED, OPEN, UNFINISHED = "†", "‡", "×", "!", "?", "∘"
SYMBOLS = {
    CITED: "cited by the paper from elsewhere",
    UNCERTAIN: "the paper does not say who measured it",
    FAILED: "FAIL: outside the tolerance and the prediction interval, or not finite",
    UNEXPECTED: "XPASS: a failure was expected",
    OPEN: "INCONCLUSIVE: outside the tolerance, within the prediction interval",
    UNFINISHED: "PARTIAL: some seeds are not measured yet",
}


class Notes:
    """Assigns a mark to every remark: a letter, the same for equal remarks, or one of the symbols."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}
        self._symbols: set[str] = set()

    def letter(self, remark: str) -> str:
        """Return the letter of a remark."""
        return self._letters.setdefault(remark, _letter(len(self._letters)))

    def symbol(self, symbol: str) -> str:
        """Return a symbol, and include its explanation in `lines`."""
        self._symbols.add(symbol)
        return symbol

    def lines(self) -> list[str]:
        """Return the remarks as LaTeX, each with its mark, symbols first."""
        used = [(symbol, says) for symbol, says in SYMBOLS.items() if symbol in self._symbols]
        letters = [(letter, remark) for remark, letter in self._letters.items()]
        return [f"{raised(mark)}\\,{tex(_sentence(says))}" for mark, says in used + letters]


def general(report: ExhibitReport) -> list[str]:
    """Return the notes on the whole table as LaTeX."""
    return [tex(sentence) for sentence in (*exhibit_notes.general_notes(report), between_rows.bold(report)) if sentence]


def raised(mark: str) -> str:
    """Return a mark as a superscript."""
    return f"\\textsuperscript{{{tex(mark)}}}" if mark else ""


def _letter(position: int) -> str:
    """Return a, b, ..., z, aa, ab, ..."""
    turn, rest = divmod(position, 26)
    return (_letter(turn - 1) if turn else "") + chr(ord("a") + rest)


def _sentence(says: str) -> str:
    return says[0].upper() + says[1:].rstrip(".") + "."
