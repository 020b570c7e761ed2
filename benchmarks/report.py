"""Measure time and memory of `report`, `status`, `list` and `plan` on a results directory with many runs.

    PYTHONPATH=. python benchmarks/report.py --runs 10000
    PYTHONPATH=. python benchmarks/report.py --runs 37 --commands report --profile
    PYTHONPATH=. python benchmarks/report.py --runs 10000 --keep /tmp/results

Generates fake laptop runs of every table and figure, for as many seeds as needed: records in the real format with
plausible values that differ between rows and seeds, and for the first seed the arrays that figures need. Each command
runs once in its own process, as users run it; `report again` reuses what `report` rendered. `--keep` keeps the results
and reuses them next time. Memory is the proportional set size (PSS) over all processes of a command.
"""

import argparse
import cProfile
import json
import math
import os
import pstats
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import numpy as np
import psutil

from harness.config.evaluations import Calibration, Evaluation, Generation, Runtime
from harness.config.run import Run
from harness.launch.plan import PlannedRun, make_plan
from harness.registry.papers import find_exhibits
from harness.store.records import EvaluationRecord, Measurement, Outcome, Progress, Segment, TrainingRecord
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

AGAIN = "report again"
COMMANDS = {
    "report": ["report", "all"],
    AGAIN: ["report", "all"],
    "report without figures": ["report", "all", "--no-figures"],
    "status": ["status"],
    "list": ["list"],
    "plan": ["plan", "all", "--seeds", "{seeds}"],
}
HASH = "0123456789abcdef" * 4
CENTRES = {
    "accuracy": 95.0, "frechet_distance": 40.0, "class_score": 6.0, "bits_per_dim": 4.0,
    "expected_calibration_error": 6.0, "confidence_gap": -5.0, "auroc": 0.9, "precision": 0.7, "recall": 0.6,
    "density": 0.4, "coverage": 0.4, "minutes_per_epoch": 0.2, "runtime_hours": 0.01, "gpu_hours": 0.01,
}  # fmt: skip
"""Means of the fake values; all other quantities are accuracies under attack."""
SPACE = {
    "kind": "classifier", "data": "digits", "data_sha256": HASH, "test_accuracy": 97.8, "weights_sha256": HASH,
}  # fmt: skip
VERSIONS = {"python": "3.11.7", "torch": "2.13.0+cpu", "numpy": "2.4.6"}


def make_results(root: Path, runs: int) -> None:
    """Write `runs` finished runs of the laptop selection, seed by seed."""
    selection = make_plan(find_exhibits(["all"]), "laptop", 1, (), Results(root)).runs
    for seed in range(math.ceil(runs / len(selection))):
        for planned in selection[: runs - seed * len(selection)]:
            run = planned.run if seed == 0 else planned.run.but(seed=seed).called(planned.run.name)
            _write_run(Results(root).directory(run), run, planned)


def _write_run(directory: RunDirectory, run: Run, planned: PlannedRun) -> None:
    draw = np.random.default_rng(int(run.id, 16))
    for folder in (directory.requests, directory.evaluations, directory.segments):
        folder.mkdir(parents=True)
    stored = {"id": run.id, "name": run.name, "config": run.config.model_dump(mode="json")}
    directory.config.write_text(json.dumps(stored, indent=2) + "\n")
    hashes = dict.fromkeys(range(1, 10), HASH)
    trained = TrainingRecord(
        iterations=run.iterations, parameters=run.parameters, weights_sha256=HASH, data_sha256=HASH, snapshots=hashes
    )
    segment = Segment(
        started=datetime.now(UTC), seconds=float(draw.uniform(60, 300)), host="vm", device="cpu", threads=1,
        commit=HASH[:40], dirty=False, versions=VERSIONS, first_step=0, steps=run.iterations,
        evaluations={evaluation.id: 1.0 for evaluation in planned.evaluations.values()},
    )  # fmt: skip
    epochs = run.config.training.epochs
    done = Progress(phase="evaluation", step=run.iterations, total=run.iterations, epochs=epochs)
    for path, record in (
        (directory.training, trained),
        (directory.outcome, Outcome.now("done")),
        (directory.progress, done),
        (directory.segments / "1.json", segment),
    ):
        _write(path, record.model_dump_json(indent=2))
    points = (
        {"epoch": epoch, "step": run.iterations * epoch // epochs, "cross_entropy": 2 / epoch, "test_accuracy": 90.0}
        for epoch in range(1, epochs + 1)
    )
    _write(directory.metrics, "\n".join(map(json.dumps, points)))
    for evaluation in planned.evaluations.values():
        settings = evaluation.model_dump(mode="json")
        _write(directory.requests / f"{evaluation.id}.json", json.dumps(settings, indent=2))
        record = _record(evaluation, settings, run, draw)
        _write(directory.record_path(evaluation), record.model_dump_json(indent=2))
        if run.config.seed == 0:
            _write_arrays(directory.artefacts(evaluation), evaluation, run, draw)


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n")


def _record(
    evaluation: Evaluation, settings: dict[str, object], run: Run, draw: np.random.Generator
) -> EvaluationRecord:
    """Return a record with a value for every quantity, randomised by 3 %."""
    exact = {"parameters_m": run.parameters / 1e6}
    quantities = {
        name: Measurement(value=exact.get(name, CENTRES.get(name, 70.0) * float(draw.normal(1, 0.03))), n=360)
        for name in evaluation.labels(run.config.data)
    }
    details: dict[str, object] = {}
    if isinstance(evaluation, Generation):
        details = {"feature_space": {**SPACE, "data": run.config.data.name}, "reference": evaluation.reference}
    if isinstance(evaluation, Runtime):
        details = {"device": "cpu", "note": "Times are extrapolated from the fastest of short windows"}
    return EvaluationRecord(
        evaluation=settings, quantities=quantities, details=details, weights_sha256=HASH, seconds=1.0,
        artefacts={f"{name}.npy": HASH for name in ("samples", "own_logits", "features")},
    )  # fmt: skip


def _write_arrays(folder: Path, evaluation: Evaluation, run: Run, draw: np.random.Generator) -> None:
    data = run.config.data
    arrays: dict[str, np.ndarray] = {}
    if isinstance(evaluation, Generation):
        shape = (200, data.channels, data.image_size, data.image_size)
        arrays = {"samples": draw.integers(0, 256, shape, dtype=np.uint8),
                  "own_logits": draw.normal(0, 2, (200, data.num_classes)).astype(np.float32)}  # fmt: skip
    if isinstance(evaluation, Calibration):
        centres = (np.arange(evaluation.bins) + 0.5) / evaluation.bins
        arrays = {"bins": np.stack([np.full(evaluation.bins, 18.0), centres, centres**1.2], axis=1)}
    for name, array in arrays.items():
        folder.mkdir(exist_ok=True)
        np.save(folder / f"{name}.npy", array)


def measure(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Run a command; return its wall-clock seconds, its CPU seconds, and its peak memory in MiB."""
    started, before = time.perf_counter(), os.times()
    child = psutil.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    peak = 0
    while child.poll() is None:
        peak = max(peak, _memory(child))
        time.sleep(0.2)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": time.perf_counter() - started, "cpu_seconds": cpu, "peak_mib": peak / 2**20}


def _memory(process: psutil.Process) -> int:
    try:
        return sum(part.memory_full_info().pss for part in (process, *process.children(recursive=True)))
    except psutil.Error:
        return 0


def profile(arguments: list[str], lines: int = 30) -> None:
    """Profile a command in this process."""
    from harness.cli.main import main

    profiler = cProfile.Profile()
    with open(os.devnull, "w") as nowhere:
        shown, sys.stdout = sys.stdout, nowhere
        try:
            profiler.runcall(main, arguments)
        finally:
            sys.stdout = shown
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(lines)


def main() -> None:
    """Generate the results, measure the commands, and print one line per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--keep", type=Path, help="results directory to keep and reuse")
    parser.add_argument("--profile", action="store_true", help="profile the commands instead of timing them")
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    root = settings.keep or Path(tempfile.mkdtemp(prefix="harness-report-"))
    try:
        if not (root / "runs").exists():
            make_results(root, settings.runs)
        count = sum(1 for _ in (root / "runs").iterdir())
        seeds = math.ceil(count / len(make_plan(find_exhibits(["all"]), "laptop", 1, (), Results(root)).runs))
        found = {}
        for name in settings.commands:
            if name != AGAIN:
                rmtree(root / "report", ignore_errors=True)
            arguments = ["--results", str(root), *(part.format(seeds=seeds) for part in COMMANDS[name])]
            if settings.profile:
                profile(arguments)
                continue
            load = os.getloadavg()[0]
            command = [sys.executable, "-m", "harness", *arguments]
            found[name] = {**measure(command, {**os.environ, "OMP_NUM_THREADS": "1"}), "load": load}
    finally:
        if not settings.keep:
            rmtree(root)
    if settings.json:
        print(json.dumps({"runs": count, "seeds": seeds, "commands": found}, indent=2))
    elif found:
        print(f"{count:,} runs of {seeds} seeds\n{'':24}{'s':>8}{'s of CPU':>10}{'MiB':>7}{'load':>6}")
        for name, entry in found.items():
            times = f"{entry['seconds']:8.1f}{entry['cpu_seconds']:10.1f}"
            print(f"{name:24}{times}{entry['peak_mib']:7.0f}{entry['load']:6.1f}")


if __name__ == "__main__":
    main()
