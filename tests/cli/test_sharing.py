"""The commands for bundles, reference results and comparisons."""

import errno
import json
import os
import shutil

import pytest
from commands import CommandLine

from harness.store.files import sha256_of

TEXTS = ("--no-figures", "--format", "markdown,html")


@pytest.fixture(scope="module")
def original(finished, toy_environment, tmp_path_factory):
    """A folder with the finished runs and a bundle of them."""
    folder = tmp_path_factory.mktemp("bundled")
    shutil.copytree(finished[0], folder / "own")
    path = folder / "mine.zip"
    done = CommandLine(folder / "own", toy_environment)("report", "toy/table101", *TEXTS, "--bundle", path)
    assert done.returncode == 0, done.stderr
    assert f"wrote {path}: 2 runs, " in done.stderr
    return folder


@pytest.fixture
def bundled(original, tmp_path):
    """A bundle of the finished runs, and the results it was made from."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path / "mine.zip", tmp_path / "own"


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_bundle_is_shown_like_results_and_touches_none(bundled, harness, toy_environment, tmp_path):
    path, results = bundled
    own = harness("report", "toy/table101", "--json", results=results)
    before, temporary = tree(results), tmp_path / "temporary"
    temporary.mkdir()
    environment = toy_environment | {"TMPDIR": str(temporary)}
    theirs = harness.process("report", "--from", path, "--json", results=results, env=environment)
    assert theirs.returncode == 0, theirs.stderr
    assert theirs.stderr.startswith(f"{path} is intact: 2 runs, ")
    (shown,), (expected,) = (json.loads(done.stdout)["tables"] for done in (theirs, own))
    assert (shown.pop("origin"), expected.pop("origin")) == ("bundle mine.zip", "")
    assert "(one seed, bundle mine.zip)" in shown.pop("answer")["says"]
    assert "(one seed)" in expected.pop("answer")["says"]
    assert shown == expected
    written = harness("report", "--from", path, "--no-figures", "--format", "json", results=results)
    assert "Table 101: Two rows & a citation (toy, bundle mine.zip, scale laptop)" in written.stdout
    after = tree(results)
    new = {item.relative_to(results).parts[:2] for item in after.keys() - before.keys()}
    assert new == {("report", "from-mine")}
    assert {item: after[item] for item in before} == before
    assert list(temporary.iterdir()) == []


def test_a_damaged_bundle_is_refused_in_one_line(bundled, harness):
    path, results = bundled
    path.write_bytes(path.read_bytes()[:-100])
    for command in (["report", "--from", path], ["compare", results, path]):
        done = harness(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
        assert str(path) in done.stderr


def test_without_own_runs_the_reference_results_are_shown_and_said(bundled, harness, finished, tmp_path):
    _, results = bundled
    fresh = tmp_path / "results"
    done = harness("report", "toy/table101", *TEXTS, "--bundle", fresh / "reference", results=results)
    assert done.returncode == 0, done.stderr
    shown = harness("report", "toy/table101", *TEXTS, results=fresh)
    assert shown.returncode == 0, shown.stderr
    assert "Table 101: Two rows & a citation (toy, reference results, scale laptop)" in shown.stdout
    assert shown.stderr == f"no runs in {fresh} yet: showing the reference results in {fresh / 'reference'}\n"
    assert (fresh / "report" / "reference" / "toy" / "table101.md").exists()
    assert not (fresh / "report" / "toy").exists()
    at_paper = harness("report", "toy/table101", *TEXTS, "--scale", "paper", results=fresh)
    assert "reference" not in at_paper.stdout + at_paper.stderr
    refused = harness("run", "toy/table101", results=fresh / "reference")
    assert refused.returncode == 2
    assert "is a bundle, which has no weights to continue from: give other --results" in refused.stderr
    again = harness("report", "toy/table101", "--bundle", tmp_path / "b.zip", results=fresh)
    assert (again.returncode, again.stdout) == (2, "")
    assert "contains your own results, not reference results" in again.stderr
    shutil.copytree(finished[0] / "runs", fresh / "runs")
    own = harness("report", "toy/table101", *TEXTS, results=fresh)
    assert "reference" not in own.stdout + own.stderr
    assert harness("report", "toy/table101", "--json", results=fresh).stderr == ""
    same = harness("compare", fresh, fresh / "reference", "toy/table101", "--strict")
    assert same.returncode == 0, same.stderr
    assert "5 measured cells at scale laptop: 5 identical bits." in same.stdout


def test_compare_says_what_differs_and_ends_accordingly(bundled, harness):
    path, results = bundled
    record = next(record for record in results.glob("runs/*/evaluations/accuracy-*.json"))
    document = json.loads(record.read_text())
    document["quantities"]["accuracy"]["value"] = "NaN"
    record.write_text(json.dumps(document))
    (segment,) = record.parents[1].glob("segments/*.json")
    vouching = json.loads(segment.read_text())
    vouching["records"][record.stem] = sha256_of(record)
    segment.write_text(json.dumps(vouching))
    done = harness("compare", results, path, "toy/table101", "--strict")
    assert done.returncode == 1
    assert "5 measured cells at scale laptop: 1 not finite, 4 identical bits." in done.stdout
    assert "NaN (n=1)" in done.stdout
    found = json.loads(harness("compare", results, path, "toy/table101", "--json", "--metric", "accuracy").stdout)
    assert found["counts"] == {"not finite": 1}
    assert found["parameters"] == []
    assert found["b"]["path"] == str(path)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["results", "nowhere"], "nowhere does not exist: give a results directory or a bundle"),
        (["PATH", "EMPTY"], "has no runs: give a results directory or a bundle"),
        (["PATH", "PATH", "table666"], "unknown table or figure 'table666'"),
        (["PATH", "PATH", "table6", "--metric", "fidd"], "unknown metric 'fidd': did you mean 'fid'?"),
        (["PATH", "PATH", "--scale", "lap"], "unknown scale 'lap': did you mean 'laptop'?"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(bundled, harness, tmp_path, arguments, complaint):
    (tmp_path / "empty").mkdir()
    (tmp_path / "results").mkdir()
    places = {"PATH": bundled[0], "EMPTY": tmp_path / "empty", "results": bundled[1]}
    done = harness("compare", *(places.get(argument, argument) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", [errno.EACCES, errno.EROFS])
def test_a_report_that_nobody_may_write_is_printed_alone(harness, finished, tmp_path, monkeypatch, kind):
    def refuse(dir):
        raise OSError(kind, os.strerror(kind))

    results, before = finished[0], harness("report", "toy/table101", *TEXTS, results=finished[0])
    copy = tmp_path / "theirs"
    shutil.copytree(results, copy, ignore=shutil.ignore_patterns("report"))
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    done = harness("report", "toy/table101", "--bundle", tmp_path / "mine.zip", results=copy)
    assert done.returncode == 0
    assert before.stdout.startswith(done.stdout), "the files that it wrote come last"
    assert done.stderr.startswith(
        f"no files: {copy}/report cannot be written ({os.strerror(kind)}); 'python -m harness"
    )
    assert [*(copy / "report").iterdir()] == []
    claims = harness("report", "toy/table101", "--claims", results=copy)
    assert (claims.returncode, [*(copy / "report").iterdir()]) == (0, [])
    monkeypatch.undo()
    advised = harness("report", "--from", tmp_path / "mine.zip", *TEXTS, results=tmp_path / "own")
    assert advised.returncode == 0 and "wrote" in advised.stdout
