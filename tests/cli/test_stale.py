"""Code changes without a new revision: every command reports them, and `run --stale` reruns what they affect."""

import json
import shutil

import mixup
import pytest
import warm

SAYS = "1 run was measured with other code of mixup-paper than is installed now"
PLAIN, OURS = "plain", "mixup"


@pytest.fixture(scope="module")
def measured(tmp_path_factory, toy_environment):
    """The results and the code of the external paper."""
    folder = tmp_path_factory.mktemp("mixup")
    code = mixup.lay(folder / "code")
    environment = with_code(toy_environment, code)
    warm.finish(environment, folder / "results", "mixup")
    return folder


def with_code(environment, code):
    return environment | {"PYTHONPATH": f"{environment['PYTHONPATH']}:{code}", "COLUMNS": "400"}


@pytest.fixture
def call(measured, tmp_path, harness, toy_environment):
    """Call a command on a copy of the results and the code; return its output."""
    for name in ("results", "code"):
        shutil.copytree(measured / name, tmp_path / name)

    def run(*arguments, returncode=0):
        way = harness.process if "torchrun" in arguments else harness.warm
        done = way(*arguments, env=with_code(toy_environment, tmp_path / "code"))
        assert done.returncode == returncode and "Traceback" not in done.stderr, done.stdout + done.stderr
        return done.stderr if returncode else done.stdout

    return run


def runs(call, *command):
    return {run["name"]: run for run in json.loads(call(*command, "--json"))["runs"]}


def accuracy(call):
    (table,) = json.loads(call("report", "mixup/table1", "--json"))["tables"]
    return [row["cells"]["accuracy"]["measured"]["mean"] for row in table["rows"]]


def stay(results, run):
    return json.loads((results / "runs" / run["id"] / "segments/1.json").read_text())


def test_a_segment_records_the_code_of_every_kind(call, tmp_path):
    found = runs(call, "status")
    ours = stay(tmp_path / "results", found[OURS])["distributions"]
    assert (ours[0]["version"], ours[0]["commit"], ours[0]["dirty"]) == ("1.2", None, None)
    assert [code["name"] for code in stay(tmp_path / "results", found[PLAIN])["distributions"]] == ["paper-harness"]
    assert [code["name"] for code in ours] == ["mixup-paper", "paper-harness"]
    assert found[OURS]["stale"] == found[PLAIN]["stale"] == []


def test_what_changes_nothing_of_the_code_makes_nothing_stale(call, tmp_path):
    code = tmp_path / "code"
    (code / "mixup_nn/training.log").write_text("not code\n")
    (code / "mixup_nn/weights.pt").write_text("not code\n")
    (code / "unrelated.py").write_text("1\n")
    shutil.move(code, tmp_path / "elsewhere")
    shutil.copytree(tmp_path / "elsewhere", code)
    assert not any(run["stale"] for run in runs(call, "status").values())
    assert "other code" not in call("run", "mixup/table1") + call("report", "mixup/table1", "--no-figures")


def test_changed_code_is_said_by_every_command(call, tmp_path):
    mixup.edit(tmp_path / "code")
    for command in (["status"], ["plan", "mixup/table1"]):
        found = runs(call, *command)
        assert (found[OURS]["stale"], found[PLAIN]["stale"]) == (["mixup-paper"], [])
        assert f"{SAYS} ({found[OURS]['id']})" in call(*command)
    again = call("run", "mixup/table1")
    assert SAYS in again and "--stale" in again and "nothing to do: all 2 runs are done" in again
    (table,) = json.loads(call("report", "mixup/table1", "--json"))["tables"]
    assert table["stale"] == {found[OURS]["id"]: ["mixup-paper"]}
    printed = call("report", "mixup/table1", "--no-figures", "--format", "latex,markdown,html")
    folder = tmp_path / "results/report/mixup"
    for text in (printed, *((folder / name).read_text() for name in ("table1.tex", "table1.md", "report.html"))):
        assert SAYS in text and "-stale' reruns it" in text.replace("&#39;", "'")
    shutil.rmtree(tmp_path / "code")
    assert {run["state"] for run in runs(call, "status").values()} == {"done", "foreign"}


def test_stale_runs_are_rerun_and_nothing_is_lost(call, tmp_path):
    results, before = tmp_path / "results", runs(call, "status")
    accuracies, id = accuracy(call), before[OURS]["id"]
    old = sorted((path.name, path.read_bytes()) for path in (results / "runs" / id).rglob("*.json"))
    mixup.edit(tmp_path / "code")
    planned = call("run", "mixup/table1", "--stale", "--dry-run")
    assert "to be set aside" in planned and not (results / "superseded").exists()
    done = call("run", "mixup/table1", "--stale")
    assert f"{SAYS} ({id}): set aside in {results / 'superseded'}" in done
    assert "1 run to do" in done and "2 of 2 runs are done" in done
    moved = results / "superseded" / f"{id}.1"
    assert sorted((path.name, path.read_bytes()) for path in moved.rglob("*.json")) == old
    after = runs(call, "status")
    assert after[OURS]["stale"] == [] and after[OURS]["state"] == "done"
    assert stay(results, after[OURS])["distributions"] != json.loads(dict(old)["1.json"])["distributions"]
    assert len(list((results / "runs" / id / "evaluations").glob("*.json"))) == 2, "one of them was requested by table2"
    assert accuracy(call)[0] == accuracies[0] and accuracy(call)[1] != accuracies[1], "its logits have the other sign"
    again = call("run", "mixup/table1", "--stale")
    assert "no run was measured with other code" in again and "nothing to do" in again


def test_ranks_rerun_them_too(call, tmp_path):
    mixup.edit(tmp_path / "code")
    done = call("run", "mixup/table2", "--stale", "--executor", "torchrun", "--nproc-per-node", "2")
    assert "set aside" in done and "1 of 1 runs are done" in done
    found = runs(call, "status")[OURS]
    assert found["stale"] == [] and stay(tmp_path / "results", found)["world_size"] == 2


def test_runs_at_work_and_cancelled_ones_are_left_alone(call, tmp_path):
    from harness.store.lease import Lease

    mixup.edit(tmp_path / "code")
    run = tmp_path / "results/runs" / runs(call, "status")[OURS]["id"]
    with Lease.acquire(run):
        assert "skipped, because a worker is running it" in call("run", "mixup/table1", "--stale")
    (run / "training.json").unlink()
    call("cancel", run.name)
    assert "cancelled run is skipped" in call("run", "mixup/table1", "--stale") and run.exists()


def test_options_that_do_not_go_together(call):
    assert "--stale is not for --rehearse" in call("run", "mixup/table1", "--stale", "--rehearse", returncode=2)
