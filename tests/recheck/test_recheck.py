"""`recheck` recomputes a trained run whole, finds planted numbers and arrays, and refuses damaged files by name."""

import json
import shutil

import numpy as np
import pytest
from damage import flip
from planting import plant_array, plant_value, record_of

from harness.cli.main import main
from harness.data.catalogue import CIFAR10
from harness.recheck.recomputation import NotRecomputed
from harness.recheck.stored import References
from harness.store.files import sha256_of
from harness.store.rechecks import RecheckRecord, recheck_path, rechecked_evaluations
from harness.store.records import EvaluationRecord
from harness.store.results import Results

ENTRIES = {"numpy", "prdc", "pytorch-fid", "torch-fidelity"}


@pytest.fixture
def results(finished, tmp_path):
    """The toy's two trained runs: accuracy of one, samples of both."""
    shutil.copytree(finished[0], tmp_path / "results")
    return Results(tmp_path / "results")


@pytest.fixture
def run(results):
    return next(run for run in results.all() if any(run.evaluations.glob("accuracy-*.json")))


@pytest.fixture
def recheck(results, data_root, capsys):
    def call(*arguments):
        capsys.readouterr()
        code = main(["--results", str(results.root), "--data", str(data_root), "recheck", *arguments])
        return code, capsys.readouterr()

    return call


def differing(said):
    """Return run, quantity and library of the numbers that differ in a JSON document."""
    return {
        (run["run"], value["quantity"], value["by"].split()[0])
        for run in json.loads(said.out)["runs"]
        for value in run["values"]
        if not value["agrees"]
    }


def test_a_trained_run_is_rechecked_whole(results, recheck):
    before = {path: sha256_of(path) for path in results.root.rglob("*") if path.is_file()}
    code, said = recheck()
    assert code == 0, said
    assert "DIFFERS" not in said.out
    assert said.out.splitlines()[-1].startswith("15 numbers of 2 runs recomputed, none differs")
    code, said = recheck("--json")
    document = json.loads(said.out)
    assert (code, document["differing"]) == (0, 0)
    assert {each["name"].split()[0] for each in document["libraries"]} == ENTRIES
    for found, directory in zip(document["runs"], results.all(), strict=True):
        quantities = {value["quantity"] for value in found["values"]}
        for path in directory.counting_records():
            assert json.loads(path.read_text())["quantities"].keys() <= quantities
        assert (found["not_recomputed"], found["problems"]) == ([], [])
        assert all(value["difference"] <= value["tolerance"] <= 1e-5 for value in found["values"])
    changed = {path for path, sha256 in before.items() if sha256_of(path) != sha256}
    assert not changed, "only its own record is written"
    assert main(["--results", str(results.root), "verify"]) == 0


@pytest.mark.parametrize(
    ("kind", "quantity", "change", "by"),
    [
        ("accuracy", "accuracy", lambda value: value + 100 / 360, {"numpy"}),
        ("accuracy", "accuracy", lambda value: float("nan"), {"numpy"}),
        ("accuracy", "accuracy", lambda value: value * (1 + 1e-11), {"numpy"}),
        ("generation", "frechet_distance", lambda value: value * 1.0001, {"pytorch-fid", "torch-fidelity"}),
        ("generation", "frechet_distance", lambda value: float("inf"), {"pytorch-fid", "torch-fidelity"}),
        ("generation", "class_score", lambda value: value * (1 + 1e-10), {"torch-fidelity"}),
        ("generation", "recall", lambda value: value + 1 / 150, {"prdc"}),
        ("generation", "density", lambda value: value + 1 / 150 / 5, {"prdc"}),
    ],
)
def test_a_planted_number_is_found(run, recheck, results, kind, quantity, change, by):
    plant_value(run, kind, quantity, change)
    assert main(["--results", str(results.root), "verify", run.id]) == 0, "the hashes do not tell"
    code, said = recheck(run.id, "--json")
    assert code == 1
    assert differing(said) == {(run.id, quantity, library) for library in by}
    code, said = recheck(run.id[:6])
    assert code == 1
    assert said.out.count("DIFFERS") == len(by)
    assert "1 differs by more than rounding" in said.out


@pytest.mark.parametrize(
    ("kind", "name", "change", "quantities"),
    [
        ("accuracy", "logits", lambda logits: np.roll(logits, 1, axis=0), {"accuracy"}),
        ("accuracy", "labels", lambda labels: labels[:-1], {"accuracy"}),
        ("generation", "features", lambda features: features * np.float32(1.01), {"frechet_distance"}),
        ("generation", "features", lambda features: features[:, :-1], {"frechet_distance", "precision"}),
        ("generation", "sample_logits", lambda logits: logits[:-1], {"class_score", "number of items of class_score"}),
    ],
)
def test_a_planted_array_is_found(run, recheck, results, kind, name, change, quantities):
    plant_array(run, kind, name, change)
    assert main(["--results", str(results.root), "verify", run.id]) == 0, "the hashes do not tell"
    code, said = recheck(run.id, "--json")
    assert code == 1
    assert quantities <= {quantity for _, quantity, _ in differing(said)}


@pytest.mark.parametrize(("file", "left"), [("logits.npy", 1), (".json", 0), ("training.json", 0), ("config.json", 0)])
def test_a_damaged_file_is_refused_by_name_first(run, recheck, file, left):
    """Neither the number of a damaged record is used, nor that of a damaged array."""
    path = record_of(run, "accuracy")
    path = path.with_suffix("") / file if file.endswith(".npy") else path
    path = run.path / file if file in ("training.json", "config.json") else path
    flip(path)
    code, said = recheck(run.id)
    assert code == 1
    assert said.out.startswith(f"damaged, not rechecked: {path}: ")
    assert " Acc " not in said.out and not said.err
    code, said = recheck(run.id, "--json")
    (found,) = json.loads(said.out)["runs"]
    assert [each["file"] for each in found["problems"]] == [str(path)]


def test_a_run_with_a_link_is_refused_and_not_written_into(results, run, recheck, tmp_path):
    (run.path / "notes").symlink_to(tmp_path)
    code, said = recheck(run.id)
    assert code == 1
    assert said.out.startswith(f"damaged, not rechecked: {run.path}: ")
    assert said.out.endswith("0 numbers of 1 run recomputed; 1 run is damaged\n")
    assert not recheck_path(run).exists()
    for record in run.evaluations.glob("*.json"):
        record.unlink()
    (run.path / "notes").unlink()
    assert recheck(run.id)[0] == 0, "nothing measured yet is no difference"
    assert RecheckRecord.load(recheck_path(run)).evaluations == {}


def test_a_deleted_array_is_damage_as_in_verify(results, run, recheck, data_root, capsys):
    path = record_of(run, "generation")
    array = path.with_suffix("") / "features.npy"
    array.unlink()
    assert main(["--results", str(results.root), "--data", str(data_root), "verify", run.id]) == 1
    problem = next(line for line in capsys.readouterr().out.splitlines() if line.startswith(str(array)))
    assert f"is missing: delete {path}, then " in problem
    code, said = recheck(run.id)
    assert code == 1
    assert said.out.splitlines()[0] == f"damaged, not rechecked: {problem}"
    assert "not recomputed" not in said.out
    last = "1 number of 1 run recomputed, it agrees with the record: numpy "
    assert said.out.splitlines()[-1].startswith(last) and said.out.endswith("; 1 run is damaged\n")
    assert recheck()[1].out.splitlines()[-1].startswith("8 numbers of 2 runs recomputed, none differs by more than ")


def test_a_run_without_an_intact_record_is_not_counted_as_recomputed(run, recheck):
    for array in run.evaluations.rglob("*.npy"):
        array.unlink()
    code, said = recheck()
    assert code == 1
    last = said.out.splitlines()[-1]
    assert last.startswith("7 numbers of 1 run recomputed, none differs by more than rounding: ")
    assert last.endswith("; 1 run is damaged")


def test_a_missing_library_is_said_and_no_difference(run, recheck, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    from harness.recheck import libraries

    def version(name):
        if name == "prdc":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(libraries, "version", version)
    code, said = recheck(run.id)
    assert code == 0
    assert "not recomputed: prdc is not installed (4 numbers of run" in said.out
    assert "): python -m pip install -c constraints.txt -e '.[recheck]'\n" in said.out


def test_reference_features_are_made_anew_or_refused_if_of_another_space(results, run, recheck, tmp_path):
    features = next(results.cache.rglob("train-features.npy"))
    shutil.move(results.cache, tmp_path / "kept")
    code, said = recheck(run.id)
    assert code == 0, said
    assert features.exists()
    description = next(results.cache.rglob("description.json"))
    assert description.read_bytes() == next((tmp_path / "kept").rglob("description.json")).read_bytes()
    path = record_of(run, "generation")
    document = json.loads(path.read_text())
    document["details"]["feature_space"]["weights_sha256"] = "f" * 64
    path.write_text(json.dumps(document))
    for segment in run.segments.glob("*.json"):
        listed = json.loads(segment.read_text())
        listed["records"][path.stem] = sha256_of(path)
        segment.write_text(json.dumps(listed))
    code, said = recheck(run.id)
    assert code == 0
    assert "the feature space here" in said.out and "is not that of the record (ffffffff)" in said.out


def test_other_data_are_refused(results, run, data_root):
    record = EvaluationRecord.load(record_of(run, "generation"))
    other = record.model_copy(update={"details": record.details | {"reference_sha256": "e" * 64}})
    references = References(results, data_root)
    for _ in range(2):
        with pytest.raises(NotRecomputed, match=r"reference split here .* is not that of the record \(eeeeeeee\)"):
            references.of(other, run)


def test_data_that_are_missing_say_how_to_get_them(results, run, tmp_path):
    run_on_cifar = run.run().but(data=CIFAR10)
    directory = results.directory(run_on_cifar)
    directory.request(run_on_cifar, ())
    record = EvaluationRecord.load(record_of(run, "generation"))
    with pytest.raises(NotRecomputed, match=r"no reference features: .*data prepare cifar10"):
        References(results, tmp_path).of(record, directory)


def test_its_record_belongs_to_the_present_records(run, recheck):
    assert rechecked_evaluations(run) == {}
    assert recheck(run.id)[0] == 0
    first = recheck_path(run).read_bytes()
    assert rechecked_evaluations(run).keys() == {path.stem for path in run.counting_records()}
    plant_value(run, "accuracy", "accuracy", lambda value: value - 1)
    assert record_of(run, "accuracy").stem not in rechecked_evaluations(run), "measured again since"
    assert recheck(run.id)[0] == 1
    (value,) = rechecked_evaluations(run)[record_of(run, "accuracy").stem].values
    assert not value.agrees
    plant_value(run, "accuracy", "accuracy", lambda value: value + 1)
    recheck(run.id)
    assert recheck_path(run).read_bytes() == first, "equal results, equal bytes"


def test_its_damaged_record_counts_as_none_and_verify_names_it(results, run, recheck, capsys):
    recheck(run.id)
    content = recheck_path(run).read_text()
    recheck_path(run).write_text(content.replace('"recomputed": 0.', '"recomputed": 1.', 1))
    assert recheck_path(run).read_text() != content
    assert rechecked_evaluations(run) == {}
    capsys.readouterr()
    assert main(["--results", str(results.root), "verify", run.id]) == 1
    assert f"{recheck_path(run)}: its content does not have the SHA-256" in capsys.readouterr().out.replace(
        ": Value error, ", ": "
    )
    assert recheck(run.id)[0] == 0
    assert RecheckRecord.load(recheck_path(run)).evaluations


def test_wrong_names_and_empty_results_are_one_line(results, recheck, tmp_path, capsys):
    code, said = recheck(results.all()[0].id[:5] + "zz")
    assert (code, said.err.count("\n"), said.out) == (2, 1, "")
    assert f"did you mean '{results.all()[0].id}'?" in said.err
    for folder in (tmp_path / "absent", tmp_path):
        assert main(["--results", str(folder), "recheck"]) == 2
        said = capsys.readouterr()
        assert (said.err, said.out) == (f"harness: no runs in {folder}: nothing to recheck\n", "")
