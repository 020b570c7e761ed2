"""The answer in one or two sentences, first in every format: how many claims hold, and what decides the others.

Commands are between backticks, as in Markdown; `formatted` changes them for other formats.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.report.results.answer import Answer, ClaimCounts, Waiting, answer_of
from harness.report.results.claims import ClaimStatus
from harness.report.results.outlook import MOST_SEEDS
from harness.report.results.report import ExhibitReport
from harness.report.results.verdict_counts import VerdictCounts
from harness.report.results.verdicts import Verdict
from harness.report.writers.selection import is_whole, selection
from harness.report.writers.wording import counted, heading
from harness.store.usage import about

ABSTRACT = "the abstract's "
UNJUDGED = (Verdict.NOT_COMPARED, Verdict.UNCERTAIN, Verdict.CITED)
VERBS = {
    Verdict.FAIL: ("fails", "fail"),
    Verdict.XPASS: ("passes against expectation", "pass against expectation"),
    Verdict.XFAIL: ("fails as expected", "fail as expected"),
    Verdict.PARTIAL: ("lacks seeds", "lack seeds"),
    Verdict.MISSING: ("is not measured yet", "are not measured yet"),
}
"""What one value and several do, by verdict."""


def exhibit_answer(report: ExhibitReport) -> str:
    """Return the answer of an exhibit."""
    return f"{_about(heading(report), [report])}: {_sentences(answer_of([report]), [report])}"


def paper_answer(reports: Sequence[ExhibitReport]) -> str:
    """Return the answer of some exhibits of one paper, with the claims of its abstract first."""
    paper, part = reports[0].paper, list[str]()
    if not is_whole(reports):
        usual = len(paper.tables) + len(paper.figures)
        part = [f"{len(reports)} of {usual} tables and figures"]
    return f"{_about(paper.name, reports, part)}: {_sentences(answer_of(reports), reports)}"


def answers(reports: Sequence[ExhibitReport]) -> list[str]:
    """Return the answer of each paper, or of an exhibit that is the only one of its paper."""
    return [paper_answer(found) if len(found) > 1 else exhibit_answer(found[0]) for found in by_paper(reports).values()]


def by_paper(reports: Sequence[ExhibitReport]) -> dict[str, list[ExhibitReport]]:
    """Return the reports of each paper by its name."""
    found: dict[str, list[ExhibitReport]] = {}
    for report in reports:
        found.setdefault(report.paper.name, []).append(report)
    return found


def brief_answer(report: ExhibitReport) -> str:
    """Return the answer of an exhibit in a few words, without commands."""
    found = answer_of([report])
    if found.is_empty:
        return "nothing is measured yet"
    parts = [_claims(found.claims, "", None, "")] if found.claims.by_status else []
    parts += [_values(found.cells).rstrip(".")] if report.scale.comparable and found.cells.cells else []
    return "; ".join(parts) or _measured(found)


def to_json(reports: Sequence[ExhibitReport]) -> dict[str, Any]:
    """Return the answer of some exhibits of one paper as documented JSON (docs/results.md)."""
    found, selected = answer_of(reports), selection(reports)
    decide = f"run {selected}{decide_option(found)}" if selected and found.claims.waiting.get(Waiting.SEEDS) else ""
    run = f"run {selected}" if selected and (found.is_empty or found.claims.waiting.get(Waiting.RUNS)) else ""
    return {
        "says": answers(reports)[0],
        "claims": found.claims.to_json(),
        "abstract": found.abstract.to_json(),
        "decide": _command_to_json(decide, found.decide_seconds),
        "run": _command_to_json(run, found.run_seconds),
    }


def formatted(answer: str, plain: Callable[[str], str], command: Callable[[str], str]) -> str:
    """Return an answer in another format: its words by `plain`, its commands by `command`."""
    return "".join((command if place % 2 else plain)(part) for place, part in enumerate(answer.split("`")))


def _about(name: str, reports: Sequence[ExhibitReport], parts: Sequence[str] = ()) -> str:
    """Return what an answer is about: the exhibit or paper, the scale, and what restricts it."""
    found = list(parts)
    found += [f"{len(r.rows)} of {len(r.whole.rows)} rows" for r in reports if r.whole and len(reports) == 1]
    measured, wanted = sum(report.measured for report in reports), sum(report.wanted for report in reports)
    runs = any(row.seeds for report in reports for row in report.rows)
    found += [f"{measured} of {wanted} values measured"] if runs and measured < wanted else []
    seeds = {row.seeds for report in reports for row in report.rows if row.seeds}
    found += ["one seed"] if seeds == {1} else []
    found += [reports[0].origin] if reports[0].origin else []
    restricted = f" ({', '.join(found)})" if found else ""
    return f"{name} at {reports[0].scale.name} scale{restricted}"


def _sentences(found: Answer, reports: Sequence[ExhibitReport]) -> str:
    selected = selection(reports)
    if found.is_empty:
        return f"nothing is measured yet{_how(selected, '', found.run_seconds)}."
    sentences = []
    if found.abstract.by_status and len(reports) > 1:
        whole = _claims(found.claims, "", found, selected)
        sentences.append(f"{_claims(found.abstract, ABSTRACT, None, '')}; in all, {whole}.")
    elif found.claims.total:
        sentences.append(f"{_claims(found.claims, '', found, selected)}.")
    else:
        sentences.append(f"no claim to check; {_measured(found)}.")
    if (cells := found.cells).cells:
        comparable = reports[0].scale.comparable
        sentences.append(_values(cells) if comparable else "Values cannot be compared at this scale.")
    return " ".join(sentences)


def _claims(counts: ClaimCounts, whose: str, found: Answer | None, selected: str) -> str:
    """Return the numbers of claims in words; with the whole answer, also the commands that decide them."""
    others = [*_waiting(counts, found, selected), *_apart(counts)]
    if counts.total == 1:
        does = {status: status.value for status in (ClaimStatus.HOLDS, ClaimStatus.FAILS)}
        known = next((does[status] for status in does if counts.by_status.get(status)), None)
        return f"{whose}{'one' if whose else 'the one'} claim {known or others[0][1]}"
    if not counts.judged:
        return ", ".join(f"{whose}{count} claims {plural}" for count, _, plural in others)
    holds, fails = (counts.by_status.get(status, 0) for status in (ClaimStatus.HOLDS, ClaimStatus.FAILS))
    first = f"{holds} of {whose}{counts.total} claims {'holds' if holds == 1 else 'hold'}"
    return ", ".join([first, counted(fails, "fails", "fail"), *(counted(*other) for other in others)])


def _apart(counts: ClaimCounts) -> Iterator[tuple[int, str, str]]:
    """Yield the numbers of claims that are not judged, each with the words for one and for several."""
    for status, count in counts.apart.items():
        yield count, f"is {status}", f"are {status}"


def _waiting(counts: ClaimCounts, found: Answer | None, selected: str) -> Iterator[tuple[int, str, str]]:
    """Yield the numbers of claims that wait for something, each with the words for one and for several."""
    decide = _how(selected, decide_option(found), found.decide_seconds) if found else ""
    run = _how(selected, "", found.run_seconds) if found else ""
    why = f" (`plan {selected} --decide` says why)" if found and selected and not found.is_of_others else ""
    words = {
        Waiting.SEEDS: (f"needs more seeds{decide}", f"need more seeds{decide}"),
        Waiting.RUNS: (f"is not measured yet{run}", f"are not measured yet{run}"),
        Waiting.SCALE: ("needs the paper's scale", "need the paper's scale"),
        Waiting.NOTHING: (f"is not helped by seeds{why}", f"are not helped by seeds{why}"),
    }
    for what in Waiting:
        if count := counts.waiting.get(what, 0):
            yield count, *words[what]


def decide_option(found: Answer) -> str:
    """Return the option of `run` that goes on with the plan by which claims are decided."""
    return " --decide" if found.most_seeds == MOST_SEEDS else f" --decide --most-seeds {found.most_seeds}"


def _measured(found: Answer) -> str:
    """Return how many values are measured in words."""
    if found.measured < found.wanted:
        return f"{found.measured} of {found.wanted} values are measured"
    return "its value is measured" if found.wanted == 1 else f"all {found.wanted} values are measured"


def _values(cells: VerdictCounts) -> str:
    """Return the numbers of compared values in words."""
    counts = {verdict: count for verdict, count in cells.counts.items() if verdict not in UNJUDGED}
    if not counts:
        return "No value is compared with the paper's."
    agree, total = counts.pop(Verdict.PASS, 0), sum(counts.values())
    total += agree
    others = {**({Verdict.FAIL: 0} if Verdict.FAIL not in counts else {}), **counts}
    says = [
        counted(count, *VERBS.get(verdict, (f"is {verdict.lower()}", f"are {verdict.lower()}")))
        for verdict, count in others.items()
    ]
    first = f"{agree} of {total} {'value' if total == 1 else 'values'} {'agrees' if agree == 1 else 'agree'}"
    return f"{', '.join([first, *says])}."


def _how(selected: str, option: str, seconds: float | None) -> str:
    """Return in parentheses the command that decides or measures, with its time; empty without a short command."""
    parts = [f"`run {selected}{option}`", *([about(seconds)] if seconds is not None else [])]
    return f" ({', '.join(parts)})" if selected else ""


def _command_to_json(command: str, seconds: float | None) -> dict[str, Any] | None:
    return {"command": command, "seconds": None if seconds is None else round(seconds)} if command else None
