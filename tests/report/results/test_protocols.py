"""FID and IS at paper scale: protocols in labels, verdicts, additional protocols and metrics, and requirements."""

import pytest
from reports import compile_latex, fill, texts_of

from harness.config.evaluations import reading_of
from harness.registry.cells import cells
from harness.registry.metrics import FID, PRECISION, RECALL
from harness.registry.scale import PAPER_SCALE
from harness.report.latex.table import table as latex
from harness.report.results.claims import ClaimStatus
from harness.report.results.report import build
from harness.report.writers.csv_json import to_json
from harness.report.writers.exhibit_notes import notes
from harness.report.writers.table_layout import grids
from harness.store.records import EvaluationRecord, Need, Outcome
from harness.store.results import Results
from harness_papers.hybvit import PAPER

EXHIBITS = {exhibit.name: exhibit for exhibit in PAPER.exhibits}
PUBLISHED = {"kind": "inception", "data": "cifar10", "weights_sha256": "0" * 64, "library": "torch-fidelity 0.4.0"}


def as_printed(cell):
    return float(cell.row.reported[EXHIBITS["table2"].metrics.index(cell.metric)])


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path)


def test_values_under_the_paper_s_protocol_are_judged(results):
    fill(results, PAPER, EXHIBITS["table6"], PAPER_SCALE, value=lambda cell: 20.0 if cell.metric == FID else 7.7)
    report = build(PAPER, EXHIBITS["table6"], PAPER_SCALE, results)
    verdicts = {row.row.key: {cell.metric.key: cell.verdict.value for cell in row.cells} for row in report.rows}
    assert verdicts["GenViT(dim=384)"]["fid"] == "PASS"
    assert verdicts["HybViT"] == {"accuracy": "FAIL", "inception_score": "PASS", "fid": "FAIL"}
    (grid,) = grids(report)
    assert [column.heading for column in grid.columns][3:7] == ["IS (paper)", "IS@10k", "FID (paper)", "FID@10k train"]


def test_where_protocols_differ_sections_tell_them(results):
    fill(results, PAPER, EXHIBITS["table2"], PAPER_SCALE, value=as_printed)
    report = build(PAPER, EXHIBITS["table2"], PAPER_SCALE, results)
    (grid,) = grids(report)
    assert [column.heading for column in grid.columns][5:7] == ["FID (paper)", "FID"]
    assert [section.heading for section in grid.sections] == [
        "CIFAR100 (IS@10k, FID@10k train)",
        "Tiny-ImageNet (IS@10k, FID@10k test)",
        "STL10 (IS@5k, FID@5k train)",
        "ImageNet 32x32 (IS@10k, FID@10k test)",
        "CelebA 128 (FID@10k train)",
    ]
    cells_of = {row["key"]: row["cells"] for row in to_json(report)["rows"]}
    assert cells_of["STL10: GenViT"]["fid"]["measured_as"] == "FID@5k train"
    assert cells_of["Tiny-ImageNet: GenViT"]["inception_score"]["measured_as"] == "IS@10k"
    verdicts = {(row.row.source, cell.verdict.value) for row in report.rows for cell in row.cells if cell.wanted}
    assert verdicts == {("own", "PASS"), ("uncertain", "uncertain")}


def test_without_sections_rows_tell_their_protocols(results):
    report = build(PAPER, EXHIBITS["figure13"], PAPER_SCALE, results)
    (grid,) = grids(report)
    assert [texts[0] for texts in texts_of(grid)][-2:] == ["STL10 (FID@5k train)", "CelebA 128 (FID@10k train)"]


def test_claims_hold_the_same_measure_under_several_protocols_together(results):
    fill(results, PAPER, EXHIBITS["table2"], PAPER_SCALE, seeds=3, value=lambda cell: as_printed(cell) + cell.seed / 10)
    report = build(PAPER, EXHIBITS["table2"], PAPER_SCALE, results)
    (decision,) = [decision for decision in report.claim_results if decision.claim.where == "§5.1"]
    assert decision.status is ClaimStatus.HOLDS


def test_more_samples_have_a_line_and_no_verdict(results):
    table = EXHIBITS["table6"].also(reading_of("samples=50000"), reading_of("weights=0a1b2c3d"))
    fill(results, PAPER, table, PAPER_SCALE, value=lambda cell: 26.4 if cell.reading == "samples=50000" else 99.0)
    report = build(PAPER, table, PAPER_SCALE, results)
    (grid,) = grids(report)
    assert grid.columns[4].name == "FID / FID@10k train, FID@50k train, FD(inception 0a1b2c3d)"
    assert [texts[1] for texts in texts_of(grid)[:4]] == ["paper", "ours", "samples=50000", "weights=0a1b2c3d"]
    assert [texts[4] for texts in texts_of(grid)[:4]] == ["26.4", "99.0", "26.4", "99.0"]
    cell = to_json(report)["rows"][0]["cells"]["fid"]
    assert cell["verdict"] == "FAIL"
    assert cell["readings"]["samples=50000"]["measured_as"] == "FID@50k train"
    assert cell["readings"]["weights=0a1b2c3d"]["measured_as"] == "FD(inception 0a1b2c3d)"


def with_precision(results, exhibit):
    """Add precision to the records of an exhibit."""
    from harness.store.records import Measurement

    for cell in cells(PAPER, exhibit, exhibit.rows, PAPER_SCALE, [0]):
        directory = results.directory(cell.run)
        if cell.metric == FID:
            record = directory.record(cell.evaluation)
            quantities = record.quantities | {"precision": Measurement(value=0.625, n=100)}
            details = {"feature_space": PUBLISHED}
            record.model_copy(update={"quantities": quantities, "details": details}).save(
                directory.record_path(cell.evaluation)
            )


def test_precision_stands_in_json_and_on_request_in_a_column(results, tmp_path):
    fill(results, PAPER, EXHIBITS["table6"], PAPER_SCALE)
    with_precision(results, EXHIBITS["table6"])
    plain = build(PAPER, EXHIBITS["table6"], PAPER_SCALE, results)
    assert to_json(plain)["rows"][0]["further"]["precision"]["measured"]["mean"] == 0.625
    assert to_json(plain)["rows"][0]["further"]["precision"]["measured_as"] == "precision@10k train"
    assert "precision@10k train" not in [column.name for column in next(grids(plain)).columns]
    shown = build(PAPER, EXHIBITS["table6"], PAPER_SCALE, results, (PRECISION, RECALL))
    (grid,) = grids(shown)
    assert [column.heading for column in grid.columns][-4:-2] == ["precision@10k train", "recall@10k train"]
    assert texts_of(grid)[0][-4:-2] == ("0.62", "")
    assert len({len(line) for line in grid.lines}) == 1
    stacked = build(PAPER, EXHIBITS["table6"].also(reading_of("samples=50000")), PAPER_SCALE, results, (PRECISION,))
    assert len({len(line) for grid in grids(stacked) for line in grid.lines} | {len(next(grids(stacked)).columns)}) == 1
    assert build(PAPER, EXHIBITS["table3"], PAPER_SCALE, results, (PRECISION,)).shown == ()
    compile_latex(tmp_path, latex(shown), latex(stacked))
    assert any("which are not the published ones" in note for note in notes(plain))


def test_a_feature_space_may_say_of_itself_what_it_likes(results):
    fill(results, PAPER, EXHIBITS["table6"], PAPER_SCALE)
    own = {"kind": "mine", "width": 3}
    for path in results.runs.glob("*/evaluations/generation-*.json"):
        record = EvaluationRecord.load(path)
        record.model_copy(update={"details": {"feature_space": own}}).save(path)
    report = build(PAPER, EXHIBITS["table6"], PAPER_SCALE, results)
    assert report.feature_spaces == (own,)
    assert notes(report)


def test_a_cell_says_what_it_needs_until_it_is_measured(results):
    fill(results, PAPER, EXHIBITS["table6"], PAPER_SCALE, keep=lambda cell: cell.evaluation.kind == "accuracy")
    need = Need(what="needs Inception weights", how="get them")
    for cell in cells(PAPER, EXHIBITS["table6"], EXHIBITS["table6"].rows[:1], PAPER_SCALE, [0]):
        if cell.metric == FID:
            directory = results.directory(cell.run)
            Outcome.now("failed", "x", {cell.evaluation.id: need}).save(directory.outcome)
    report = build(PAPER, EXHIBITS["table6"], PAPER_SCALE, results)
    (grid,) = grids(report)
    assert texts_of(grid)[0][3:7] == ("7.68", "needs Inception weights", "26.4", "needs Inception weights")
    assert texts_of(grid)[1][6] == "..."
    assert "Needs Inception weights: get them." in notes(report)
    assert to_json(report)["rows"][0]["cells"]["fid"]["needs"] == "needs Inception weights: get them"
