"""The list of a paper's claims: how many of its decisions may be wrong."""

import re

from reports import fill

from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.report.writers import claims_list
from harness.store.decisions import Decision, path_of
from harness.store.results import Results

((PAPER, TABLE6),) = find_exhibits(["hybvit/table6"])
LAPTOP = PAPER.scale("laptop")


def report_of(root, noise=1.0, keys=None):
    """Report Table 6 with three seeds of every row, or of some, whose values rise from row to row."""
    places = {row.key: place for place, row in enumerate(TABLE6.rows)}
    signs = {0: -1, 1: 0, 2: 1}
    fill(
        Results(root), PAPER, TABLE6, LAPTOP, seeds=3,
        keep=lambda cell: keys is None or cell.row.key in keys,
        value=lambda cell: 100.0 * (1 + places[cell.row.key]) + noise * signs[cell.seed],
    )  # fmt: skip
    return build(PAPER, TABLE6, LAPTOP, Results(root))


def said(report):
    """Return the sentences on wrong decisions, the same in text and Markdown; None without any."""
    found = {
        found.group() if (found := re.search(r"\d+ claims? (is|are) decided by values.*", text)) else None
        for text in (claims_list.terminal([report]), claims_list.markdown([report]))
    }
    (sentences,) = found
    return sentences


def test_the_list_says_how_many_wrong_decisions_to_expect(tmp_path):
    report = report_of(tmp_path)
    number = sum(result.status != "undecided" for result in report.claim_results)
    assert number > 5 and said(report) == (
        f"{number} claims are decided by values with noise. If all {number} true values lay exactly on their bounds, "
        f"{0.025 * number:.2g} wrong decisions would be expected at most (2.5 % each)."
    )


def test_one_decision_has_a_probability_of_its_own(tmp_path):
    report = report_of(tmp_path, keys=("GenViT(dim=192)", "GenViT(dim=768)"))
    assert said(report) == (
        "1 claim is decided by values with noise. If its true value lay exactly on its bound, the decision would be "
        "wrong in 2.5 % of cases at most."
    )


def test_decisions_by_rounds_allow_for_their_looks(tmp_path):
    decision = Decision(papers=(PAPER.name,), scale="laptop", exhibits=("hybvit/table6",), most_seeds=10)
    decision.save(path_of(tmp_path, decision.id))
    assert said(report_of(tmp_path)).endswith(" (2.5 % each), however often one looks, up to 10 seeds.")


def test_without_a_decision_the_list_says_nothing_on_wrong_ones(tmp_path):
    assert said(report_of(tmp_path, noise=1e6)) is None
