"""The HTML page as text: embedded data, their limits, and what is shown of a damaged run directory."""

import json
import math
import re

import numpy as np
import pytest
from hostile import HOSTILE, poison
from pages import furnish, furnished
from toy_paper import PAPER, TABLES
from vouching import keep_hashes

from harness.registry.papers import find_exhibits
from harness.report.html import run_index
from harness.report.html.curves import MOST_POINTS, thinned
from harness.report.html.details import DetailLimits, details
from harness.report.html.samples import sheet_of
from harness.report.html.write import write_pages
from harness.report.results.report import build
from harness.store.arrays import save_array
from harness.store.artefacts import record_beside
from harness.store.decisions import Decision, path_of
from harness.store.results import Results

SCALE = PAPER.scale("paper")


@pytest.fixture
def results(tmp_path):
    results = Results(tmp_path)
    furnished(results, PAPER, TABLES[:1], SCALE, seeds=4)
    return results


def page_of(results, paper=PAPER):
    reports = [build(paper, table, SCALE, results) for table in paper.tables[:1]]
    return write_pages(reports, results, [])[0].read_text()


def embedded(page, name):
    return json.loads(re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)[1])


def test_every_value_is_embedded_once_and_pages_are_deterministic(results):
    page = page_of(results)
    values = embedded(page, "values")
    cell = values["cells"]["table101/0/fid"]["measured"][0]
    assert [(seed, value) for seed, _, value in cell["values"]] == [(seed, 10.0 + seed) for seed in range(4)]
    runs = {values["runs"][run] for _, run, _ in cell["values"]}
    assert runs <= {directory.id for directory in results.all()}
    assert page == page_of(results)


def test_the_parts_of_a_bar_lie_end_to_end(results):
    bar = re.search(r'<svg class="bar".*?</svg>', page_of(results), re.DOTALL)[0]
    parts = [tuple(map(float, part)) for part in re.findall(r'x="([0-9.]+)" y="0" width="([0-9.]+)"', bar)]
    assert len(parts) > 2
    ends = [0.0, *np.cumsum([length for _, length in parts])]
    assert [begin for begin, _ in parts] == pytest.approx(ends[:-1], abs=0.01)
    assert ends[-1] == pytest.approx(100, abs=0.01)


def test_the_summary_names_what_it_counts_and_the_level_in_use(results):
    said = page_of(results).replace("\u00a0", " ")
    assert "The marks count the 7 values that the paper prints." in said
    assert "<p>5 of 5 values of runs are measured.</p>" in said
    assert "only if its 95 % intervals decide it" in said and "the line is the 95 % interval of" in said
    decision = Decision(papers=(PAPER.name,), scale=SCALE.name, exhibits=(f"{PAPER.name}/table101",), most_seeds=10)
    decision.save(path_of(results.root, decision.id))
    said = page_of(Results(results.root)).replace("\u00a0", " ")
    assert "only if its 98.94 % intervals decide it" in said and "the line is the 98.94 % interval of" in said


@pytest.mark.parametrize("name", ["table12", "figure8"])
def test_the_summary_says_why_runs_have_more_values_than_the_paper(tmp_path, name):
    paper, table = find_exhibits([f"hybvit/{name}"])[0]
    results, scale = Results(tmp_path), paper.scale("laptop")
    furnished(results, paper, (table,), scale, seeds=1)
    report = build(paper, table, scale, results)
    said = write_pages([report], results, [])[0].read_text()
    assert f"The marks count the {report.verdict_counts.cells} values that the paper prints." in said
    more = "values of runs are measured, including values that the paper does not print and other protocols"
    assert f"{report.measured} of {report.wanted} {more}" in said


def test_values_that_json_does_not_have_are_embedded_as_text(tmp_path):
    results, found = Results(tmp_path), (math.inf, -math.inf, math.nan, 7.5)
    furnished(results, PAPER, TABLES[:1], SCALE, seeds=4, value=lambda cell: found[cell.seed])
    cell = embedded(page_of(results), "values")["cells"]["table101/0/fid"]["measured"][0]
    assert [value for _, _, value in cell["values"]] == ["inf", "-inf", "NaN", 7.5]


def test_details_are_limited_and_the_page_says_so(results, monkeypatch):
    monkeypatch.setattr(run_index, "MOST_SEEDS", 2)
    monkeypatch.setattr(run_index, "MOST_RUNS", 3)
    monkeypatch.setattr(run_index, "SAMPLE_BYTES", 1000)
    page = page_of(results)
    kept = embedded(page, "details")
    assert len(kept) == 3
    assert {run["config"]["seed"] for run in kept.values()} == {0, 1}
    assert any(run["samples"]["src"] is None for run in kept.values())
    assert len(embedded(page, "values")["runs"]) == 8, "values of all runs are embedded, details of some"


def test_no_text_of_a_record_ends_a_script_or_begins_an_element(tmp_path):
    results = Results(tmp_path)
    furnished(results, HOSTILE, HOSTILE.tables, SCALE)
    for directory in results.all():
        poison(directory)
    page = page_of(results, HOSTILE)
    assert page.count("</script>") == 3
    assert "<img src=x" not in page
    assert "<svg onload" not in page
    assert any("</script>" in run["name"] for run in embedded(page, "details").values()), "the text itself is kept"


def test_a_damaged_run_keeps_what_can_be_read(results):
    directory = results.all()[0]
    directory.training.write_text("{")
    (directory.segments / "2.json").write_text("[]")
    directory.metrics.write_bytes(b'{"epoch": 1, "loss": "NaN", "x": NaN}\n[1]\n\xff\xfe\n')
    directory.log.write_bytes(b"\xff\x00 text\n")
    found = details(directory, DetailLimits(samples=10_000))
    assert found["training"] is None
    assert len(found["problems"]) >= 2
    assert "text" in found["log"]
    assert json.dumps(found, allow_nan=False)
    assert details(results.directory(TABLES[1].rows[0].run), DetailLimits(samples=1)) is None


def test_curves_are_thinned_to_their_ends_and_keep_gaps():
    points = [{"epoch": n, "step": 10 * n, "loss": math.nan if n == 1 else 1 / n, "name": "x"} for n in range(1, 501)]
    curve = thinned(iter(points))
    assert (curve["across"], curve["of"], len(curve["x"])) == ("epoch", 500, MOST_POINTS)
    assert (curve["x"][0], curve["x"][-1]) == (1.0, 500.0)
    assert (curve["series"]["loss"][0], curve["series"]["loss"][-1]) == (None, 0.002)
    assert set(curve["series"]["name"]) == {None}
    assert thinned([]) is None


def test_samples_become_one_picture_and_other_arrays_none(results):
    directory = results.all()[0]
    sheet = sheet_of(directory, 100_000)
    assert sheet["src"].startswith("data:image/png;base64,")
    assert (sheet["shown"], sheet["of"], sheet["size"]) == (16, 20, 8)
    assert (results.root / sheet["path"]).exists()
    for path in directory.evaluations.glob("*/samples.npy"):
        save_array(path, np.zeros((4, 3, 8, 8)))
        keep_hashes(record_beside(path))
    assert sheet_of(directory, 100_000) is None


def test_large_samples_are_shrunk(tmp_path, results):
    directory = results.all()[0]
    furnish(directory, size=200, channels=3, samples=3)
    sheet = sheet_of(directory, 10**6)
    assert (sheet["shown"], sheet["size"]) == (3, 200)
    assert len(sheet["src"]) < 3 * 64 * 64 * 3 * 2
