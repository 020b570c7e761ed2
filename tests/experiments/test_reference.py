"""The bundled reference results: intact, of this version, complete, with three seeds."""

from pathlib import Path

from harness.bundle.reading import open_bundle
from harness.registry.papers import find_exhibits
from harness.report.results.cells import Measured
from harness.report.results.report import build
from harness.report.results.skipped_runs import skipped_runs

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def test_every_cell_has_three_seeds_and_no_local_path_leaks():
    with open_bundle(REFERENCE) as bundle:
        assert not list(skipped_runs(bundle.results)), "run `make reference` to recompute it"
        for paper, exhibit in find_exhibits(["hybvit"]):
            report = build(paper, exhibit, paper.scale("laptop"), bundle.results)
            found = [cell.measured for row in report.rows for cell in row.cells if cell.wanted]
            assert all(cell is not None for cell in found), exhibit.name
            assert {cell.seeds for cell in found if isinstance(cell, Measured)} <= {3}, exhibit.name
    files = [path for path in REFERENCE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    for path in files:
        assert not any(place in path.read_bytes() for place in (b"/tmp/", b"/home/", b"/root/")), path
