"""Records like those of real runs, and compilation of LaTeX."""

import subprocess

import pytest
from vouching import vouch

from harness.registry.cells import cells
from harness.report.latex.installation import INSTALL, TABLE, lacking
from harness.store.records import EvaluationRecord, Measurement
from harness.store.run_directory import RunDirectory

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
        vouch(RunDirectory(path.parents[1]))


def texts_of(grid):
    """Return the texts of a grid's rows, line by line."""
    return [tuple(str(cell) for cell in line) for line in grid.lines]


def needs_latex():
    """Skip if LaTeX or one of its packages is missing."""
    if lacks := lacking():
        pytest.skip(f"LaTeX lacks {', '.join(lacks)}: {INSTALL}")


def compile_latex(tmp_path, *sources):
    """Compile tables in a document that only inputs them, as an author would; return the log."""
    needs_latex()
    packages = "".join(f"\\usepackage{{{package}}}\n" for package in TABLE)
    body = "\n\\clearpage\n".join(sources)
    head = f"\\documentclass{{article}}\n\\usepackage[margin=2cm]{{geometry}}\n{packages}"
    document = f"{head}\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "paper.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return (tmp_path / "paper.log").read_text(errors="replace")
