"""Runs all checks of this machine; slow ones run in parallel."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.doctor.check import Check
from harness.doctor.children import probe
from harness.doctor.computing import check_cores, check_gpu, check_harness, check_memory, check_torch
from harness.doctor.datasets import check_datasets
from harness.doctor.extras import (
    check_compiler,
    check_ffcv,
    check_inception,
    check_lab,
    check_latex,
    check_slurm,
    check_weights,
)
from harness.doctor.folders import check_data, check_results
from harness.doctor.papers import check_papers
from harness.doctor.readiness import Readiness, assess
from harness.launch.plan import Plan


@dataclass(frozen=True)
class Examination:
    """The results of all checks: machine, extras and datasets, and the readiness for every scale."""

    machine: tuple[Check, ...]
    extras: tuple[Check, ...]
    datasets: tuple[Check, ...]
    scales: tuple[Readiness, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the examination as documented JSON (docs/results.md)."""
        return {name: [entry.to_json() for entry in getattr(self, name)] for name in self.__dataclass_fields__}


def examine(plans: Iterable[Plan], results: Path, data: Path) -> Examination:
    """Check everything that the runs of some plans need; plans are built while slow checks run."""
    with ThreadPoolExecutor() as pool:
        imported = pool.submit(probe, "torch", "inception")
        weights = pool.submit(check_weights, data)
        pending = [pool.submit(check) for check in (check_ffcv, check_compiler, check_latex, check_slurm, check_lab)]
        made = tuple(plans)
        machine = (
            check_harness(),
            check_torch(imported.result()["torch"]),
            check_gpu(imported.result()["torch"]),
            check_cores(),
            check_memory(),
            check_results(results),
            check_data(data),
        )
        rest = (future.result() for future in pending)
        extras = (check_papers(), check_inception(imported.result()["inception"]), weights.result(), *rest)
    datasets = tuple(check_datasets(made, data))
    scales = tuple(assess(plan, (*machine, *extras, *datasets)) for plan in made)
    return Examination(machine, extras, datasets, scales)
