"""The checks of `doctor`, and what they mean for the runs of a scale."""

import errno
import os
import subprocess
import sys

import gpus
import pytest
import toy_paper

from harness.doctor import computing
from harness.doctor.check import Check, CheckState
from harness.doctor.computing import check_gpu, check_memory
from harness.doctor.extras import check_compiler, check_slurm
from harness.doctor.folders import check_results
from harness.doctor.readiness import assess
from harness.launch import machine as limits
from harness.launch.plan import make_plan
from harness.registry.papers import find_exhibits
from harness.store.results import Results

GPU = {"name": "NVIDIA H200", "memory_bytes": 150_000_000_000, "compute_capability": "9.0", "bf16": True}
FOUND = {"version": "2.13.0+cu130", "cuda": "13.0", "gpus": [GPU], "gpu_error": None}
DATASETS = ("cifar10", "cifar100", "tiny_imagenet", "stl10", "imagenet32", "celebahq128", "svhn", "celeba32")


@pytest.fixture
def driver(tmp_path, monkeypatch):
    return lambda **how: gpus.install(tmp_path, monkeypatch, gpus.listing(2), **how)


def test_a_gpu_is_named_with_its_memory_and_driver(driver):
    driver()
    check = check_gpu(FOUND)
    assert check.state is CheckState.OK
    assert check.says == "NVIDIA H200, 150.0 GB, capability 9.0, bfloat16; driver 570.86.15"
    assert check.facts["gpus"] == [GPU]


@pytest.mark.parametrize(
    ("found", "visible", "state", "says", "mend"),
    [
        ({"gpus": [GPU | {"bf16": False}]}, "0", CheckState.DEGRADED, "no bfloat16", ""),
        ({"cuda": None, "gpus": []}, "0", CheckState.MISSING, "this build of torch has no CUDA", "reinstall torch"),
        ({"cuda": None, "gpus": []}, "1", CheckState.MISSING, "this build of torch has no CUDA", "reinstall torch"),
        ({"gpus": [], "gpu_error": "driver too old"}, "0", CheckState.MISSING, "driver too old", "nvidia-smi"),
        ({"gpus": []}, "", CheckState.MISSING, "hidden by CUDA_VISIBLE_DEVICES=''", "unset CUDA_VISIBLE_DEVICES"),
        ({"gpus": []}, "0,0", CheckState.MISSING, "hidden by CUDA_VISIBLE_DEVICES='0,0'", "unset"),
        ({"gpus": []}, "-1", CheckState.MISSING, "hidden by CUDA_VISIBLE_DEVICES='-1'", "unset"),
    ],
)
def test_a_gpu_that_cannot_be_used_says_why(driver, monkeypatch, found, visible, state, says, mend):
    driver()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    check = check_gpu(FOUND | found)
    assert check.state is state
    assert says in check.says
    assert mend in check.mend


def test_a_driver_that_fails_is_no_gpu(driver):
    driver(driver="NVIDIA-SMI has failed", code=9)
    assert check_gpu(FOUND | {"gpus": []}).says.startswith("none found")


@pytest.mark.parametrize(
    ("memory", "state", "mend"),
    [
        (4 * 2**30, CheckState.OK, ""),
        (4 * 2**30 - 1, CheckState.DEGRADED, "python -m harness run table6 --workers 3"),
        (2**29, CheckState.DEGRADED, "python -m harness run table6 --workers 1"),
    ],
)
def test_little_memory_is_for_few_workers_and_for_one_at_least(monkeypatch, memory, state, mend):
    monkeypatch.setattr(computing, "usable_memory", lambda: memory)
    monkeypatch.setattr(computing, "usable_cores", lambda: 4)
    check = check_memory()
    assert (check.state, check.mend) == (state, mend)


def test_results_need_a_clock_that_agrees_but_no_hard_links(tmp_path, monkeypatch):
    assert check_results(tmp_path / "a" / "b").state is CheckState.OK
    for now, sign in ((0.0, "+"), (2.0**33, "-")):
        with monkeypatch.context() as patched:
            patched.setattr("time.time", lambda now=now: now)
            apart = check_results(tmp_path)
        assert apart.state is CheckState.DEGRADED
        assert f"from this machine's by {sign}" in apart.says
        assert "synchronize both by NTP" in apart.says

    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    check = check_results(tmp_path)
    assert check.state is CheckState.OK
    assert "no hard links, so leases are created exclusively instead" in check.says
    (tmp_path / "file").touch()
    assert "Not a directory" in check_results(tmp_path / "file" / "results").says
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("membership", "files", "memory"),
    [
        ("0::/a/b", {"a/memory.max": "2000000"}, 2_000_000),
        ("0::/a/b", {"a/b/memory.max": "max", "memory.max": "3000"}, 3_000),
        ("0::/gone", {"memory.max": "4000"}, 4_000),
        (
            "4:memory:/job\n0::/",
            {"memory/job/memory.limit_in_bytes": "5000", "memory/memory.limit_in_bytes": "9223372036854771712"},
            5_000,
        ),
        ("", {}, None),
    ],
)
def test_cgroups_of_both_versions_limit_memory(tmp_path, monkeypatch, membership, files, memory):
    monkeypatch.setattr(limits, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(limits, "MEMBERSHIP", tmp_path / "membership")
    (tmp_path / "membership").write_text(membership)
    for name, content in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    assert limits.usable_memory() == (memory or limits.psutil.virtual_memory().total)


def test_the_affinity_of_a_process_limits_its_cores():
    code = "import os; os.sched_setaffinity(0, {0}); from harness.launch.machine import usable_cores as n; print(n())"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "1\n"


@pytest.fixture
def paper_plan(tmp_path):
    return make_plan(find_exhibits(["hybvit"]), "paper", 1, (), Results(tmp_path / "results"))


def machine(free=10**12, **states):
    """Return the checks of a fully equipped machine with the given states replaced."""
    names = ("torch", "gpu", "results", "data", "inception", "weights")
    facts = {name: {"bytes": 10**9} for name in DATASETS}
    facts |= {name: {"free_bytes": free} for name in ("results", "data")}
    return [
        Check(name, states.get(name, CheckState.OK), "", facts=facts.get(name, {}))
        for name in (*names, *DATASETS, "latex", "ffcv")
    ]


def test_what_runs_can_start_and_finish_follows_from_what_they_need(paper_plan):
    everything = assess(paper_plan, machine(latex=CheckState.MISSING, ffcv=CheckState.MISSING))
    assert everything.ready
    assert (everything.runs, everything.can_start, everything.can_finish) == (47, 47, 47)
    assert everything.reported_gpu_hours == 1492.1

    no_outliers = assess(paper_plan, machine(svhn=CheckState.MISSING))
    assert (no_outliers.can_start, no_outliers.can_finish) == (47, 41), "the six models of Tables 3 and 11"
    assert no_outliers.missing == ("svhn",)

    no_faces = assess(paper_plan, machine(celebahq128=CheckState.MISSING))
    assert (no_faces.can_start, no_faces.can_finish) == (46, 46)

    no_weights = assess(paper_plan, machine(weights=CheckState.MISSING))
    assert no_weights.can_start == 47
    assert no_weights.can_finish == sum(
        all(e.embedding is None or e.embedding.space.kind != "inception" for e in run.evaluations.values())
        for run in paper_plan.runs
    )

    no_gpu = assess(paper_plan, machine(gpu=CheckState.MISSING))
    assert (no_gpu.can_start, no_gpu.missing) == (0, ("gpu",))
    assert assess(paper_plan, machine(gpu=CheckState.DEGRADED)).ready


def test_a_disk_that_is_too_small_is_missing_room(paper_plan):
    needed = paper_plan.to_json()["totals"]["disk_bytes"] / 1e9
    found = assess(paper_plan, machine(free=10**9, cifar10=CheckState.MISSING, stl10=CheckState.MISSING))
    rooms = f"room for results (1.0 GB of {needed:.1f} GB)", "room for data (1.0 GB of 2.0 GB)"
    assert found.missing == ("cifar10", "stl10", *rooms)


def test_the_laptop_scale_needs_no_gpu(tmp_path):
    plan = make_plan(find_exhibits(["hybvit"]), "laptop", 1, (), Results(tmp_path / "results"))
    found = assess(plan, machine(**dict.fromkeys(("gpu", "inception", "weights", *DATASETS), CheckState.MISSING)))
    assert found.ready


def test_what_is_done_needs_nothing(finished):
    plan = make_plan([(toy_paper.PAPER, toy_paper.PAPER.tables[0])], "laptop", 1, (), Results(finished[0]))
    found = assess(plan, machine(torch=CheckState.MISSING))
    assert (found.runs, found.done, found.missing) == (2, 2, ())


@pytest.mark.parametrize(
    ("answers", "state", "says"),
    [
        (True, CheckState.OK, "run --executor slurm --profile NAME"),
        (False, CheckState.DEGRADED, "no cluster answers: runs use this machine only"),
    ],
)
def test_commands_of_slurm_without_a_cluster_are_no_cluster(monkeypatch, answers, state, says):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("harness.launch.slurm.scheduler.Scheduler.responds", lambda self: answers)
    check = check_slurm()
    assert (check.state, says in check.says) == (state, True)


def test_a_missing_configuration_of_slurm_is_named_without_asking(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    monkeypatch.setattr("harness.launch.slurm.scheduler.Scheduler.responds", lambda self: pytest.fail("asked squeue"))
    check = check_slurm()
    assert (check.state, check.mend.split()[:2]) == (CheckState.DEGRADED, ["unset", "SLURM_CONF"])
    assert f"SLURM_CONF='{tmp_path}/slurm.conf' is no file" in check.says


@pytest.mark.parametrize("compiler", ["", "no-such-compiler", "ccache g++"])
def test_a_compiler_that_is_no_program_is_named_with_its_variable(monkeypatch, compiler):
    monkeypatch.setenv("CXX", compiler)
    check = check_compiler()
    assert (check.state, check.mend) == (CheckState.MISSING, "unset CXX")
    assert f"CXX={compiler!r} is no program" in check.says
