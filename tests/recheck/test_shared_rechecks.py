"""Rechecks travel in bundles, which are refused if they are damaged, and are shown on the page and in the JSON."""

import json
import shutil
from dataclasses import replace
from html import unescape

import pytest
from bundles import put, rewritten
from planting import plant_value, record_of

from harness.bundle.reading import manifest_of, open_bundle
from harness.bundle.writing import write_bundle
from harness.cli.main import main
from harness.errors import HarnessError
from harness.registry.metrics import FID
from harness.registry.papers import find_exhibits
from harness.report.html.page import contents
from harness.report.latex.escape import tex
from harness.report.latex.table import table
from harness.report.results.report import build
from harness.report.writers import claims_list
from harness.report.writers.csv_json import to_json
from harness.report.writers.overview import overview
from harness.report.writers.text_markdown import escape, markdown, terminal
from harness.store.rechecks import RecheckRecord, recheck_path, rechecked_evaluations
from harness.store.results import Results


@pytest.fixture
def results(finished, tmp_path, data_root, monkeypatch):
    """The toy's trained runs, rechecked."""
    shutil.copytree(finished[0], tmp_path / "results")
    assert main(["--results", str(tmp_path / "results"), "--data", str(data_root), "recheck"]) == 0
    return Results(tmp_path / "results")


def report_of(results):
    import toy_paper

    return build(toy_paper.PAPER, toy_paper.TABLES[0], toy_paper.PAPER.scale("laptop"), results)


@pytest.fixture
def bundle(results, tmp_path):
    write_bundle(tmp_path / "bundle", [report_of(results)], results)
    return tmp_path / "bundle"


def test_a_bundle_carries_them_and_shows_them(results, bundle, capsys):
    with open_bundle(bundle) as opened:
        for directory in opened.results.all():
            assert rechecked_evaluations(directory) == rechecked_evaluations(results.directory(directory.run())) != {}
        shown = to_json(report_of(Results(opened.results.root)))["rechecked"]
    assert shown == to_json(report_of(results))["rechecked"]
    capsys.readouterr()
    before = sorted(bundle.rglob("*"))
    assert main(["recheck", "--from", str(bundle)]) == 0
    said = capsys.readouterr()
    assert sorted(bundle.rglob("*")) == before, "a bundle is never written into"
    lines = said.out.splitlines()
    assert lines[-1].startswith("kept in the bundle: 15 numbers of 2 runs rechecked: numpy ")
    assert lines[-1].endswith("; none differs by more than rounding")
    assert any(line.startswith("not recomputed: features.npy is not in the bundle (10 numbers") for line in lines)
    assert main(["recheck", "--from", str(bundle), results.all()[0].id, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (run,) = document["runs"]
    assert document["kept"]["runs"] == 1
    assert run["run"] == results.all()[0].id


def test_a_bundle_without_them_is_read(results, tmp_path):
    for run in results.all():
        recheck_path(run).unlink()
    write_bundle(tmp_path / "plain", [report_of(results)], results)
    with open_bundle(tmp_path / "plain") as opened:
        assert not any(map(rechecked_evaluations, opened.results.all()))
        found = to_json(report_of(opened.results))["rechecked"]
        assert found == {"runs": 0, "numbers": 0, "differing": 0, "libraries": []}


def test_a_falsified_recheck_is_refused_with_its_bundle(results, tmp_path):
    bundle = tmp_path / "bundle.zip"
    write_bundle(bundle, [report_of(results)], results)
    path = recheck_path(results.all()[0])
    name, content = path.relative_to(results.root).as_posix(), path.read_bytes()
    assert name in manifest_of(bundle).files
    damaged = rewritten(bundle, tmp_path / "damaged.zip", put(name, content.replace(b"0.0", b"0.1", 1)))
    with pytest.raises(HarnessError, match=r"recheck\.json: .*SHA-256"), open_bundle(damaged):
        pass
    odd = content.replace(b'"evaluations": {\n    "', b'"evaluations": {\n    "../../', 1)
    assert odd != content
    with (
        pytest.raises(HarnessError, match=r"recheck\.json: "),
        open_bundle(rewritten(bundle, tmp_path / "odd.zip", put(name, odd))),
    ):
        pass


def test_a_damaged_or_outdated_one_is_left_out(results, tmp_path):
    first, second = results.all()
    recheck_path(first).write_text("{}")
    for path in second.counting_records():
        kind = path.stem.partition("-")[0]
        plant_value(second, kind, next(iter(json.loads(path.read_text())["quantities"])), lambda value: value + 1)
    manifest, left_out = write_bundle(tmp_path / "bundle", [report_of(results)], results)
    assert not any(name.endswith("recheck.json") for name in manifest.files) and not left_out


def test_the_page_and_the_json_say_how_far_libraries_agree(results):
    report = report_of(results)
    summary = str(contents([report], results, {}).parts["summary"])
    assert "<dt>Recheck</dt><dd>15 numbers of 2 runs rechecked: numpy " in summary
    assert "pytorch-fid 0.3.0 to " in summary and "none differs by more than rounding" in summary
    found = to_json(report)["rechecked"]
    assert (found["runs"], found["numbers"], found["differing"]) == (2, 15, 0)
    (distance,) = [each for each in found["libraries"] if each["name"].startswith("pytorch-fid")]
    assert distance["numbers"] == 2 and 0 <= distance["largest_difference"] < 1e-6


def test_a_difference_is_on_the_page(results, data_root):
    run = results.all()[0]
    plant_value(run, "generation", "recall", lambda value: value + 0.5)
    assert main(["--results", str(results.root), "--data", str(data_root), "recheck", run.id]) == 1
    fresh = Results(results.root)
    assert "; 1 differs by more than rounding" in str(contents([report_of(fresh)], fresh, {}).parts["summary"])
    assert to_json(report_of(fresh))["rechecked"]["differing"] == 1
    assert record_of(run, "generation").stem in RecheckRecord.load(recheck_path(run)).evaluations


def test_every_text_says_that_claims_may_be_wrong_because_of_a_difference(results, data_root):
    for text in map(str, (terminal(report_of(results)), markdown(report_of(results)), table(report_of(results)))):
        assert "Recheck: " not in text
    run = next(run for run in results.all() if any(run.evaluations.glob("accuracy-*.json")))
    plant_value(run, "generation", "frechet_distance", lambda value: 2 * value)
    assert main(["--results", str(results.root), "--data", str(data_root), "recheck", run.id]) == 1
    report = report_of(Results(results.root))
    row = next(row.row.key for row in report.rows if row.cells[0].measured and run.id in row.cells[0].measured.runs)
    recorded = json.loads(record_of(run, "generation").read_text())["quantities"]["frechet_distance"]["value"]
    differs = (
        f"Recheck: 1 of 15 numbers differs by more than rounding ({row}, {report.label(FID)}: recorded {recorded:.4g}, "
        f"recomputed {recorded / 2:.4g} by pytorch-fid and {recorded / 2:.4g} by torch-fidelity); "
        "claims that use it may be wrong."
    )
    assert differs in " ".join(terminal(report).split())
    assert escape(differs) in markdown(report)
    assert tex(differs) in table(report)
    assert differs in unescape(str(contents([report], Results(results.root), {}).parts[report.exhibit.name]))
    assert f"{report.exhibit.name}: {differs}" in claims_list.terminal([report])
    assert f"{report.exhibit.name}: {differs}" in " ".join(overview([report], [report]).split())


def test_a_difference_that_an_exhibit_does_not_use_is_not_said(results, data_root):
    run = next(run for run in results.all() if any(run.evaluations.glob("accuracy-*.json")))
    plant_value(run, "accuracy", "accuracy", lambda value: value - 1)
    assert main(["--results", str(results.root), "--data", str(data_root), "recheck", run.id]) == 1
    import toy_paper

    whole = toy_paper.TABLES[0]
    without = replace(whole, metrics=(FID,), rows=tuple(replace(row, reported=(1.0,)) for row in whole.rows), claims=())
    fresh = Results(results.root)
    assert "Recheck: 1 of " in terminal(report_of(fresh))
    assert "Recheck: " not in terminal(build(toy_paper.PAPER, without, toy_paper.PAPER.scale("laptop"), fresh))


def test_without_rechecks_the_page_says_nothing(tmp_path):
    results = Results(tmp_path)
    paper, table = find_exhibits(["hybvit/table6"])[0]
    report = build(paper, table, paper.scale("laptop"), results)
    assert "Recheck" not in str(contents([report], results, {}).parts["summary"])
