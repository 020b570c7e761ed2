"""Parts of a bundle, each on its own: allowed names, valid files, limits, and what is taken from the results."""

import dataclasses
import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
from toy_paper import DENOISING, FIGURE, HYBRID, PAPER, TABLES
from vouching import vouch

from harness.bundle import contents, reading
from harness.bundle.checks import check
from harness.bundle.contents import BundleEntry
from harness.bundle.manifest import BundleError, BundleManifest, Excerpt, kind_of
from harness.bundle.reading import Bundle, is_bundle, manifest_of, open_bundle
from harness.bundle.writing import check_place, write_bundle
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


@pytest.mark.parametrize(
    ("kind", "names", "others"),
    [
        ("config", ["config.json"], ["config.jsonx", "config_json", "x/config.json", "CONFIG.json"]),
        ("training", ["training.json"], ["training.npy"]),
        ("outcome", ["outcome.json"], ["outcomes.json"]),
        ("segment", ["segments/1.json", "segments/123456789.json"], ["segments/1234567890.json", "segments/a.json"]),
        ("request", [f"requests/{NAME}.json"], ["requests/accuracy-0123abc.json", "requests/accuracy.json"]),
        (
            "evaluation",
            [
                f"evaluations/{NAME}.json",
                f"evaluations/{'k' * 64}-{'0' * 8}.json",
                "evaluations/A.b+c_d-1-01234567.json",
            ],
            [f"evaluations/{'k' * 65}-{'0' * 8}.json", f"evaluations/-{'0' * 8}.json", "evaluations/.b-01234567.json"],
        ),
        ("curve", ["metrics.jsonl"], ["metrics.json"]),
        ("log", ["log.txt"], ["log.txt.gz"]),
        ("array", [f"evaluations/{NAME}/own_logits1.npy"], [f"evaluations/{NAME}/a.npz", f"evaluations/{NAME}/A.npy"]),
    ],
)
def test_files_of_a_run_have_their_names(kind, names, others):
    assert {kind_of(f"runs/{RUN}/{name}") for name in names} == {kind}
    wrong = [f"runs/{RUN}/{name}" for name in others] + [f"runs/{RUN[:-1]}/{name}" for name in names]
    assert {kind_of(name) for name in [*wrong, *names, *(f"runs/{RUN.upper()}/{name}" for name in names)]} == {None}


def test_files_of_a_report_lie_in_two_to_four_folders():
    long = "a" * 100
    allowed = ("report/toy/x.html", "report/toy/a/b.png", "report/toy/a/b/c.png", f"report/{long}/{long}")
    refused = (
        "report/x.html",
        "report/a/b/c/d/e",
        "report/toy/.x",
        f"report/toy/{long}a",
        "report/toy/-x",
        "reports/a/b",
    )
    assert {kind_of(name) for name in allowed} == {"report"} and {kind_of(name) for name in refused} == {None}


def saved(array, version=(1, 0)):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=version)
    return stream.getvalue()


def document(**fields):
    config = {"a": 1}
    run = hashlib.sha256(b'{"a":1}').hexdigest()[:12]
    return run, json.dumps({"id": run, "name": "n" * 200, "config": config} | fields).encode()


def record(**fields):
    return json.dumps(
        {"evaluation": EVALUATION, "quantities": {}, "weights_sha256": "", "seconds": 1} | fields
    ).encode()


ARRAY, CURVE, CONFIG = f"evaluations/{NAME}/a.npy", "metrics.jsonl", "config.json"
SEGMENT = {"host": "h", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}, "seconds": 1}


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        *(
            ("array", ARRAY, saved(np.zeros(shape, dtype)))
            for shape in ((3,), (2, 1, 1, 2), (0, 4))
            for dtype in "?iBf"
        ),
        ("array", ARRAY, saved(np.zeros((2, 3)).T)),
        ("curve", CURVE, b'{"step": 1, "loss": 0.5}\n{"step": 2}\n'),
        ("curve", CURVE, b""),
        ("config", CONFIG, document()[1]),
        ("config", CONFIG, document(name="a\tb\nä")[1]),
        ("evaluation", f"evaluations/{NAME}.json", record()),
        ("request", f"requests/{NAME}.json", json.dumps(EVALUATION).encode()),
        ("outcome", "outcome.json", b'{"state": "done", "finished": "2026-01-01T00:00:00Z"}'),
        ("segment", "segments/1.json", json.dumps(SEGMENT | {"started": "2026-01-01T00:00:00Z"}).encode()),
        ("log", "log.txt", b"\x1b\xff"),
    ],
)
def test_valid_files_are_accepted(tmp_path, kind, name, content):
    run = document()[0] if kind == "config" else RUN
    (tmp_path / "copy").write_bytes(content)
    check(kind, f"runs/{run}/{name}", tmp_path / "copy")


@pytest.mark.parametrize(
    ("kind", "name", "content", "says"),
    [
        ("array", ARRAY, saved(np.zeros(())), "it claims the shape"),
        (
            "array",
            ARRAY,
            saved(np.zeros((1, 1, 1, 1, 1))),
            r"it claims the shape \(1, 1, 1, 1, 1\), which no array of a run has",
        ),
        ("array", ARRAY, saved(np.zeros(3)) + b"x", "it claims the shape"),
        ("array", ARRAY, saved(np.zeros(3)), "^$"),
        ("array", ARRAY, saved(np.zeros(3), version=(2, 0)), "it is not an array of format 1.0"),
        ("array", ARRAY, saved(np.zeros(3, "c8")), "it contains complex64, not plain numbers"),
        ("array", ARRAY, saved(np.zeros(3, "M8[s]")), "not plain numbers"),
        ("array", ARRAY, saved(np.zeros(3, "i4,f4")), "not plain numbers"),
        ("curve", CURVE, b"[1]\n", "a line is not a point of a curve"),
        ("curve", CURVE, b'{"a": true}\n', "a line is not a point of a curve"),
        ("curve", CURVE, b'{"a": 1}\n{"a": null}\n', "a line is not a point of a curve"),
        ("config", CONFIG, document(name="n" * 201)[1], "it has no named configuration"),
        ("config", CONFIG, document(name=3)[1], "it has no named configuration"),
        ("config", CONFIG, document(config=[])[1], "it has no named configuration"),
        ("config", CONFIG, b"[]", "it has no named configuration"),
        (
            "config",
            CONFIG,
            document(config={"a": 2})[1],
            "it is the configuration of run .*, but its folder has another name",
        ),
        ("config", CONFIG, document(id=OTHER)[1], "but its folder has another name"),
        *(
            ("config", CONFIG, document(name=f"a{char}b")[1], "control characters|lone surrogate")
            for char in "\x00\x08\x0b\x1b\x1f\x7f\x9f\u202a\u202e\u2066\u2069\ud800\udfff"
        ),
        ("config", CONFIG, document(config={"\x1b": 1})[1], "control characters|lone surrogate"),
        ("config", CONFIG, document(config={"a": [{"b": ["\x1b"]}]})[1], "control characters|lone surrogate"),
        (
            "evaluation",
            f"evaluations/{NAME}.json",
            record(evaluation=EVALUATION | {"split": "x"}),
            "its name does not match",
        ),
        ("evaluation", f"evaluations/{NAME}.json", record(seconds="x"), "^seconds: Input should be a valid number"),
        ("request", f"requests/{NAME}.json", b'{"kind": "accuracy"}', "its name does not match its evaluation"),
        ("request", f"requests/{NAME}.json", b"[]", "its name does not match its evaluation"),
        ("outcome", "outcome.json", b'{"state": "odd", "finished": "2026-01-01T00:00:00Z"}', "^state: Input should be"),
        ("training", "training.json", b"{", "Expecting property name"),
        ("training", "training.json", b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_invalid_files_are_refused(tmp_path, kind, name, content, says):
    run = document()[0] if kind == "config" else RUN
    (tmp_path / "copy").write_bytes(content[:-1] if says == "^$" else content)
    with pytest.raises(ValueError, match="it claims the shape" if says == "^$" else says):
        check(kind, f"runs/{run}/{name}", tmp_path / "copy")


FIELDS = {
    "format": 1, "harness": "0.1.0", "semantics": 2, "scale": "laptop", "exhibits": ["toy/table1"], "commits": ["c"],
    "runs": 0, "files": {},
}  # fmt: skip


def packed(path, files=None, **fields):
    """Write a bundle of `{name: content}` by hand, an archive or a folder."""
    listed = {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in (files or {}).items()
    }
    manifest = json.dumps(FIELDS | {"files": listed} | fields).encode()
    everything = {**(files or {}), "manifest.json": manifest}
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in everything.items():
                archive.writestr(name, content)
    else:
        for name, content in everything.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"format": 2}, "^here is a bundle of format 2: this version reads format 1$"),
        ({"format": 0}, "^here is a bundle of format 0"),
        ({"runs": -1}, "^here is not a bundle: its manifest.json: 'runs': Input should be greater than or equal to 0"),
        ({"scale": "a" * 201}, "'scale': String should match"),
        ({"commits": ["\x1b"]}, "'commits.0': String should match"),
        ({"files": {"a": {"bytes": 1, "sha256": "A" * 64}}}, "'files.a.sha256': String should match"),
        ({"files": {"a": {"bytes": 1, "sha256": "a" * 65}}}, "'files.a.sha256': String should match"),
        ({"more": 1}, "'more': Extra inputs"),
    ],
)
def test_a_manifest_of_another_form_is_refused(fields, says):
    with pytest.raises(BundleError, match=says):
        BundleManifest.read(json.dumps(FIELDS | fields).encode(), "here")
    read = BundleManifest.read(json.dumps(FIELDS | {"scale": "a" * 200}).encode(), "here")
    assert (read.scale, read.excerpts, read.commits) == ("a" * 200, {}, ("c",))


FILES = {
    f"runs/{document()[0]}/config.json": document()[1],
    f"runs/{document()[0]}/log.txt": b"12345",
    "report/toy/x.html": b"<p>",
}
SIZE = sum(map(len, FILES.values()))


@pytest.mark.parametrize("name", ["b.zip", "folder"])
def test_a_bundle_is_opened_without_its_reports(tmp_path, name):
    path = packed(tmp_path / name, FILES)
    assert is_bundle(path) and manifest_of(path).files.keys() == FILES.keys()
    with open_bundle(path, tmp_path / "out") as bundle:
        root = bundle.results.root
        found = {item.relative_to(root).as_posix(): item.read_bytes() for item in root.rglob("*") if item.is_file()}
        assert found == {name: content for name, content in FILES.items() if name.startswith("runs/")}
        assert (bundle.results.label, bundle.results.report) == (f"bundle {name}", tmp_path / "out")
        with pytest.raises(dataclasses.FrozenInstanceError):
            bundle.manifest = None
    assert not root.exists()
    assert isinstance(bundle, Bundle) and not is_bundle(tmp_path) and not is_bundle(tmp_path / "absent")


@pytest.mark.parametrize("name", ["b.zip", "folder"])
@pytest.mark.parametrize(
    ("limit", "largest", "says"),
    [
        (
            "MAX_TOTAL_BYTES",
            SIZE,
            r"has .* bytes in all, more than the limit of|unpacks to|has more than .* bytes: refused",
        ),
        ("DOCUMENT_BYTES", len(document()[1]), "config.json has .* bytes, more than the limit of"),
        (
            "MAX_MANIFEST_BYTES",
            len(json.dumps(FIELDS)) + 300,
            "manifest.json has more than .* bytes: refused",
        ),
    ],
)
def test_a_bundle_may_reach_each_limit_but_not_exceed_it(tmp_path, monkeypatch, name, limit, largest, says):
    path = packed(tmp_path / name, FILES)
    size = sum(len(content) for content in FILES.values())
    assert size == SIZE
    if limit == "MAX_MANIFEST_BYTES":
        text = (path / "manifest.json").read_bytes() if path.is_dir() else zipfile.ZipFile(path).read("manifest.json")
        largest = len(text)
    if limit == "MAX_TOTAL_BYTES" and path.is_file():  # the archive counts its manifest, too
        with zipfile.ZipFile(path) as archive:
            largest = max(sum(info.file_size for info in archive.infolist()), path.stat().st_size)
    monkeypatch.setattr(reading, limit, largest)
    with open_bundle(path):
        pass
    monkeypatch.setattr(reading, limit, largest - 1)
    with pytest.raises(BundleError, match=says), open_bundle(path):
        pytest.fail("it was opened")


def test_limits_are_of_bytes():
    assert (reading.MAX_TOTAL_BYTES, reading.DOCUMENT_BYTES, reading.MAX_MANIFEST_BYTES) == (
        2_147_483_648,
        4_194_304,
        8_388_608,
    )


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (ZeroDivisionError("a\n b"), r"records that cannot be shown \(ZeroDivisionError: a b\)"),
        (AttributeError("a"), r"\(AttributeError: a\)"),
        (KeyError("a"), r"\(KeyError: 'a'\)"),
        (TypeError("a"), r"\(TypeError: a\)"),
        (ValueError("a" * 161), r"\(ValueError: a{160}\)$"),
        (BundleError("as it is"), "^as it is$"),
    ],
)
def test_errors_while_a_bundle_is_open_are_its_own(tmp_path, raised, says):
    with pytest.raises(BundleError, match=says), open_bundle(packed(tmp_path / "b.zip", FILES)):
        raise raised
    with pytest.raises(RuntimeError, match="mine"), open_bundle(tmp_path / "b.zip"):
        raise RuntimeError("mine")


def test_a_place_is_free_if_nothing_or_a_bundle_is_there(tmp_path):
    check_place(tmp_path / "absent")
    check_place(tmp_path)
    for name in ("b.zip", "folder"):
        check_place(packed(tmp_path / name, FILES))
    for make in (lambda: tmp_path, lambda: tmp_path / "text.zip"):
        (tmp_path / "text.zip").write_bytes(b"")
        with pytest.raises(BundleError, match=r"exists and is not a bundle, not replaced: give another name \("):
            check_place(make())
    (tmp_path / "folder/runs/new").write_text("")
    with pytest.raises(BundleError, match="contains more than its bundle, not replaced: move runs/new away"):
        check_place(tmp_path / "folder")
    with pytest.raises(BundleError, match="absent does not exist"):
        manifest_of(tmp_path / "absent")


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
        Segment(started="2026-01-01T00:00:00Z", **SEGMENT).save(directory.segments / "1.json")
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
    Segment(started="2026-01-01T00:00:00Z", **SEGMENT | {"commit": "d" * 40, "dirty": True}).save(
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
