"""`harness doctor` in a subprocess, on machines that really lack something."""

import json
import os
import subprocess
import sys

import pytest

from harness.data.prepared.manifest import DatasetManifest
from harness.data.registry import datasets
from harness.store.files import write_json

MACHINE = ["harness", "torch", "gpu", "cores", "memory", "results", "data"]
EXTRAS = ["papers", "inception", "weights", "ffcv", "compiler", "latex", "slurm", "slurm_lab"]
REAL = ["cifar10", "svhn", "cifar100", "celeba32", "tiny_imagenet", "stl10", "imagenet32", "celebahq128"]


WITHOUT_TORCH = """
import sys
from harness.cli.main import main

code = main()
assert "torch" not in sys.modules, "the doctor imports torch itself"
sys.exit(code)
"""


@pytest.fixture
def doctor(toy_environment, tmp_path):
    """Run `harness doctor` with a changed environment; return exit code, document or text, and stderr.

    Imports no torch itself, since torch may be what is broken.
    """

    def run(*arguments, results=tmp_path / "results", changes=(), how=("-c", WITHOUT_TORCH), **options):
        environment = toy_environment | {"HARNESS_DATA": str(tmp_path / "data"), **dict(changes)}
        command = [sys.executable, *how, "--results", str(results), "doctor", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, **options)
        return done.returncode, json.loads(done.stdout) if "--json" in arguments else done.stdout, done.stderr

    return run


def by_name(document):
    return {check["name"]: check for part in ("machine", "extras", "datasets") for check in document[part]}


def package(folder, name, code):
    """Shadow an installed package."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(code)
    return {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}


def test_a_machine_without_anything_else_is_ready_for_the_laptop_scale(doctor, tmp_path):
    code, document, err = doctor("--json")
    assert (code, err) == (0, "")
    assert list(document) == ["scale", "ready", "machine", "extras", "datasets", "scales"]
    assert (document["scale"], document["ready"]) == ("laptop", True)
    assert [check["name"] for check in document["machine"]] == MACHINE
    assert [check["name"] for check in document["extras"]] == EXTRAS
    checks = by_name(document)
    assert [name for name, check in checks.items() if check["facts"].get("embedded") is False] == REAL
    assert all(list(check) == ["name", "state", "says", "mend", "facts"] for check in checks.values())
    assert checks["harness"]["facts"]["python"] == sys.version.split()[0]
    assert checks["cores"]["facts"]["usable"] == len(os.sched_getaffinity(0))
    assert checks["results"]["facts"]["hard_links"] is True
    assert abs(checks["results"]["facts"]["clock_ahead_seconds"]) < 10
    assert checks["cifar10"]["facts"]["runs"] == 23
    laptop, paper = document["scales"]
    assert laptop["missing"] == []
    assert laptop["can_start"] == laptop["can_finish"] == laptop["runs"] == 47
    assert not paper["ready"]
    assert paper["runs"] - paper["can_start"] == 47, "the toy's runs need no GPU and no archives"
    assert {"gpu", "weights", *REAL} <= set(paper["missing"])
    assert not [*tmp_path.iterdir()], "doctor writes no files"


def test_a_stripped_machine_is_told_what_it_lacks_and_how_to_get_it(doctor, tmp_path):
    data = tmp_path / "data"
    for name, lost in (("svhn", ""), ("celeba32", "test-labels.npy")):
        (data / name).mkdir(parents=True)
        count = datasets()[name].test_examples
        shapes = {"test-images.npy": [count, 3, 32, 32], "test-labels.npy": [count]}
        manifest = DatasetManifest(name=name, files=dict.fromkeys(shapes, "0" * 64), shapes=shapes)
        write_json(data / name / "manifest.json", manifest.model_dump())
        for file in shapes.keys() - {lost}:
            (data / name / file).touch()
    (data / "stl10").mkdir()
    few = {"train-images.npy": [4, 3, 96, 96], "test-images.npy": [3, 3, 96, 96]}
    (data / "stl10" / "manifest.json").write_text(json.dumps({"name": "stl10", "files": {}, "shapes": few}))
    (data / "cifar10").mkdir()
    (data / "cifar10" / "manifest.json").write_text("torn")
    (tmp_path / "bin").mkdir()
    core = min(os.sched_getaffinity(0))
    code, document, err = doctor(
        "--json",
        results="/proc/results",
        changes={"PATH": str(tmp_path / "bin")},
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    assert (code, err) == (1, "")
    checks = by_name(document)
    assert {
        name: checks[name]["state"] for name in ("results", "data", "latex", "compiler", "slurm", "gpu", "svhn")
    } == {
        "results": "missing",
        "data": "ok",
        "latex": "missing",
        "compiler": "missing",
        "slurm": "missing",
        "gpu": "missing",
        "svhn": "ok",
    }
    assert "/proc/results cannot be written" in checks["results"]["says"]
    assert checks["results"]["mend"].startswith("export HARNESS_RESULTS=")
    assert "texlive-latex-base" in checks["latex"]["mend"]
    assert "apt-get install" in checks["compiler"]["mend"]
    assert " g++ python3." in checks["compiler"]["mend"]
    assert checks["cores"]["facts"]["usable"] == 1
    assert checks["celeba32"]["says"].endswith("has no test-labels.npy")
    assert checks["celeba32"]["mend"].startswith(f"rm -r {data}/celeba32 && python -m harness --data")
    assert "data prepare celeba32 --from FOLDER" in checks["celeba32"]["mend"]
    assert "was prepared without the 5,000 examples of split train" in checks["stl10"]["says"]
    assert "corrupted record" in checks["cifar10"]["says"]
    assert all(scale["missing"][0] == "results" and scale["can_start"] == 0 for scale in document["scales"])


@pytest.mark.parametrize(
    ("torch", "says"),
    [
        ("raise ImportError('libcudart.so.12: cannot open shared object file')", "libcudart.so.12"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the process that imports it died: SIGSEGV"),
    ],
)
def test_a_broken_torch_is_reported_and_a_gpu_that_nobody_can_use(doctor, tmp_path, torch, says):
    (tmp_path / "bin").mkdir()
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.write_text("#!/bin/sh\n[ $1 = -L ] && echo 'GPU 0: NVIDIA H200 (UUID: GPU-1)' || echo 570.86.15\n")
    tool.chmod(0o755)
    changes = package(tmp_path / "broken", "torch", torch)
    changes |= {"PATH": f"{tool.parent}:{os.environ['PATH']}", "CUDA_VISIBLE_DEVICES": "0"}
    code, text, err = doctor(changes=changes)
    assert (code, err) == (1, "")
    words = " ".join(text.split())
    assert f"missing torch cannot be imported: {says}" in words
    assert "$ python -m pip install -c constraints.txt --force-reinstall torch" in text
    assert "missing gpu there is one (driver 570.86.15), but: torch does not see it" in words
    assert "laptop scale not ready: " in words
    assert "Missing: torch" in words


def test_the_text_fits_a_terminal_and_has_no_colours(doctor, tmp_path):
    code, text, err = doctor("--scale", "paper-fp32", results="results", changes={"HARNESS_DATA": "data"}, cwd=tmp_path)
    assert (code, err) == (1, "")
    lines = text.splitlines()
    assert max(len(line) for line in lines if not line.lstrip().startswith("$ ")) <= 80
    assert "\x1b" not in text
    assert [line for line in lines if line[:1].strip()] == [
        "This machine",
        "Optional",
        "Datasets",
        "What can run here",
    ]
    words = " ".join(text.split())
    assert "missing svhn not prepared; evaluations only: hybvit tables 3, 11" in words
    assert "missing imagenet32 not prepared; 4 runs (306.7 of the paper's GPU-hours): hybvit tables 2, 13" in words
    assert "laptop scale ready: " in words
    assert "paper scale not ready: " in words
    assert "paper-fp32 scale not ready: " in words


def test_an_unknown_scale_and_an_incomplete_installation_are_one_line(doctor, toy_environment, tmp_path):
    code, out, err = doctor("--scale", "papr")
    assert (code, out) == (2, "")
    assert err.startswith("harness: unknown scale 'papr': did you mean 'paper'")
    changes = package(tmp_path / "broken", "psutil", "raise ModuleNotFoundError('gone', name='psutil')")
    changes["PYTHONPATH"] = f"{changes['PYTHONPATH']}:{toy_environment['PYTHONPATH']}"
    code, out, err = doctor(changes=changes, how=("-m", "harness"))
    assert (code, out) == (1, "")
    assert err == "harness: the package 'psutil' is not installed: python -m pip install -c constraints.txt -e .\n"
