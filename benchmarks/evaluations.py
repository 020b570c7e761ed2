"""Run rows with two versions of the code, in turns: seconds of training and of each kind of evaluation, and all bits.

    python benchmarks/evaluations.py table6 --before ../main --rows 'HybViT(dim=192)' --rows 'HybViT(head=6)'
    python benchmarks/evaluations.py table12 --before ../main --rows 'L2: HybViT - Weak Aug' --rounds 3
    python benchmarks/evaluations.py hybvit --before ../main --workers 2

`--before` is another checkout of this repository. Both versions run each row, or everything without `--rows`, in a
results directory of their own, and take turns row by row. Seconds of a phase are from the records, by the clock;
seconds of computing and of the clock are those of the whole command, start included. The fastest round counts, because
other load only adds time. Weights, curves, arrays and values of the last round are compared, except those of `runtime`,
which measures time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

HERE = Path(__file__).resolve().parent.parent
SIDES = ("before", "now")
CLOCK, COMPUTING, TRAINING = "clock, whole command", "computing, whole command", "training"
Seconds = dict[str, float]


def importable(checkout: Path, folder: Path) -> Path:
    """Make a folder from which the packages of a checkout are imported, its papers under their installed name."""
    folder.mkdir()
    (folder / "harness").symlink_to(checkout / "harness")
    (folder / "harness_papers").symlink_to(checkout / "experiments")
    return folder


def computed() -> float:
    """Return the seconds of computing of all ended child processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run(packages: Path, results: Path, data: Path, selection: list[str], workers: int) -> Seconds:
    """Run a selection of rows, and return the seconds of computing and of the clock."""
    begun, at = computed(), monotonic()
    command = [sys.executable, "-m", "harness", "--results", str(results), "--data", str(data), "-q", "run"]
    environment = {**os.environ, "PYTHONPATH": str(packages), "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, *selection, "--workers", str(workers)], env=environment, cwd=packages, check=True)
    return {COMPUTING: computed() - begun, CLOCK: monotonic() - at}


def documents(paths: Iterator[Path]) -> list[tuple[Path, dict[str, Any]]]:
    """Return JSON documents with their paths, in the order of the paths."""
    return [(path, json.loads(path.read_bytes())) for path in sorted(paths)]


def phases(results: Path) -> Seconds:
    """Return the seconds by the clock of training and of each kind of evaluation, summed over runs."""
    found: Seconds = defaultdict(float)
    for _, segment in documents(results.glob("runs/*/segments/*.json")):
        found[TRAINING] += segment.get("training_seconds") or 0
    for _, record in documents(results.glob("runs/*/evaluations/*.json")):
        found[record["evaluation"]["kind"]] += record["seconds"]
    return found


def bits(results: Path) -> dict[str, Any]:
    """Return everything of the runs that must be equal, by name: hashes of weights, curves and arrays, and values."""
    found: dict[str, Any] = {}
    for path, record in documents(results.glob("runs/*/training.json")):
        found |= {f"{path.parent.name} {key}": record[key] for key in ("weights_sha256", "snapshots", "curve_sha256")}
    for path, record in documents(results.glob("runs/*/evaluations/*.json")):
        if record["evaluation"]["kind"] != "runtime":
            name = f"{path.parent.parent.name} {path.stem}"
            found |= {f"{name} {array}": sha256 for array, sha256 in record["artefacts"].items()}
            found |= {f"{name} {key}": value["value"] for key, value in record["quantities"].items()}
            found[f"{name} details"] = record["details"]
    return found


def measure(settings: argparse.Namespace, folder: Path) -> tuple[dict[str, Seconds], dict[str, dict[str, Any]]]:
    """Run all rows with both versions in all rounds, and return the fastest seconds and the last bits of each."""
    sources = {"before": settings.before.resolve(), "now": HERE}
    packages = {side: importable(sources[side], folder / side) for side in SIDES}
    selections = [[*settings.exhibits, "--rows", row] for row in settings.rows] or [settings.exhibits]
    fastest: dict[str, Seconds] = {side: {} for side in SIDES}
    for turn in range(settings.rounds):
        results = {side: folder / f"{side}-{turn}" for side in SIDES}
        whole: dict[str, Seconds] = {side: defaultdict(float) for side in SIDES}
        for number, selection in enumerate(selections):
            for side in SIDES if (turn + number) % 2 == 0 else reversed(SIDES):
                spent = run(packages[side], results[side], settings.data.resolve(), selection, settings.workers)
                for name, seconds in spent.items():
                    whole[side][name] += seconds
        for side in SIDES:
            for name, seconds in {**phases(results[side]), **whole[side]}.items():
                fastest[side][name] = min(fastest[side].get(name, float("inf")), seconds)
    return fastest, {side: bits(results[side]) for side in SIDES}


def main() -> None:
    """Measure, and print one line per phase and the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exhibits", nargs="+", help="tables and figures, as for `run`")
    parser.add_argument("--before", type=Path, required=True, help="another checkout")
    parser.add_argument("--rows", action="append", default=[], help="a pattern of rows, as for `run`; repeatable")
    parser.add_argument("--data", type=Path, default=Path("data"), help="prepared datasets")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    with TemporaryDirectory() as folder:
        seconds, found = measure(settings, Path(folder))
    before, now = (found[side] for side in SIDES)
    different = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    names = [TRAINING, *sorted(seconds["now"].keys() - {TRAINING, COMPUTING, CLOCK}), COMPUTING, CLOCK]
    lines = [
        {
            "phase": name,
            "before_seconds": seconds["before"][name],
            "now_seconds": seconds["now"][name],
            "ratio": seconds["before"][name] / seconds["now"][name] if seconds["now"][name] else None,
        }
        for name in names
    ]
    about = {"load": round(os.getloadavg()[0], 1), "rounds": settings.rounds, "compared": len(before | now)}
    if settings.json:
        print(json.dumps({**about, "phases": lines, "different": different}, indent=2))
        return
    print(f"{'phase':28}{'before, s':>11}{'now, s':>9}{'before / now':>14}   (load {about['load']})")
    for line in lines:
        ratio = f"{line['ratio']:14.2f}" if line["ratio"] else f"{'-':>14}"
        print(f"{line['phase']:28}{line['before_seconds']:11.1f}{line['now_seconds']:9.1f}{ratio}")
    print(f"{len(before | now)} hashes and values compared, {len(different)} different")
    print(*different, sep="\n", end="")


if __name__ == "__main__":
    main()
