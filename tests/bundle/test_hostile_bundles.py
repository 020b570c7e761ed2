"""Damaged or hostile bundles fail with a one-line error; nothing is executed or written."""

import io
import json
import os
import pickle
import shutil
import stat
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from bundles import first, put, reports_of, rewritten

from harness.bundle import reading
from harness.bundle.manifest import BundleError
from harness.bundle.reading import open_bundle
from harness.bundle.writing import write_bundle


def altered(**fields):
    """Return a function that edits a JSON document."""
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
    """Creates a file when unpickled."""

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
        (put("setup.py", b"raise SystemExit"), "'setup.py', which is not a file of a bundle"),
        (put("runs/0123456789ab/config.py", b""), "not a file of a bundle"),
        (put("runs/0123456789ab/weights.safetensors", b""), "not a file of a bundle"),
        (put("runs/0123456789ab/training.json\n", b"{}"), "not a file of a bundle"),
        (put("runs/0123456789AB/config.json", b"{}"), "not a file of a bundle"),
        (put("report/hybvit/.bashrc", b""), "not a file of a bundle"),
        (put("report/hybvit/REPORT.html", b""), "differ only in case"),
        (put("runs/0123456789ab/training.json", b"{}"), "belongs to a run without config.json"),
        (lose_config, "to a run without config.json"),
        (swap_configs, "config.json: it is the configuration of run .*, but its folder has another name"),
        (relabel_record, "its name does not match its evaluation"),
        (put("*config.json", altered(id="0" * 12)), "but its folder has another name"),
        (put("*config.json", altered(name="\x1b]0;owned\x07")), "control characters"),
        (put("*config.json", b'{"config": NaN}'), "NaN is not a number of JSON"),
        (put("*training.json", altered(weights="x")), r"training.json: weights: Extra inputs"),
        (put("*training.json", b"[" * 100_000), "nested too deeply"),
        (put("*training.json", b"\xff\xfe"), "training.json: "),
        (put("*metrics.jsonl", b'{"epoch": "one"}\n'), "not a point of a curve"),
        (put("*samples.npy", saved(np.array([Evil()], dtype=object))), "contains object, not plain numbers"),
        (put("*samples.npy", pickle.dumps(Evil())), "samples.npy: the magic string is not correct"),
        (put("*samples.npy", saved(np.zeros(3, dtype="U5"))), "not plain numbers"),
        (put("*samples.npy", claiming((2**40, 2**20))), "claims the shape"),
        (put("*samples.npy", claiming((-1, 4))), "claims the shape"),
        (put("*samples.npy", claiming((-4, -4))), "claims the shape"),
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
    """Return a function that falsifies the manifest's entry of the first training record."""

    def change(files, manifest):
        manifest["files"][first(files, "training.json")].update(fields)

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (put("*training.json", lambda content: content.replace(b"1", b"2", 1)), "its SHA-256 .* is not as listed"),
        (put("*training.json", lambda content: content + b" "), "has .* bytes, its manifest says"),
        (lambda files, manifest: files.pop(first(files, "log.txt")) and None, "has no runs/"),
        (put("runs/0123456789ab/outcome.json", b"{}"), "outcome.json', which its manifest does not list"),
        (lie(bytes=-1), "greater than or equal to 0"),
        (lie(bytes=2**40), "more than the limit of 2,147,483,648"),
        (lie(sha256="x"), "String should match pattern"),
        (forge(format=2), "is a bundle of format 2: this version reads format 1"),
        (forge(scale="\x1b[2J"), "String should match pattern"),
        (forge(files=[]), "is not a bundle: its manifest.json: 'files'"),
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
        ("link", link, "is not a regular file"),
        ("twice", zipfile.ZipInfo(listed), "appears twice"),
    ):
        path = tmp_path / f"{name}.zip"
        shutil.copy(whole, path)
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
            warnings.simplefilter("ignore")
            archive.writestr(info, b"/etc/passwd")
        with pytest.raises(BundleError, match=match), open_bundle(path):
            pytest.fail("it was opened")
    monkeypatch.setattr(reading, "MAX_TOTAL_BYTES", 2**24)
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
                assert bundle.manifest == manifest, "a date or an irrelevant flag of the archive"
        except BundleError as error:
            complaints.append(str(error))
    assert len(complaints) > 15
    assert "\n" not in "".join(complaints)
    for length in (0, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(BundleError, match=r"is not a bundle|truncated or damaged"), open_bundle(path):
            pytest.fail("it was opened")


def _written(place):
    place.parent.mkdir(exist_ok=True, parents=True)
    place.write_text("")


@pytest.mark.parametrize("form", ["folder", "whole.zip"])
def test_what_others_leave_in_a_bundle_is_passed_over(measured, tmp_path, form):
    path = tmp_path / form
    write_bundle(path, reports_of(measured), measured)
    left = [
        "report/toy/table101.csv",
        ".DS_Store",
        "Thumbs.db",
        "runs/desktop.ini",
        "__MACOSX/._manifest.json",
        "Icon\r",
    ]
    left += ["manifest (conflicted copy).json", "manifest.json~", "runs/._0123456789ab", "@eaDir/x"]
    if path.is_dir():
        for name in left:
            _written(path / name)
        (path / ".#manifest.json").symlink_to("somebody@host.4711")
    else:
        with zipfile.ZipFile(path, "a") as archive:
            for name in left:
                archive.writestr(name, b"\0\5\26\7")
    with open_bundle(path) as bundle:
        assert {item.name for item in bundle.results.root.iterdir()} == {"runs"}
        assert all(len(item.name) == 12 for item in bundle.results.runs.iterdir())


def test_a_small_archive_of_a_large_record_is_refused_before_it_is_unpacked(whole, tmp_path, monkeypatch):
    path = rewritten(whole, tmp_path / "bomb.zip", put("*training.json", b"[" + b"{}," * 2**21 + b"{}]"))
    monkeypatch.setattr(reading, "_copied", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(BundleError, match=r"training.json has 6,291,460 bytes, more than"), open_bundle(path):
        pytest.fail("it was opened")


def test_a_folder_is_held_to_the_same(measured, tmp_path):
    path = tmp_path / "folder"
    write_bundle(path, reports_of(measured), measured)
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    for place, make, match in (
        (path / "link.json", lambda place: place.symlink_to(outside), "'link.json' is not a regular file"),
        (path / "runs" / "linked", lambda place: place.symlink_to(tmp_path), "linked' is not a regular file"),
        (path / "pipe", os.mkfifo, "'pipe' is not a regular file"),
        (path / "runs" / "0123456789ab" / "log.txt", _written, "does not list"),
    ):
        make(place)
        with pytest.raises(BundleError, match=match), open_bundle(path):
            pytest.fail("it was opened")
        place.unlink()
    with open_bundle(path):
        pass


def test_records_that_cannot_be_shown_are_the_bundles_fault(whole):
    with (
        pytest.raises(BundleError, match=r"contains records that cannot be shown \(KeyError: 'kind'\)"),
        open_bundle(whole),
    ):
        raise KeyError("kind")


def test_a_feature_space_without_a_kind_is_refused(whole, tmp_path):
    def change(files, manifest):
        name = next(name for name in sorted(files) if "/evaluations/generation-" in name and name.endswith(".json"))
        record = json.loads(files[name])
        record["details"]["feature_space"] = {"kind": ["classifier"]}
        files[name] = json.dumps(record).encode()

    path = rewritten(whole, tmp_path / "nonsense.zip", change)
    match = r"generation-.*json: details.kind: Input should be a valid string"
    with pytest.raises(BundleError, match=match), open_bundle(path):
        pytest.fail("it was opened")
