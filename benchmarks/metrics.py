"""Time the metrics of samples in this checkout and in another one, and compare their values.

    python benchmarks/metrics.py --other ../before
    python benchmarks/metrics.py --other ../before --only prdc --sizes 10000 --kinds ties --threads 2

Both checkouts take turns, each measurement in a process of its own, which imports the package of that checkout. Time
and peak memory are those of the process from the call on: making the features is not timed, but they are part of the
memory, as float32 arrays, as evaluations pass them. `--threads` sets OMP_NUM_THREADS, which workers set to 1. The best
round counts, because other load only adds time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEATURES, NEIGHBOURS = 2048, 5
HERE = Path(__file__).resolve().parents[1]
Features = NDArray[np.float32]


def normal(random: np.random.Generator, n: int) -> Features:
    """Independent columns: the distances are closer to each other than those of real images."""
    return random.standard_normal((n, FEATURES), dtype=np.float32)


def sparse(random: np.random.Generator, n: int) -> Features:
    """Like Inception's: not negative, with few strong directions."""
    directions = np.random.default_rng(0).standard_normal((64, FEATURES), dtype=np.float32) / 8
    features = random.standard_normal((n, 64), dtype=np.float32) @ directions
    features += random.standard_normal((n, FEATURES), dtype=np.float32) / 2
    return features.clip(min=0, out=features)


def ties(random: np.random.Generator, n: int) -> Features:
    """Both sets have the same images, each about ten times: all blocks are repeated in float64."""
    images = sparse(np.random.default_rng(3), -(-n // 10))
    return images[random.integers(0, len(images), n)]


def deficient(random: np.random.Generator, n: int) -> Features:
    """Return independent columns, one of them without variance: no full rank."""
    features = normal(random, n)
    features[:, 7] = 1
    return features


KINDS = {kind.__name__: kind for kind in (normal, sparse, ties, deficient)}


def task(metric: str, kind: str, n: int) -> Callable[[], object]:
    """Return a call that computes a metric of `n` rows against as many others."""
    from harness.metrics.frechet import frechet_distance, moments
    from harness.metrics.prdc import prdc

    first, second = (KINDS[kind](np.random.default_rng(seed), n) for seed in (1, 2))
    if metric == "prdc":
        return lambda: vars(prdc(first, second, NEIGHBOURS))
    if metric == "moments":
        return lambda: float(np.trace(moments(first).scatter))
    a, b = moments(first), moments(second)
    return lambda: frechet_distance(a, b)


def measure_here(metric: str, kind: str, n: int) -> dict[str, Any]:
    """Return seconds, seconds of CPU, peak memory of this process in MiB, and the value."""
    call = task(metric, kind, n)
    started, used = time.perf_counter(), time.process_time()
    value = call()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_mib": peak, "value": value}


def measure(checkout: Path, threads: int, *what: str) -> dict[str, Any]:
    """Measure in a new process, with the package of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    environment |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    command = [sys.executable, str(Path(__file__).resolve()), "--measure", *what]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    )
    return found


def compare(other: Path, threads: int, rounds: int, *what: str) -> dict[str, Any]:
    """Measure both checkouts in turns; return the best round of each measure, and the value."""
    found: dict[str, list[dict[str, Any]]] = {"other": [], "here": []}
    for _ in range(rounds):
        for name, checkout in (("other", other), ("here", HERE)):
            found[name].append(measure(checkout, threads, *what))
    measures = ("seconds", "cpu_seconds", "peak_mib")
    best: dict[str, Any] = {
        name: {part: min(entry[part] for entry in entries) for part in measures} | {"value": entries[0]["value"]}
        for name, entries in found.items()
    }
    return {"metric": what[0], "kind": what[1], "n": int(what[2]), "load": os.getloadavg()[0], **best}


def line(entry: dict[str, Any]) -> str:
    """Return a line of the table: the other checkout, this one, and how many times as fast it is."""
    other, here = entry["other"], entry["here"]
    text = f"{entry['metric']:9}{entry['kind']:10}{entry['n']:7,}"
    for part, digits in (("seconds", 2), ("cpu_seconds", 2), ("peak_mib", 0)):
        text += f"{other[part]:9.{digits}f}{here[part]:9.{digits}f}{other[part] / here[part]:6.2f}"
    values = "equal" if other["value"] == here["value"] else f"{other['value']} {here['value']}"
    return text + f"{entry['load']:6.1f}  {values}"


def main() -> None:
    """Measure all that is asked for, and print one line per metric, kind and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--other", type=Path, help="root of the checkout to compare with")
    parser.add_argument(
        "--only", nargs="+", choices=["frechet", "moments", "prdc"], default=["frechet", "moments", "prdc"]
    )
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=["normal", "sparse"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[3000, 4000, 10_000])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.measure:
        metric, kind, n = settings.measure
        print(json.dumps(measure_here(metric, kind, int(n))))
        return
    if not settings.other or not (settings.other / "harness" / "metrics").is_dir():
        parser.error("--other needs the root of another checkout: git worktree add ../before COMMIT")
    if not settings.json:
        print(f"{'':26}{'s: other, here, ratio':>24}{'s of CPU':>24}{'peak MiB':>24}{'load':>6}  value")
    entries = []
    for what in ((m, k, str(n)) for m in settings.only for k in settings.kinds for n in settings.sizes):
        entries.append(compare(settings.other.resolve(), settings.threads, settings.rounds, *what))
        if not settings.json:
            print(line(entries[-1]), flush=True)
    if settings.json:
        print(json.dumps({"threads": settings.threads, "rounds": settings.rounds, "entries": entries}, indent=2))


if __name__ == "__main__":
    main()
