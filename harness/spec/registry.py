"""The papers at hand: packages under `experiments/`, and those that installed packages offer."""

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from harness.spec.errors import SpecError, unknown
from harness.spec.exhibit import Exhibit
from harness.spec.paper import Paper

ENTRY_POINTS = "harness.papers"
GROUPS = ("all", "tables", "figures")


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


def find_exhibits(names: Sequence[str]) -> list[tuple[Paper, Exhibit]]:
    """Return the exhibits called `table6`, `hybvit/figure8`, `hybvit` or `all`, each once, in the papers' order.

    `tables` and `figures` stand for all of a kind; what is optional has to be named.
    Raises `SpecError` for a name that no paper has.
    """
    every = {
        f"{paper.name}/{exhibit.name}": (paper, exhibit) for paper in papers().values() for exhibit in paper.exhibits
    }
    chosen: set[str] = set()
    for name in names:
        matches = {full for full, entry in every.items() if _is_meant(name, full, *entry)}
        if not matches:
            short = {full.split("/")[1] for full in every}
            raise unknown("table or figure", name, {*short, *GROUPS} if "/" not in name else every)
        chosen |= matches
    return [entry for full, entry in every.items() if full in chosen]


def _is_meant(name: str, full: str, paper: Paper, exhibit: Exhibit) -> bool:
    if name in (full, exhibit.name):
        return True
    return exhibit not in paper.optional and name in ("all", paper.name, f"{exhibit.kind}s")


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
