"""The time that deciding claims takes: by the measured runs of the rows, shared runs once, others' results anew."""

from dataclasses import replace

import pytest
from reports import fill

from harness.registry.papers import papers
from harness.report.results import answer
from harness.report.results.answer import answer_of
from harness.report.results.outlook import ClaimOutlook
from harness.report.results.remaining_time import RemainingTime
from harness.report.results.report import build
from harness.store.results import Results

PAPER = papers()["hybvit"]
EXHIBITS = {exhibit.name: exhibit for exhibit in PAPER.exhibits}
LAPTOP = PAPER.scale("laptop")


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Return reports of three seeds, every segment of 100 s of which 60 s are an evaluation of another exhibit.

    The first claim of each wants two more seeds of two rows.
    """

    def expected(found):
        return {row: 2 for outlook in found for row in outlook.next_seeds}

    def outlooks(report):
        first = report.claim_results[0]
        rows = dict.fromkeys(term.row for term in first.claim.terms())
        return [ClaimOutlook(first, dict.fromkeys(rows, 3))]

    monkeypatch.setattr(answer, "outlooks", outlooks)
    monkeypatch.setattr(answer, "expected_runs", expected)

    def of(name, **changes):
        fill(Results(tmp_path), PAPER, EXHIBITS[name], LAPTOP, seeds=3)
        built = build(PAPER, EXHIBITS[name], LAPTOP, Results(tmp_path))
        segments = {
            run: [segment.model_copy(update={"seconds": 100.0, "evaluations": {"attack-0": 60.0}}) for segment in found]
            for run, found in built.segments.items()
        }
        return replace(built, segments=segments, **changes)

    return of


def test_time_is_that_of_training_and_the_exhibits_evaluations(report):
    # Two rows, two more seeds each, 40 s without the other evaluation, two at a time.
    assert answer_of([report("table6", remaining_time=RemainingTime(2))]).decide_seconds == pytest.approx(
        2 * 2 * 40 / 2
    )
    assert answer_of([report("table6")]).decide_seconds == pytest.approx(2 * 2 * 40)


def test_runs_of_several_exhibits_count_once(report):
    one, other = report("table6"), report("figure7")
    alone = [answer_of([each]).decide_seconds for each in (one, other)]
    shared = {row.row.run.id for row in one.rows} & {row.row.run.id for row in other.rows}
    assert shared
    assert answer_of([one, one]).decide_seconds == alone[0]
    assert max(alone) <= answer_of([one, other]).decide_seconds <= sum(alone)


def test_results_of_others_have_to_be_made_again(report):
    # Besides the two further seeds, seeds 1 and 2 of both rows, and the first run of every row.
    theirs = report("table6", origin="reference results", remaining_time=RemainingTime(1, {"a": 30.0, "b": 50.0}))
    assert answer_of([theirs]).decide_seconds == pytest.approx(2 * 4 * 40 + 80)


def test_unknown_times_are_not_guessed(report):
    found = report("table6")
    assert answer_of([replace(found, segments={})]).decide_seconds is None
    assert RemainingTime(2, {"a": 10.0, "b": None}).seconds is None
    assert RemainingTime(2).seconds is None
    assert RemainingTime(2, {"a": 10.0, "b": 50.0}).seconds == 50.0
