"""Values in the features of several classifiers of the same data, as two kinds of processors make them."""

import pytest
from reports import FEATURES, fill
from vouching import vouch

from harness.registry.metrics import FID
from harness.report.results.best_values import best_measured
from harness.report.results.claims import ClaimStatus
from harness.report.results.report import build
from harness.report.writers.exhibit_notes import notes
from harness.store.records import EvaluationRecord
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness_papers.hybvit import PAPER

LAPTOP = PAPER.scale("laptop")
TABLE = next(exhibit for exhibit in PAPER.exhibits if exhibit.name == "table6")
OTHER = FEATURES | {"weights_sha256": "1" * 64, "test_accuracy": 98.1}


@pytest.fixture
def results(tmp_path):
    found = Results(tmp_path)
    places = {row.key: place for place, row in enumerate(TABLE.rows)}
    fill(found, PAPER, TABLE, LAPTOP, seeds=2, value=lambda cell: 50.0 + 10 * places[cell.row.key] + cell.seed)
    return found


def move(results, row, seeds=(0, 1)):
    """Give the records of a row the features of another classifier."""
    run = LAPTOP.shrink(TABLE.row(row).run)
    for id in [list(run.ids(range(2)))[seed] for seed in seeds]:
        for path in (results.runs / id / "evaluations").glob("generation-*.json"):
            EvaluationRecord.load(path).model_copy(update={"details": {"feature_space": OTHER}}).save(path)
        vouch(RunDirectory(results.runs / id))


def report_of(results):
    return build(PAPER, TABLE, LAPTOP, Results(results.root))


def claims_on(report, metric, row):
    """Return the claims that compare a row with others by a metric."""
    return [
        found for found in report.claim_results
        if any(term.row == row and term.metric == metric for term in found.claim.terms())
    ]  # fmt: skip


def ranked(report):
    return [found.rows for found in report.agreements if found.metric == FID]


def test_rows_of_one_space_are_compared(results):
    report = report_of(results)
    assert ranked(report) == [13]
    assert len(report.feature_spaces) == 1
    assert not any("not compared with each other" in note for note in notes(report))
    assert not any("feature spaces" in found.reason for found in report.claim_results)


def test_a_row_of_another_space_is_not_ranked_with_the_others_and_decides_no_claim(results):
    move(results, "HybViT")
    report = report_of(results)
    assert ranked(report) == [12]
    decided = claims_on(report, FID, "HybViT")
    assert decided
    assert {found.status for found in decided} == {ClaimStatus.UNDECIDED}
    assert all("different feature spaces" in found.reason for found in decided)
    assert [space["test_accuracy"] for space in report.feature_spaces] == [98.1, 97.8]
    assert any("Several classifiers of digits were in use" in note for note in notes(report))


def test_seeds_of_two_spaces_have_no_common_mean(results):
    move(results, "HybViT(α=1)", seeds=[1])
    report = report_of(results)
    assert ranked(report) == [12]
    assert all("different feature spaces" in found.reason for found in claims_on(report, FID, "HybViT(α=1)"))
    assert len(report.feature_spaces) == 2


def test_the_best_value_is_the_best_of_its_space(results):
    assert [row for row, metric in best_measured(report_of(results)).cells if metric == FID.key] == ["HybViT"]
    move(results, "HybViT")
    assert [row for row, metric in best_measured(report_of(results)).cells if metric == FID.key] == ["HybViT(α=1)"]
