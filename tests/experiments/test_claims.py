"""The claims of HybViT: each sentence against the sides of its intervals."""

from math import inf

import pytest

from harness.registry.presuppositions import InRange, LevelledOff
from harness_papers.hybvit.log import EMA_ACCURACY, FID_LEVEL
from harness_papers.hybvit.paper import PAPER

CLAIMS = [claim for exhibit in (*PAPER.tables, *PAPER.figures) for claim in exhibit.claims]
BETTER_IS_WELCOME = ("retains", "comparable", "only a small drop")
"""Words of sentences that a better value does not contradict."""
BOTH_SIDES = ("small effect", "similarly", "plateaus", "about twice", "tiny")
"""Words of sentences that a value contradicts on either side."""


def about(words):
    return [claim for claim in CLAIMS if any(word in claim.says for word in words)]


def test_every_claim_is_looked_at():
    assert (len(CLAIMS), len(about(BETTER_IS_WELCOME)), len(about(BOTH_SIDES))) == (68, 8, 9)


@pytest.mark.parametrize("claim", about(BETTER_IS_WELCOME), ids=lambda claim: claim.says)
def test_a_better_value_never_contradicts_a_retained_one(claim):
    (contrast,) = claim.contrasts
    (metric,) = {term.metric for term in contrast.terms}
    praised = max(contrast.terms, key=lambda term: term.weight).row
    assert claim.says.split()[0] in (praised.rpartition(": ")[2], "A", "The")
    if metric.better == "higher":
        assert (contrast.low < 0, contrast.high) == (True, inf)
    else:
        assert (contrast.low, contrast.high > 0) == (-inf, True)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.says)
def test_both_sides_are_bounded_only_where_the_sentence_does(claim):
    sides = {}
    for contrast in claim.contrasts:
        cells = frozenset((term.row, term.metric) for term in contrast.terms)
        ends = {end for end in ("low", "high") if abs(getattr(contrast, end)) != inf}
        sides.setdefault(cells, set()).update(ends)
    both = {"low", "high"} in sides.values()
    assert both == (claim in about(BOTH_SIDES))


PRESUPPOSED = [
    (exhibit, need) for exhibit in PAPER.exhibits for claim in exhibit.claims for need in claim.presuppositions
]


def test_the_paper_has_what_its_claims_presuppose():
    """A range that the printed values contradict would excuse a failure, not explain it."""
    printed = [
        (need, exhibit.reported_value(exhibit.row(row), need.metric))
        for exhibit, need in PRESUPPOSED
        if isinstance(need, InRange)
        for row in need.rows
    ]
    known = [(need, value) for need, value in printed if value is not None]
    assert len(known) > 20
    assert all(need.low <= value <= need.high for need, value in known)


def test_the_authors_run_has_levelled_off_as_far_as_is_presupposed():
    """Their log has the accuracy after 50, 350 and 500 epochs, and FID 37.011 and 33.018 after the last two."""
    needs = {need for _, need in PRESUPPOSED if isinstance(need, LevelledOff)}
    assert {need.since for need in needs} == {0.1, 0.7}
    for need in needs:
        if need.metric.key == "accuracy":
            assert abs(EMA_ACCURACY[500] - EMA_ACCURACY[500 * need.since]) < need.within
        else:
            assert need.within == FID_LEVEL > 1 - 33.018 / 37.011
