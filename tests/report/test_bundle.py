"""Bundles: what is written is what is read, and whatever is damaged or hostile is refused in one line."""

import hashlib
import io
import json
import os
import pickle
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from reports import fill

from harness.report.build import build
from harness.report.bundle import reading
from harness.report.bundle.manifest import MANIFEST, BundleError
from harness.report.bundle.reading import open_bundle
from harness.report.bundle.writing import write_bundle
from harness.report.data import json_text
from harness.report.figures import write_figures
from harness.report.outdated import outdated
from harness.spec.config import sha256_of_json
from harness.spec.registry import find_exhibits
from harness.store.arrays import save_array
from harness.store.files import StoreError, write_json
from harness.store.records import Segment, TrainingRecord
from harness.store.run_directory import Results

NAMES = ["hybvit/table6", "hybvit/figure10", "hybvit/figure12"]
SELECTION = find_exhibits(NAMES)
LOG = "".join(f"line {number}\n" for number in range(100))
SEGMENT = {
    "started": "2026-01-01T00:00:00Z", "seconds": 9.0, "host": "h", "device": "cpu", "threads": 1, "commit": "c" * 40,
    "dirty": True, "versions": {"torch": "2.13.0"},
}  # fmt: skip


def reports_of(results):
    return [build(paper, exhibit, paper.scale("laptop"), results) for paper, exhibit in SELECTION]


def keep_arrays(directory, record):
    """Save what an evaluation keeps, as large as a bundle must not become."""
    rng = np.random.default_rng(int(directory.id, 16))
    folder = record.with_suffix("")
    kinds = {
        "generation": {"samples": rng.integers(0, 256, (500, 1, 8, 8), dtype=np.uint8),
                       "own_logits": rng.normal(size=(500, 10)).astype(np.float32),
                       "features": rng.normal(size=(500, 48)).astype(np.float32)},
        "calibration": {"bins": rng.random((20, 3)), "logits": rng.random((360, 10))},
    }  # fmt: skip
    arrays = kinds.get(record.stem.partition("-")[0], {})
    for name, array in arrays.items():
        save_array(folder / f"{name}.npy", array)
    document = json.loads(record.read_text())
    document["artefacts"] = {
        f"{name}.npy": hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest() for name in arrays
    }
    write_json(record, document)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Results with everything that real ones have, weights and leases too."""
    results = Results(tmp_path_factory.mktemp("measured"))
    for paper, exhibit in SELECTION:
        fill(results, paper, exhibit, paper.scale("laptop"), seeds=2)
    for directory in results.all():
        for record in directory.evaluations.glob("*.json"):
            keep_arrays(directory, record)
        TrainingRecord(iterations=1, parameters=2, weights_sha256="0" * 64, data_sha256="1" * 64).save(
            directory.training
        )
        Segment(**SEGMENT).save(directory.segments / "1.json")
        directory.metrics.write_text('{"epoch": 1, "step": 9, "test_accuracy": 50.0}\n')
        directory.log.write_text(LOG)
        directory.weights.write_bytes(bytes(10_000))
        (directory.path / "lease.1").touch()
    return results


@pytest.fixture(scope="module")
def whole(measured, tmp_path_factory):
    """A bundle of them."""
    path = tmp_path_factory.mktemp("whole") / "whole.zip"
    reports = reports_of(measured)
    (measured.report / "hybvit").mkdir(parents=True, exist_ok=True)
    (measured.report / "hybvit" / "report.html").write_text("<p>written</p>")
    write_bundle(path, reports, measured)
    return path


def without_origin(report):
    return json.loads(json_text(report)) | {"origin": ""}


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
            paths = [path for report in reports_of(results)[::2] for path in write_figures(report, results)]
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
        assert len(complete) == 1, "of figure 10, which chooses among all samples"


def test_equal_contents_make_equal_bytes(measured, whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(measured.root, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    write_bundle(tmp_path / "again.zip", reports_of(Results(copy)), Results(copy))
    assert (tmp_path / "again.zip").read_bytes() == whole.read_bytes()
    with zipfile.ZipFile(whole) as archive:
        assert "report/hybvit/report.html" in archive.namelist()


def rewritten(whole, path, change, *, listed=True):
    """Write a copy of a bundle with changed files, as somebody would who can make hashes too."""
    with zipfile.ZipFile(whole) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop(MANIFEST))
    files = change(files, manifest) or files
    if listed:
        manifest["files"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        }
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(MANIFEST, json.dumps(manifest))
    return path


def first(files, ending):
    return next(name for name in sorted(files) if name.endswith(ending))


def put(name, content):
    """Return a change that adds a file, or replaces the first whose name ends so."""

    def change(files, manifest):
        target = first(files, name[1:]) if name.startswith("*") else name
        files[target] = content(files[target]) if callable(content) else content

    return change


def altered(**fields):
    """Return a change of a JSON document."""
    return lambda content: json.dumps(json.loads(content) | fields).encode()


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def claiming(shape):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(16)


class Evil:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (str(Path(__file__).with_name("ran")),)


def swap_configs(files, manifest):
    one, other = sorted(name for name in files if name.endswith("config.json"))[:2]
    files[one], files[other] = files[other], files[one]


def relabel_record(files, manifest):
    one = next(name for name in sorted(files) if "/evaluations/accuracy" in name)
    record = json.loads(files[one])
    record["evaluation"]["split"] = "train"
    files[one] = json.dumps(record).encode()


def lose_config(files, manifest):
    del files[first(files, "config.json")]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (put("../evil.json", b"{}"), "'../evil.json' leads out of the archive"),
        (put("/etc/evil", b"{}"), "'/etc/evil' leads out of the archive"),
        (put("runs/../../evil", b"{}"), "leads out of the archive"),
        (put("C:/evil", b"{}"), "leads out of the archive"),
        (put("runs\\..\\evil", b"{}"), "leads out of the archive"),
        (put("setup.py", b"raise SystemExit"), "'setup.py', which is no file of a bundle"),
        (put("runs/0123456789ab/config.py", b""), "no file of a bundle"),
        (put("runs/0123456789ab/weights.safetensors", b""), "no file of a bundle"),
        (put("runs/0123456789ab/training.json\n", b"{}"), "no file of a bundle"),
        (put("runs/0123456789AB/config.json", b"{}"), "no file of a bundle"),
        (put("report/hybvit/.bashrc", b""), "no file of a bundle"),
        (put("report/hybvit/REPORT.html", b""), "differ in case only"),
        (put("runs/0123456789ab/training.json", b"{}"), "is of a run without config.json"),
        (lose_config, "of a run without config.json"),
        (swap_configs, "config.json: it is the configuration of run .*, not of the one"),
        (relabel_record, "not of the evaluation that it is named after"),
        (put("*config.json", altered(id="0" * 12)), "not of the one that its folder is named after"),
        (put("*config.json", altered(name="\x1b]0;owned\x07")), "control characters"),
        (put("*config.json", b'{"config": NaN}'), "no named configuration"),
        (put("*training.json", altered(weights="x")), r"training.json: weights: Extra inputs"),
        (put("*training.json", b"[" * 100_000), "nested too deep"),
        (put("*training.json", b"\xff\xfe"), "training.json: "),
        (put("*metrics.jsonl", b'{"epoch": "one"}\n'), "no point of a curve"),
        (put("*samples.npy", saved(np.array([Evil()], dtype=object))), "holds object, not plain numbers"),
        (put("*samples.npy", pickle.dumps(Evil())), "samples.npy: the magic string is not correct"),
        (put("*samples.npy", saved(np.zeros(3, dtype="U5"))), "not plain numbers"),
        (put("*samples.npy", claiming((2**40, 2**20))), "claims the shape"),
        (put("*samples.npy", claiming((-1, 4))), "claims the shape"),
        (put("*samples.npy", lambda content: content[:-1]), "claims the shape"),
    ],
)
def test_what_means_harm_is_refused_even_where_all_hashes_are_right(whole, tmp_path, change, match):
    path = rewritten(whole, tmp_path / "hostile.zip", change)
    with pytest.raises(BundleError, match=match) as caught, open_bundle(path):
        pytest.fail("it was opened")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert not Path(__file__).with_name("ran").exists()
    assert os.listdir(tmp_path) == ["hostile.zip"]


def forge(**fields):
    def change(files, manifest):
        manifest.update(fields)

    return change


def lie(**fields):
    """Return a change of what the manifest says of the first training record."""

    def change(files, manifest):
        manifest["files"][first(files, "training.json")].update(fields)

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (put("*training.json", lambda content: content.replace(b"1", b"2", 1)), "its SHA-256 is .*, not as listed"),
        (put("*training.json", lambda content: content + b" "), "has .* bytes, its manifest says"),
        (lambda files, manifest: files.pop(first(files, "log.txt")) and None, "lacks runs/"),
        (put("report/hybvit/more.html", b""), "more.html', which its manifest does not list"),
        (lie(bytes=-1), "greater than or equal to 0"),
        (lie(bytes=2**40), "more than the 2,147,483,648"),
        (lie(sha256="x"), "String should match pattern"),
        (forge(format=2), "is a bundle of format 2: this version reads format 1"),
        (forge(scale="\x1b[2J"), "String should match pattern"),
        (forge(files=[]), "is no bundle: its manifest.json: 'files'"),
        (forge(run="rm -rf"), "Extra inputs"),
    ],
)
def test_what_the_manifest_does_not_vouch_for_is_refused(whole, tmp_path, change, match):
    path = rewritten(whole, tmp_path / "changed.zip", change, listed=False)
    with pytest.raises(BundleError, match=match), open_bundle(path):
        pytest.fail("it was opened")


def test_links_duplicates_and_bombs_are_refused(whole, tmp_path, monkeypatch):
    link = zipfile.ZipInfo("runs/0123456789ab/config.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(whole) as archive:
        listed = first(archive.namelist(), "config.json")
    for name, info, match in (
        ("link", link, "is no plain file"),
        ("twice", zipfile.ZipInfo(listed), "stands twice"),
    ):
        path = tmp_path / f"{name}.zip"
        shutil.copy(whole, path)
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
            warnings.simplefilter("ignore")
            archive.writestr(info, b"/etc/passwd")
        with pytest.raises(BundleError, match=match), open_bundle(path):
            pytest.fail("it was opened")
    monkeypatch.setattr(reading, "TOTAL", 2**24)
    bomb = rewritten(whole, tmp_path / "bomb.zip", put("report/hybvit/zeros.html", bytes(2**25)))
    assert bomb.stat().st_size < 2**24
    with pytest.raises(BundleError, match=r"unpacks to .* bytes: more than the 16,777,216"), open_bundle(bomb):
        pytest.fail("it was opened")


def test_whatever_byte_is_wrong_a_bundle_is_whole_or_refused(whole, tmp_path):
    rng = np.random.default_rng(0)
    data, path, complaints = whole.read_bytes(), tmp_path / "flipped.zip", []
    with open_bundle(whole) as bundle:
        manifest = bundle.manifest
    for place in rng.choice(len(data), 25, replace=False):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            with open_bundle(path) as bundle:
                assert bundle.manifest == manifest, "a date or a flag of the archive that says nothing"
        except BundleError as error:
            complaints.append(str(error))
    assert len(complaints) > 15
    assert "\n" not in "".join(complaints)
    for length in (0, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(BundleError, match=r"is no bundle|truncated or damaged"), open_bundle(path):
            pytest.fail("it was opened")


def test_a_folder_is_held_to_the_same(measured, tmp_path):
    path = tmp_path / "folder"
    write_bundle(path, reports_of(measured), measured)
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    for place, make, match in (
        (path / "link.json", lambda place: place.symlink_to(outside), "'link.json' is no plain file"),
        (path / "runs" / "linked", lambda place: place.symlink_to(tmp_path), "linked' is no plain file"),
        (path / "pipe", os.mkfifo, "'pipe' is no plain file"),
        (path / "extra.json", lambda place: place.write_text("{}"), "does not list"),
    ):
        make(place)
        with pytest.raises(BundleError, match=match), open_bundle(path):
            pytest.fail("it was opened")
        place.unlink()
    with open_bundle(path):
        pass


def test_records_of_the_right_form_that_say_nonsense_are_the_bundles_fault(whole, tmp_path):
    def change(files, manifest):
        for name in files:
            if "/evaluations/generation" in name and name.endswith(".json"):
                record = json.loads(files[name])
                record["details"]["feature_space"] = "nowhere"
                files[name] = json.dumps(record).encode()

    path = rewritten(whole, tmp_path / "nonsense.zip", change)
    with (
        pytest.raises(BundleError, match=r"nonsense\.zip holds records that cannot be shown"),
        open_bundle(path) as bundle,
    ):
        reports_of(bundle.results)


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
        assert outdated(bundle.results).startswith("1 of ")
        assert f"commit {'c' * 9} shows them" in outdated(bundle.results)
    with open_bundle(whole) as bundle:
        assert outdated(bundle.results) == ""


def test_what_stands_there_and_is_no_bundle_is_never_replaced(measured, whole, tmp_path):
    reports = reports_of(measured)
    thesis = tmp_path / "thesis.zip"
    thesis.write_bytes(b"years of work")
    with pytest.raises(BundleError, match="exists and is no bundle, it is left as it is"):
        write_bundle(thesis, reports, measured)
    assert thesis.read_bytes() == b"years of work"
    with pytest.raises(BundleError, match="exists and is no bundle"):
        write_bundle(measured.root, reports, measured)
    folder = tmp_path / "folder"
    write_bundle(folder, reports, measured)
    write_bundle(folder, reports, measured)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"holds more than its bundle.*move notes.txt away"):
        write_bundle(folder, reports, measured)
    assert (folder / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "thesis.zip"]


def test_nothing_to_bundle_is_said(tmp_path):
    with pytest.raises(BundleError, match="no run of these exhibits is in"):
        write_bundle(tmp_path / "b.zip", reports_of(Results(tmp_path)), Results(tmp_path))


@pytest.mark.parametrize("name", ["b.zip", "folder"])
def test_a_full_disk_leaves_the_older_bundle(measured, tmp_path, name):
    """The limit on the size of files stands for a full disk: both fail in the middle of a write."""
    path = tmp_path / name
    reports = reports_of(measured)
    write_bundle(path, reports, measured)
    before = {item: item.read_bytes() for item in [path, *path.rglob("*")] if item.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        with pytest.raises(StoreError, match=r"cannot write .*; nothing was lost, run again"):
            write_bundle(path, reports, measured)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert {item: item.read_bytes() for item in [path, *path.rglob("*")] if item.is_file()} == before
    assert [item.name for item in tmp_path.iterdir()] == [name]


KILLED = """
import sys, time
from pathlib import Path
from harness.report.bundle import contents, writing
from harness.store.run_directory import Results
from test_bundle import reports_of
slow = contents.records
def records(*arguments):
    for number, entry in enumerate(slow(*arguments)):
        if number == 20:
            print("half-way", flush=True)
            time.sleep(60)
        yield entry
contents.records = records
results = Results(Path(sys.argv[1]))
writing.write_bundle(Path(sys.argv[2]), reports_of(results), results)
"""


@pytest.mark.parametrize("name", ["b.zip", "folder"])
def test_a_writer_that_is_killed_leaves_nothing_under_the_name(measured, tmp_path, name):
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": ":".join(map(str, [here, here.parents[1], here.parent / "support"]))}
    command = [sys.executable, "-c", KILLED, str(measured.root), str(tmp_path / name)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half-way\n"
        time.sleep(0.1)
        process.kill()
    assert not (tmp_path / name).exists()
    assert list(tmp_path.iterdir()), "it was at work beside it"
    write_bundle(tmp_path / name, reports_of(measured), measured)
    with open_bundle(tmp_path / name):
        pass


def test_an_unpacked_bundle_is_gone_whatever_happens(whole, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def interrupted():
        with open_bundle(whole):
            assert len(list(tmp_path.iterdir())) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
