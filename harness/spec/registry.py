"""The papers at hand: packages under `experiments/`, and those that installed packages offer."""

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from harness.spec.errors import SpecError, unknown
from harness.spec.paper import Paper
from harness.spec.table import Table

ENTRY_POINTS = "harness.papers"


@cache
def papers() -> dict[str, Paper]:
    """Return every paper by its name.

    A paper is the `PAPER` of a package under `experiments/`, or what an entry point of the group `harness.papers`
    loads. Raises `SpecError` when two papers have one name.
    """
    found = [_paper(module) for module in _experiment_packages()]
    found += [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    by_name: dict[str, Paper] = {}
    for paper in found:
        if paper.name in by_name:
            raise SpecError(f"two papers are called '{paper.name}'")
        by_name[paper.name] = paper
    return by_name


def find_tables(names: Sequence[str]) -> list[tuple[Paper, Table]]:
    """Return the tables called `table6`, `hybvit/table6` or `all`, each once, in the order of the papers.

    Raises `SpecError` for a name that no paper has.
    """
    every = {f"{paper.name}/{table.name}": (paper, table) for paper in papers().values() for table in paper.tables}
    chosen: set[str] = set()
    for name in names:
        matches = {full for full in every if name in ("all", full, full.split("/")[1], full.split("/")[0])}
        if not matches:
            short = {full.split("/")[1] for full in every}
            raise unknown("table", name, {*short, "all"} if "/" not in name else every)
        chosen |= matches
    return [entry for full, entry in every.items() if full in chosen]


def _experiment_packages() -> list[ModuleType]:
    try:
        experiments = import_module("experiments")
    except ModuleNotFoundError:
        return []
    return [import_module(f"experiments.{info.name}") for info in pkgutil.iter_modules(experiments.__path__)]


def _paper(module: ModuleType) -> Paper:
    paper = getattr(module, "PAPER", None)
    if not isinstance(paper, Paper):
        raise SpecError(f"{module.__name__} defines no PAPER")
    return paper
