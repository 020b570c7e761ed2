"""Many small runs of the toy paper, by this code and by another checkout in turns.

PYTHONPATH=.:tests/support python benchmarks/small_runs.py --before PATH [--paper points] [--runs 200] [--rounds 1]

Each round is one command with `--runs` seeds of a small row on two workers, in a new results directory. The row of
`toy` trains for 134 steps of a ViT; that of `points` for 36 steps of a perceptron, with kinds of its own and three
evaluations. A third number is the computing of a worker until its first step, processes such as git included.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from distributions import install

HERE = Path(__file__).parents[1]
ROWS = {"toy": ("toy/table103", "--rows", "Whole"), "points": ("points/table1",)}
FIRST_STEP = """
import json, os, resource, sys
import harness.cli.main
{imports}
def computed():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
if {forks} and os.fork():
    sys.exit(os.wait()[1])
before = computed() if {forks} else 0.0
from harness.training.loop import Trainer
def train_step(trainer):
    os.write(1, json.dumps(computed() - before).encode())
    os._exit(0)
Trainer.train_step = train_step
harness.cli.main.main(sys.argv[1:])
"""

IMPORTS = """
from importlib import import_module
from harness.cli.fork_server import import_worker, known_code, spare_modules
import_worker()
known_code(0)
for module in spare_modules():
    import_module(module)
"""


def main():
    """Measure both, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="another checkout of this repository")
    parser.add_argument("--paper", choices=ROWS, default="toy")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    checkouts = {"before": options.before} if options.before else {}
    checkouts["this code"] = HERE
    rounds = {name: [] for name in checkouts}
    with tempfile.TemporaryDirectory(prefix="small-runs-") as folder:
        install(Path(folder, "site"), "points-paper", {}, papers=["points = points_paper:PAPER"])
        for number in range(options.rounds):
            for name, checkout in checkouts.items():
                place = Path(folder, name, str(number))
                rounds[name].append(measure(checkout, ROWS[options.paper], options.runs, place))
    found = {name: {key: statistics.median(each[key] for each in of) for key in of[0]} for name, of in rounds.items()}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, each in found.items():
        print(
            f"{name}: {options.runs} runs in {each['seconds']:.0f} s, {each['computing'] / options.runs:.2f} s of "
            f"computing each, {each['start']:.3f} s to the first step, {each['mebibytes']:.0f} MiB in the largest"
        )
    if "before" in found:
        before, now = found["before"], found["this code"]
        seconds, computing, start = (before[key] / now[key] for key in ("seconds", "computing", "start"))
        print(f"ratios: {seconds:.1f} in time, {computing:.1f} in computing, {start:.0f} to the first step")


def measure(checkout, row, runs, folder):
    """Return the time and the computing of one command, the computing of a start, and the largest process in MiB."""
    environment = os.environ | {
        "PYTHONPATH": f"{checkout}:{checkout / 'tests/support'}:{folder.parents[1] / 'site'}",
        "HARNESS_DATA": str(folder.parents[1] / "data"),
        "CUDA_VISIBLE_DEVICES": "",
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    }

    def call(*line):
        subprocess.run([sys.executable, *line], env=environment, cwd=checkout, check=True, stdout=subprocess.DEVNULL)

    harness = ("-m", "harness", "--results", str(folder))
    call(*harness, "data", "prepare", "digits")
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    call(*harness, "run", *row, "--seeds", str(runs), "--workers", "2")
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    computing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    starts = [start_of(checkout, run, environment) for run in sorted((folder / "runs").iterdir())[:3]]
    return {
        "seconds": seconds,
        "computing": computing,
        "start": statistics.median(starts),
        "mebibytes": after.ru_maxrss / 1024,
    }


def start_of(checkout, run, environment):
    """Return the seconds of computing of a worker until its first step, for a copy of a run without its results."""
    forks = (checkout / "harness/cli/fork_server.py").exists()
    imports = IMPORTS if forks else ""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "runs", run.name)
        copy.mkdir(parents=True)
        subprocess.run(["cp", "-r", run / "config.json", run / "requests", copy], check=True)
        script = FIRST_STEP.format(imports=imports, forks=forks)
        line = [sys.executable, "-c", script, "--results", folder, "worker", run.name]
        done = subprocess.run(line, env=environment, cwd=checkout, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
