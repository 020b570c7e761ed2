"""Records as a real run would write them, and LaTeX compiled for real."""

import shutil
import subprocess

import pytest

from harness.report.latex import document
from harness.spec.cells import cells
from harness.store.records import EvaluationRecord, Measurement

FEATURES = {"kind": "classifier", "data": "digits", "test_accuracy": 97.8, "weights_sha256": "0" * 64}


def fill(results, paper, table, scale, seeds=1, keep=lambda cell: True, value=lambda cell: 10.0 + cell.seed):
    """Write the records that a real run would write; cells of one evaluation share a record."""
    records = {}
    for cell in cells(paper, table, table.rows, scale, range(seeds)):
        directory = results.directory(cell.run)
        directory.request(cell.run, [cell.evaluation])
        if keep(cell):
            quantities = records.setdefault(directory.record_path(cell.evaluation), (cell.evaluation, {}))[1]
            quantities[cell.metric.quantity] = Measurement(value=value(cell), n=100)
    for path, (evaluation, quantities) in records.items():
        EvaluationRecord(
            evaluation=evaluation.model_dump(mode="json"),
            quantities=quantities,
            details={"feature_space": FEATURES} if evaluation.kind == "generation" else {},
            weights_sha256="0" * 64,
            seconds=1.0,
        ).save(path)


def compile_latex(tmp_path, *sources):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is missing: apt-get install texlive-latex-base texlive-latex-recommended")
    (tmp_path / "report.tex").write_text(document(*sources), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 1000
