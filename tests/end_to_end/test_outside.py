"""An external distribution with its own kinds for every role works like the papers of this repository."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import warm
from outside import elsewhere, needs_outside
from processes import finish, kill, start
from progress import checkpointed, epochs, first_steps, tenths
from reports import needs_latex
from snapshots import snapshot

needs_outside()

from harness.data.prepared.dataset import open_dataset  # noqa: E402
from harness.launch.plan import make_plan  # noqa: E402
from harness.registry.papers import find_exhibits  # noqa: E402
from harness.store.results import Results  # noqa: E402
from outside_paper import runs as at_paper_scale  # noqa: E402
from outside_paper.data import PROGRESSION, TUMOURS, WALKS  # noqa: E402
from outside_paper.paper import PAPER  # noqa: E402

LAPTOP = PAPER.scale("laptop")
PLAIN, MIXED, LAST, BEST, TOKENS, CLASSIFIED, DENOISED, FLOWING = RUNS = [
    LAPTOP.shrink(getattr(at_paper_scale, name))
    for name in ("PLAIN", "MIXED", "LAST", "BEST", "TOKENS", "CLASSIFIED", "DENOISED", "FLOWING")
]
ONE_ROW = ("outside/table2", "--rows", "Best*")


@pytest.fixture(scope="module")
def results(toy_environment, tmp_path_factory):
    """All runs of the paper, done."""
    folder = tmp_path_factory.mktemp("outside")
    assert "8 of 8 runs are done" in warm.finish(toy_environment, folder, "outside")
    return Results(folder)


@pytest.fixture(scope="module")
def written(results, toy_environment):
    """The documents of its report, by name."""
    document = warm.finish(toy_environment, results.root, "outside", command="report")
    return {path.name: path for path in (results.report / "outside").iterdir()} | {"said": document}


@pytest.fixture(scope="module")
def cells(results, toy_environment):
    """The cells of its report, by row and metric."""
    document = json.loads(warm.finish(toy_environment, results.root, "outside", "--json", command="report"))
    exhibits = document["tables"] + document["figures"]
    return {row["label"]: row for exhibit in exhibits[:-1] for row in exhibit["rows"]}


def measured(row, metric):
    return row["cells"][metric]["measured"]["mean"]


def snapshot_of(results, run):
    return {name: found for name, found in snapshot(results).items() if run.id in name}


def test_parameters_and_operations_are_counted_on_unannotated_modules(tmp_path):
    plan = make_plan(find_exhibits(["outside"]), "laptop", 1, (), Results(tmp_path))
    assert [planned.run for planned in plan.runs] == RUNS
    layers = 30 * 16 + 16 * 16 + 16 * 2
    assert PLAIN.parameters == layers + 16 + 16 + 2
    assert PLAIN.train_flops == PLAIN.iterations * 32 * 3 * 2 * layers
    assert LAST.parameters == 10 * 16 + 16 + 16 * 16 + 16 + 16 + 1


def test_all_runs_end_and_a_fresh_process_says_so(results, harness):
    status = json.loads(harness("status", "--json", results=results.root).stdout)
    assert status["totals"] == {"done": len(RUNS)}
    assert {run["name"] for run in status["runs"]} == {run.name for run in RUNS}


def test_what_was_measured_makes_sense(cells):
    assert measured(cells["Mixup (α=0.4)"], "accuracy") > 90
    assert measured(cells["Mixup (α=0.4)"], "outside.brier") < 0.2
    assert cells["Plain"]["further"]["outside.log_loss"]["measured"]["mean"] < 0.5
    assert 0.5 < measured(cells["Last"], "outside.rmse") < 1, "1 is the standard deviation of the targets"
    assert 1.157 < measured(cells["GRU"], "outside.token_bits") < 2, "1.157 bits is the entropy rate of the chain"
    assert measured(cells["Perceptron"], "accuracy") > 80
    assert measured(cells["Perceptron"], "auroc_interp") > 60 / 100
    assert cells["Gaussian"]["cells"]["fid"]["measured_as"] == "FD(16 random features)@quadratic DDIM, 4 steps"
    assert measured(cells["Rectified flow"], "fid") < measured(cells["Gaussian"], "fid")
    assert 0 < measured(cells["Rectified flow"], "bpd") < 20


def test_values_can_be_recomputed_from_what_is_kept(results, cells):
    kept = results.directory(BEST).evaluations
    predictions, targets = (np.load(next(kept.glob(f"*/{name}.npy"))) for name in ("predictions", "targets"))
    error = np.sqrt(((predictions.astype(np.float64) - targets) ** 2).mean())
    assert measured(cells["Best on validation"], "outside.rmse") == pytest.approx(error, abs=1e-6)
    kept = results.directory(PLAIN).evaluations
    logits, labels = (np.load(next(kept.glob(f"outside.brier*/{name}.npy"))) for name in ("logits", "labels"))
    shares = np.exp(logits.astype(np.float64))
    shares /= shares.sum(1, keepdims=True)
    brier = ((shares - np.eye(2)[labels]) ** 2).sum(1).mean()
    assert measured(cells["Plain"], "outside.brier") == pytest.approx(brier, abs=1e-9)


def test_the_state_that_is_evaluated_is_the_best_on_the_validation_split(results):
    curve = [json.loads(line) for line in results.directory(BEST).metrics.read_text().splitlines()]
    values = [point["validation_mse"] for point in curve]
    best = values.index(min(values))
    assert best < len(values) - 1, "otherwise selection makes no difference"
    training = json.loads(results.directory(BEST).training.read_text())
    assert training["selected"] == curve[best]["step"]
    assert training["weights_sha256"] != json.loads(results.directory(LAST).training.read_text())["weights_sha256"]


def test_the_report_has_a_page_a_document_and_the_paper_s_own_drawing(written):
    needs_latex()
    assert written["report.pdf"].read_bytes().startswith(b"%PDF")
    page = written["report.html"].read_text()
    assert "FD(16 random features)" in page and "97.1 ± 0.6" in page
    assert written["figure1.png"].read_bytes().startswith(b"\x89PNG")
    assert written["figure1.svg"].stat().st_size > 10_000
    assert "Mixing costs no accuracy." in written["claims.md"].read_text()
    assert written["said"].startswith("outside at laptop scale (one seed): ")


def test_killed_on_its_way_a_run_ends_with_the_same_bits(results, toy_environment, tmp_path):
    """Weights, dropout, optimiser state and the best state so far are resumed."""
    environment = toy_environment | {"HARNESS_CHECKPOINT_SECONDS": "0"}
    late = lambda run: checkpointed(run) and epochs(run) >= 2 and tenths(run) < 10  # noqa: E731
    kill(start(environment, tmp_path, *ONE_ROW), tmp_path, late)
    finish(start(environment, tmp_path, *ONE_ROW))
    (run,) = tmp_path.glob("runs/*")
    assert first_steps(run)[-1] > 0
    assert snapshot(tmp_path) == snapshot_of(results.root, BEST)


def test_it_is_rehearsed(harness):
    done = harness.warm("run", *ONE_ROW, "--rehearse", "--json")
    assert done.returncode == 0, done.stdout
    (run,) = json.loads(done.stdout)["runs"]
    assert run["ok"] and run["name"] == "best" and len(run["record"]["evaluations"]) == 1


@pytest.mark.soak
def test_all_of_it_is_rehearsed(harness):
    found = json.loads(harness.warm("run", "outside", "--rehearse", "--json").stdout)
    assert found["totals"]["ok"] == len(RUNS)


def test_two_ranks_find_the_same_as_one_and_compare_says_so(results, harness, toy_environment, tmp_path):
    """Mixup partners come from other ranks. Lion uses signs, so rounding decides where a gradient is zero."""
    line = ("outside/table1", "--rows", "Mixup*", "--executor", "torchrun", "--nproc-per-node", "2")
    finish(start(toy_environment, tmp_path / "two", *line))
    done = harness("compare", results.root, tmp_path / "two", "--all", "--json")
    found = {cell["metric"]: cell for cell in json.loads(done.stdout)["cells"] if cell["b"] is not None}
    assert set(found) == {"accuracy", "outside.brier", "ece"}
    assert {cell["exhibit"] for cell in found.values()} == {"outside/table1"}
    assert found["outside.brier"]["difference"] == pytest.approx(0, abs=0.01)
    stay = json.loads(next(tmp_path.glob("two/runs/*/segments/1.json")).read_text())
    assert stay["world_size"] == 2 and "outside-paper" in {each["name"] for each in stay["distributions"]}


def test_its_samples_come_from_its_own_sampler_and_the_usual_one(results, harness, tmp_path):
    for run, options, how in (
        (DENOISED, ("--sampler", "outside.quadratic_ddim:4"), "quadratic DDIM, 4 steps"),
        (FLOWING, (), "ancestral, all steps"),
    ):
        picture = tmp_path / f"{run.name}.png"
        done = harness.warm("sample", run.id, *options, "--count", "4", "--out", picture, results=results.root)
        assert done.returncode == 0 and done.stdout.startswith(f"{run.name} ({run.id}) on digits, step 220 of 220")
        assert how in done.stdout and picture.stat().st_size > 1000
    refused = harness.warm("sample", FLOWING.id, "--sampler", "ddim", results=results.root)
    assert refused.stderr == "harness: sampler 'ddim' is for Gaussian processes: a rectified flow takes its own steps\n"


def test_a_bundle_goes_to_another_machine_and_back(results, written, harness, tmp_path):
    path = tmp_path / "mine.zip"
    done = harness("report", "outside", "--no-figures", "--format", "json", "--bundle", path, results=results.root)
    assert done.returncode == 0, done.stderr
    theirs = harness("report", "--from", path, "--json")
    assert theirs.returncode == 0, theirs.stderr
    own = json.loads(harness("report", "outside", "--json", results=results.root).stdout)
    tables = json.loads(theirs.stdout)["tables"]
    assert {table["origin"] for table in tables} == {"bundle mine.zip"}
    unnamed = {"origin": "", "answer": {}}
    assert [table | unnamed for table in tables] == [table | unnamed for table in own["tables"]]
    drawn = harness.warm("report", "outside/figure1", "--from", path, "--format", "json")
    assert drawn.returncode == 0, drawn.stderr
    copy = tmp_path / "results" / "report" / "from-mine" / "outside" / "figure1.png"
    assert copy.stat().st_size > 10_000, "the arrays that the figure draws are in the bundle"


def test_without_the_distribution_its_results_say_what_they_need(results, harness, tmp_path):
    path = tmp_path / "mine.zip"
    assert harness("report", "outside/table1", "--no-figures", "--bundle", path, results=results.root).returncode == 0
    shutil.copytree(results.runs, tmp_path / "own" / "runs")
    run = elsewhere(tmp_path)
    own = ("--results", tmp_path / "own", "--data", tmp_path / "data")
    assert "outside" not in run(*own, "list").stdout
    for arguments in (("report", "--from", path), ("status",), ("compare", tmp_path / "own", path), ("retry", BEST.id)):
        done = run(*own, *arguments)
        said = done.stdout + done.stderr
        assert "needs the kind 'outside.mlp', which no installed paper offers" in said, (arguments, said)
        assert "another version" not in said and "Traceback" not in said
    states = json.loads(run(*own, "status", "--json").stdout)
    assert states["totals"] == {"foreign": len(RUNS)}


def test_its_datasets_are_listed_made_and_verified_like_any_others(harness, toy_environment, tmp_path):
    environment = toy_environment | {"HARNESS_DATA": str(tmp_path / "data")}
    names = [data.name for data in (TUMOURS, PROGRESSION, WALKS)]

    def states():
        listed = json.loads(harness("data", "list", "--json", env=environment).stdout)
        return {entry["dataset"]: entry for entry in listed if entry["dataset"] in names}

    assert [entry["state"] for entry in states().values()] == ["missing"] * 3
    assert states()["tumours"]["needed_by"] == ["outside/table1"]
    assert harness("data", "prepare", *names, env=environment).returncode == 0
    assert [entry["state"] for entry in states().values()] == ["prepared"] * 3
    verified = harness("data", "verify", *names, env=environment)
    assert verified.returncode == 0 and verified.stdout.count(": as prepared") == 6 + 6 + 2
    train = open_dataset(TUMOURS, tmp_path / "data").split("train")
    np.testing.assert_allclose(train.inputs.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(train.inputs.std(0), 1, atol=1e-4)
    file = tmp_path / "data" / "walks" / "test-tokens.npy"
    file.write_bytes(file.read_bytes()[:-8] + bytes(8))
    damaged = harness("data", "verify", "walks", env=environment)
    assert damaged.returncode == 1 and "walks/test-tokens.npy" in damaged.stdout


def test_the_doctor_says_that_it_can_run(harness):
    said = json.loads(harness.process("doctor", "outside", "--json").stdout)
    laptop = next(scale for scale in said["scales"] if scale["scale"] == "laptop")
    assert laptop["ready"] and laptop["runs"] == len(RUNS)
    papers = next(check for check in said["extras"] if check["name"] == "papers")
    assert "outside" in papers["facts"]["papers"] and not papers["facts"]["broken"]


def test_its_specifications_import_no_torch(toy_environment):
    script = "import sys, outside_paper.paper; assert not {'torch', 'matplotlib', 'sklearn'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, env=toy_environment, timeout=60)
