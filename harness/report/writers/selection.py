"""The exhibits of reports as words of a command, such as `table6 --rows HybViT`."""

import shlex
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from harness import environment
from harness.advice import DEFAULT_SCALE
from harness.errors import SpecError
from harness.registry.default_paper import VARIABLE, default_paper
from harness.registry.paper import Paper
from harness.report.results.report import ExhibitReport

MOST_NAMES = 4
"""The largest number of rows or exhibits that a command names."""


def is_whole(reports: Sequence[ExhibitReport]) -> bool:
    """Return whether some reports are of all exhibits of a paper but the optional ones."""
    paper = reports[0].paper
    return {e.name for e in (*paper.tables, *paper.figures)} <= {report.exhibit.name for report in reports}


def selection(reports: Sequence[ExhibitReport]) -> str:
    """Return the words of `run` that select the exhibits of some reports; empty if they would be too many."""
    paper, scale = reports[0].paper, reports[0].scale.name
    rows: Mapping[str, None] = {}
    if len(reports) == 1:
        rows = dict.fromkeys(row.row.key for row in reports[0].rows) if reports[0].whole else {}
    if len(rows) > MOST_NAMES or (not rows and any(report.whole for report in reports)):
        return ""
    if len(reports) > MOST_NAMES or (len(reports) > 1 and is_whole(reports)):
        names = [paper.name]
    else:
        names = [_name(paper, report.exhibit.name) for report in reports]
    options = [word for row in rows for word in ("--rows", row)]
    options += ["--scale", scale] if scale != DEFAULT_SCALE else []
    return shlex.join([*names, *options])


def _name(paper: Paper, exhibit: str) -> str:
    """Return the name of an exhibit on the command line, without that of the default paper."""
    is_default = paper.name == _default_name(Path.cwd(), environment.text(VARIABLE))
    return exhibit if is_default else f"{paper.name}/{exhibit}"


@lru_cache(maxsize=8)
def _default_name(folder: Path, variable: str | None) -> str:
    """Return the name of the default paper, which depends on the folder and the environment; empty if it is unknown."""
    try:
        return default_paper().name
    except SpecError:
        return ""
