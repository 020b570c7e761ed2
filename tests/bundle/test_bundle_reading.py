"""Reading a bundle: its manifest, limits, errors while it is open, and places for it."""

import dataclasses
import hashlib
import json
import zipfile

import pytest
from bundles import configuration

from harness.bundle import reading
from harness.bundle.manifest import BundleError, BundleManifest
from harness.bundle.reading import Bundle, is_bundle, manifest_of, open_bundle
from harness.bundle.writing import check_place
from harness.config.evaluations import Accuracy

RUN, OTHER = "0123456789ab", "a" * 12
EVALUATION = Accuracy().model_dump(mode="json")
NAME = Accuracy().id


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
    f"runs/{configuration()[0]}/config.json": configuration()[1],
    f"runs/{configuration()[0]}/log.txt": b"12345",
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
        ("DOCUMENT_BYTES", len(configuration()[1]), "config.json has .* bytes, more than the limit of"),
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
