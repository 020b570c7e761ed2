"""The list of a paper's claims: how many of its decisions may be wrong."""

import pytest
from reports import fill

from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.report.writers import claims_list
from harness.store.results import Results

((PAPER, TABLE6),) = find_exhibits(["hybvit/table6"])
LAPTOP = PAPER.scale("laptop")


@pytest.mark.parametrize(("noise", "decided"), [(1.0, True), (1e6, False)])
def test_the_list_says_how_many_decisions_may_be_wrong(tmp_path, noise, decided):
    places = {row.key: place for place, row in enumerate(TABLE6.rows)}
    signs = {0: -1, 1: 0, 2: 1}
    fill(
        Results(tmp_path), PAPER, TABLE6, LAPTOP, seeds=3,
        value=lambda cell: 100.0 * (1 + places[cell.row.key]) + noise * signs[cell.seed],
    )  # fmt: skip
    report = build(PAPER, TABLE6, LAPTOP, Results(tmp_path))
    number = sum(result.status != "undecided" for result in report.claim_results)
    says = f"{number} claims are decided by values with noise. Each decision is wrong in 2.5 % of cases at most, if "
    says += f"truths lie on bounds: {0.025 * number:.2g} of them."
    assert (number > 5) is decided
    assert (says in claims_list.terminal([report]), says in claims_list.markdown([report])) == (decided, decided)
