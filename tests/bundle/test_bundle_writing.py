"""Writing a bundle: what is taken from the results, and what it lists."""

import io
import zipfile

import numpy as np
import pytest
from bundles import UNDATED
from toy_paper import DENOISING, FIGURE, HYBRID, PAPER, TABLES
from vouching import vouch

from harness.bundle import contents
from harness.bundle.contents import BundleEntry
from harness.bundle.manifest import Excerpt
from harness.bundle.reading import manifest_of, open_bundle
from harness.bundle.writing import write_bundle
from harness.config.evaluations import Accuracy, Likelihood
from harness.registry.exhibit import Figure
from harness.registry.figures import ReliabilityDiagrams, SampleGrids
from harness.report.results.report import build
from harness.store.arrays import load_array, save_array
from harness.store.files import StoreError, sha256_of
from harness.store.records import EvaluationRecord, Measurement, Segment
from harness.store.results import Results

RUN, OTHER = "0123456789ab", "a" * 12
EVALUATION = Accuracy().model_dump(mode="json")
NAME = Accuracy().id


@pytest.fixture
def results(tmp_path):
    """Results of the toy paper: two seeds of one run, one of another."""
    results = Results(tmp_path / "results")
    protocol = PAPER.protocol(TABLES[0].metrics[1], HYBRID)
    for run in (HYBRID, HYBRID.but(seed=1), DENOISING):
        directory = results.directory(run)
        directory.request(run, [protocol, Likelihood()])
        for name, rows in (("samples", 40), ("bins", 20)):
            save_array(directory.artefacts(protocol) / f"{name}.npy", np.arange(rows * 2).reshape(rows, 2))
        EvaluationRecord(
            evaluation=protocol.model_dump(mode="json"), quantities={"frechet_distance": Measurement(value=1.0, n=1)},
            weights_sha256="0" * 64, seconds=1.0,
        ).save(directory.record_path(protocol))  # fmt: skip
        vouch(directory)
        Segment(started="2026-01-01T00:00:00Z", **UNDATED).save(directory.segments / "1.json")
        directory.log.write_text("".join(f"{number}\n" for number in range(50)))
        directory.metrics.write_text("{}\n")
    return results


def reports(results, *exhibits):
    return [build(PAPER, exhibit, PAPER.scale("laptop"), results) for exhibit in exhibits or TABLES[:1]]


def test_runs_of_all_seeds_are_taken_and_no_others(results):
    stranger = HYBRID.but(seed=3)
    results.directory(stranger).request(stranger, [])
    found = contents.runs(reports(results, *TABLES), results)
    assert [directory.id for directory in found] == sorted([HYBRID.id, HYBRID.but(seed=1).id, DENOISING.id])


def test_records_are_taken_as_they_are_with_the_end_of_the_log(results):
    directory = results.directory(HYBRID)
    entries = {entry.name: entry.content for entry in contents.records([directory], results)}
    record = directory.record_path(PAPER.protocol(TABLES[0].metrics[1], HYBRID))
    names = ["config.json", "metrics.jsonl", "training.json", "log.txt"]
    names += ["segments/0.json", "segments/1.json", f"evaluations/{record.name}"]
    assert sorted(entries) == sorted(
        f"runs/{HYBRID.id}/{name}" for name in [*names, f"requests/{Likelihood().id}.json"]
    )
    for name, content in entries.items():
        assert name.endswith("log.txt") or content == (results.root / name).read_bytes()
    assert entries[f"runs/{HYBRID.id}/log.txt"] == b"".join(b"%d\n" % number for number in range(10, 50))


@pytest.mark.parametrize(
    ("plots", "expected"),
    [
        ([SampleGrids(side=3)], {"samples": (9, 40)}),
        ([SampleGrids(side=3), SampleGrids(side=5), SampleGrids(side=2)], {"samples": (25, 40)}),
        ([SampleGrids(side=7)], {"samples": None}),
        ([ReliabilityDiagrams()], {"bins": None}),
    ],
)
def test_arrays_are_cut_to_the_most_rows_that_a_plot_reads(results, plots, expected):
    exhibits = [
        Figure(number=number, title="t", metrics=FIGURE.metrics, rows=FIGURE.rows, plot=plot)
        for number, plot in enumerate(plots)
    ]
    entries = list(contents.arrays(reports(results, *exhibits), results))
    assert len(entries) == 2 * len(expected), "only the runs with seed 0"
    for entry in entries:
        name = entry.name.rpartition("/")[2].removesuffix(".npy")
        cut = expected[name]
        sha256 = sha256_of(results.root / entry.name)
        assert entry.excerpt == (Excerpt(rows=cut[0], of=cut[1], sha256=sha256) if cut else None)
        whole = load_array(results.root / entry.name)
        assert np.array_equal(np.load(io.BytesIO(entry.content)), whole[: cut[0] if cut else None])
    assert {entry.name.split("/")[1] for entry in entries} == {HYBRID.id, DENOISING.id}


def test_reports_are_taken_without_hidden_files_and_links(tmp_path):
    results = Results(tmp_path)
    for name in ("toy/b.html", "toy/figures/a.png", "toy/.hidden", "toy/.folder/x", "other/c.html"):
        (results.report / name).parent.mkdir(parents=True, exist_ok=True)
        (results.report / name).write_text(name)
    (results.report / "toy/link").symlink_to(results.report / "other/c.html")
    assert list(contents.report_files(["toy", "absent"], results)) == [
        BundleEntry("report/toy/b.html", b"toy/b.html"), BundleEntry("report/toy/figures/a.png", b"toy/figures/a.png")
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["b.zip", "B.ZIP", "folder", "folder.zip.d"])
def test_a_bundle_lists_what_it_holds(results, tmp_path, name):
    path = tmp_path / name
    for odd in ("toy/x.html", "toy/odd name"):
        (results.report / odd).parent.mkdir(parents=True, exist_ok=True)
        (results.report / odd).write_text("x")
    Segment(started="2026-01-01T00:00:00Z", **UNDATED | {"commit": "d" * 40, "dirty": True}).save(
        results.directory(HYBRID).segments / "2.json"
    )
    for _ in range(2):
        manifest, left_out = write_bundle(path, reports(results), results)
    zipped = name.lower().endswith(".zip")
    assert left_out == (["report/toy/odd name"] if zipped else [])
    assert (manifest.format, manifest.semantics, manifest.scale, manifest.exhibits, manifest.runs) == (
        1, 2, "laptop", ("toy/table101",), 3
    )  # fmt: skip
    assert manifest.commits == (f"{'d' * 40} with changes",)
    assert ("report/toy/x.html" in manifest.files) is zipped is path.is_file()
    assert list(manifest.files) == sorted(manifest.files) and manifest == manifest_of(path)
    with open_bundle(path) as bundle:
        for file in manifest.files:
            if file.startswith("runs/") and not file.endswith("log.txt") and file not in manifest.excerpts:
                assert (bundle.results.root / file).read_bytes() == (results.root / file).read_bytes()
    if zipped:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
        assert {
            (info.date_time, info.create_system, info.external_attr >> 16, info.compress_type) for info in infos
        } == {((1980, 1, 1, 0, 0, 0), 3, 0o100644, zipfile.ZIP_DEFLATED)}
        assert infos[-1].filename == "manifest.json"
    assert [item.name for item in tmp_path.iterdir() if item.name != "results"] == [name]


def test_a_folder_that_cannot_be_renamed_is_as_before(results, tmp_path, monkeypatch):
    path = tmp_path / "folder"

    def full(self, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "rename", full)
        with pytest.raises(StoreError, match="No space left on device; nothing was lost"):
            write_bundle(path, reports(results), results)
    assert [item.name for item in tmp_path.iterdir()] == ["results"]
    write_bundle(path, reports(results), results)
    before = (path / "manifest.json").stat().st_ino
    rename, calls = type(path).rename, []

    def fail(self, target):
        calls.append(self.name)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(type(path), "rename", fail)
    with pytest.raises(StoreError, match="No space left on device; nothing was lost"):
        write_bundle(path, reports(results), results)
    assert (path / "manifest.json").stat().st_ino == before
    assert sorted(item.name for item in tmp_path.iterdir()) == ["folder", "results"]
