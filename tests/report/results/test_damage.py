"""Reports on damaged records are still written, and name the files to fix."""

import json

import numpy as np
import pytest
from reports import fill

from harness.cli.main import main
from harness.registry.cells import cells
from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.report.results.verdicts import Verdict
from harness.report.writers.csv_json import to_json
from harness.report.writers.text_markdown import terminal
from harness.store.arrays import save_array
from harness.store.records import Outcome
from harness.store.results import Results

HYBVIT, TABLE6 = find_exhibits(["hybvit/table6"])[0]
LAPTOP = HYBVIT.scale("laptop")
DAMAGES = [b"", b"{", b"[]", b'{"quantities": 3}', b"\x00\xff", b"[" * 100_000]


def record_of(root, row, kind, seed=0):
    """Return the path of a row's record."""
    cell = next(
        cell
        for cell in cells(HYBVIT, TABLE6, TABLE6.rows, LAPTOP, [seed])
        if cell.row.key == row and cell.evaluation.kind == kind
    )
    return Results(root).directory(cell.run).record_path(cell.evaluation)


def report_of(root):
    return build(HYBVIT, TABLE6, LAPTOP, Results(root))


@pytest.mark.parametrize("content", DAMAGES)
def test_a_damaged_record_leaves_its_cells_missing_and_is_named(tmp_path, content):
    fill(Results(tmp_path), HYBVIT, TABLE6, LAPTOP)
    path = record_of(tmp_path, "HybViT(head=6)", "generation")
    path.write_bytes(content)
    report = report_of(tmp_path)
    rows = {row.row.key: row for row in report.rows}
    accuracy, score, distance = rows["HybViT(head=6)"].cells
    assert accuracy.measured.mean == 10.0
    assert (score.verdict, distance.verdict) == (Verdict.MISSING, Verdict.MISSING)
    assert all(cell.measured for cell in rows["HybViT"].cells)
    (need,) = report.needs
    assert need.startswith(f"damaged: {path}: ")
    assert need.endswith("; delete this file and run again to recompute it")
    assert "\n" not in need
    shown = terminal(report)
    assert f"Damaged: {path}" in "".join(shown.split("\n")).replace("  ", " ")
    assert "34 of 36 cells are measured" in shown
    assert to_json(report)["rows"][3]["cells"]["fid"]["needs"] == need


def test_a_damaged_record_of_one_seed_leaves_the_others(tmp_path):
    fill(Results(tmp_path), HYBVIT, TABLE6, LAPTOP, seeds=3)
    path = record_of(tmp_path, "HybViT", "accuracy", seed=1)
    path.write_bytes(b"{")
    report = report_of(tmp_path)
    cell = report.rows[0].cells[0]
    assert cell.measured.values == (10.0, 12.0)
    assert cell.verdict is Verdict.PARTIAL
    assert [str(path) in need for need in report.needs] == [True]


def test_other_damaged_files_are_named_and_cost_no_cell(tmp_path):
    fill(Results(tmp_path), HYBVIT, TABLE6, LAPTOP, keep=lambda cell: cell.row.key != "HybViT")
    whole = report_of(tmp_path)
    directory = Results(tmp_path).directory(next(cells(HYBVIT, TABLE6, TABLE6.rows, LAPTOP, [0])).run)
    Outcome.now("failed").save(directory.outcome)
    directory.outcome.write_bytes(b"{")
    directory.segments.mkdir()
    (directory.segments / "1.json").write_bytes(b"{}")
    damaged = report_of(tmp_path)
    assert damaged.measured == whole.measured == 33
    assert sorted(need.split(": ")[1] for need in damaged.needs) == [
        str(directory.outcome), str(directory.segments / "1.json")
    ]  # fmt: skip


def test_a_fixed_record_is_measured_again(tmp_path):
    fill(Results(tmp_path), HYBVIT, TABLE6, LAPTOP)
    path = record_of(tmp_path, "HybViT", "accuracy")
    whole = path.read_bytes()
    path.write_bytes(b"{")
    assert report_of(tmp_path).measured == 35
    path.write_bytes(whole)
    assert report_of(tmp_path).measured == 36


def test_the_command_goes_on_past_damaged_records_and_arrays(tmp_path, capsys):
    fill(Results(tmp_path), HYBVIT, TABLE6, LAPTOP)
    record_of(tmp_path, "HybViT(head=6)", "accuracy").write_bytes(b"{")
    folder = record_of(tmp_path, "HybViT", "generation").with_suffix("")
    save_array(folder / "samples.npy", np.zeros((16, 1, 8, 8), np.uint8))
    (folder / "samples.npy").write_bytes((folder / "samples.npy").read_bytes()[:200])
    assert main(["--results", str(tmp_path), "report", "table6", "table1"]) == 0
    said = capsys.readouterr()
    assert f"hybvit/table6 is not drawn: {folder / 'samples.npy'} is not the array that its record states" in said.err
    assert "Damaged: " in said.out
    written = tmp_path / "report" / "hybvit"
    assert json.loads((written / "table6.json").read_text())["coverage"] == {"measured": 35, "wanted": 36}
    assert (written / "table1.json").exists()
    assert (written / "report.tex").exists()
