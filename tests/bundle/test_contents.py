"""Bundle contents: a round trip preserves everything that reports show."""

import hashlib
import json
import os
import shutil
import zipfile

import numpy as np
import pytest
from bundles import SELECTION, first, reports_of, rewritten

from harness.bundle.contents import arrays
from harness.bundle.manifest import BundleError
from harness.bundle.reading import open_bundle
from harness.bundle.writing import write_bundle
from harness.config.base import sha256_of_json
from harness.errors import SpecError
from harness.registry.figures import SampleStrips
from harness.report.figures.render import write_figures
from harness.report.results.skipped_runs import skipped_runs
from harness.report.writers.csv_json import json_text
from harness.store.results import Results


def without_origin(report):
    return json.loads(json_text(report)) | {"origin": "", "answer": {}}


@pytest.mark.parametrize("name", ["b.zip", "folder"])
def test_what_is_read_is_what_was_bundled(measured, tmp_path, name):
    own = reports_of(measured)
    manifest, left_out = write_bundle(tmp_path / name, own, measured)
    assert left_out == []
    assert manifest.exhibits == tuple(f"hybvit/{exhibit.name}" for _, exhibit in SELECTION)
    assert manifest.commits == (f"{'c' * 40} with changes",)
    with open_bundle(tmp_path / name, report=tmp_path / "report") as bundle:
        theirs = reports_of(bundle.results)
        assert [without_origin(report) for report in theirs] == [without_origin(report) for report in own]
        assert bundle.manifest == manifest
        names = {path.name for path in bundle.results.runs.rglob("*") if path.is_file()}
        assert not names & {"weights.safetensors", "features.npy", "logits.npy", "lease.1"}
        assert {"samples.npy", "own_logits.npy", "bins.npy"} <= names
        logs = {directory.log.read_text() for directory in bundle.results.all()}
        assert logs == {"".join(f"line {number}\n" for number in range(60, 100))}
        unpacked = bundle.results.root
        assert unpacked != tmp_path / name
    assert not unpacked.exists()


def test_figures_of_a_bundle_are_those_of_the_results(measured, whole, tmp_path):
    drawn = {}
    with open_bundle(whole) as bundle:
        for name, root in (("own", measured.root), ("theirs", bundle.results.root)):
            results = Results(root, tmp_path / name)
            paths = [path for report in reports_of(results)[::2] for path in write_figures(report, results, ("png",))]
            drawn[name] = {path.name: path.read_bytes() for path in paths}
    assert {"table6-samples.png", "figure12.png"} <= drawn["own"].keys()
    assert drawn["own"] == drawn["theirs"]


def test_arrays_are_cut_to_what_figures_draw_and_say_of_what(measured, whole):
    with open_bundle(whole) as bundle:
        excerpts = bundle.manifest.excerpts
        assert excerpts
        for name, excerpt in excerpts.items():
            original = measured.root / name
            assert (excerpt.rows, excerpt.of) == (16, 500)
            assert excerpt.sha256 == hashlib.sha256(original.read_bytes()).hexdigest()
            assert np.array_equal(np.load(bundle.results.root / name), np.load(original)[:16])
        complete = [name for name in bundle.manifest.files if name.endswith("samples.npy") and name not in excerpts]
        assert len(complete) == 1, "figure 10 selects from all samples"


def test_equal_contents_make_equal_bytes(measured, whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(measured.root, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    write_bundle(tmp_path / "again.zip", reports_of(Results(copy)), Results(copy))
    assert (tmp_path / "again.zip").read_bytes() == whole.read_bytes()
    with zipfile.ZipFile(whole) as archive:
        assert "report/hybvit/report.html" in archive.namelist()


def test_runs_of_another_version_are_named(whole, tmp_path):
    def change(files, manifest):
        name = first(files, "config.json")
        document = json.loads(files[name])
        document["config"]["semantics"] = 1
        document["id"] = sha256_of_json(document["config"])[:12]
        old = name.split("/")[1]
        return {key.replace(old, document["id"]): value for key, value in files.items()} | {
            f"runs/{document['id']}/config.json": json.dumps(document).encode()
        }

    with open_bundle(rewritten(whole, tmp_path / "old.zip", change)) as bundle:
        (said,) = skipped_runs(bundle.results)
        assert said.startswith("1 of ")
        assert f"to show them, check out commit {'c' * 9}" in said
    with open_bundle(whole) as bundle:
        assert not list(skipped_runs(bundle.results))


def test_nothing_to_bundle_is_said(tmp_path):
    with pytest.raises(BundleError, match="has no run of these exhibits"):
        write_bundle(tmp_path / "b.zip", reports_of(Results(tmp_path)), Results(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [("outcome.json", '{"state": "failed", "finished": "2026-01-01T00:00:00Z", "error": "\\u001b[31m"}',
      "cannot bundle runs/.*/outcome.json, since readers would refuse it: it contains control characters"),
     ("metrics.jsonl", '{"step": 1}\n' * 2**19, "cannot bundle runs/.*/metrics.jsonl: it has .* bytes, more than")],
)  # fmt: skip
def test_what_a_reader_would_refuse_is_not_bundled(measured, tmp_path, name, content, why):
    results = Results(shutil.copytree(measured.root, tmp_path / "results"))
    (results.all()[0].path / name).write_text(content)
    with pytest.raises(BundleError, match=why):
        write_bundle(tmp_path / "b.zip", reports_of(results), results)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_only_the_end_of_a_log_is_read(measured, tmp_path):
    results = Results(shutil.copytree(measured.root, tmp_path / "results"))
    os.truncate(results.all()[0].log, 2**40)
    assert write_bundle(tmp_path / "b.zip", reports_of(results), results)
    with open_bundle(tmp_path / "b.zip") as bundle:
        assert bundle.results.all()[0].log.stat().st_size == 2**16


def test_arrays_of_a_drawing_that_are_no_numbers_of_rows_are_refused(measured, monkeypatch):
    monkeypatch.setattr(SampleStrips, "arrays", ["samples"])
    with pytest.raises(SpecError, match=r"plot SampleStrips: arrays is \['samples'\] \(list\), not a mapping"):
        list(arrays(reports_of(measured), measured))
