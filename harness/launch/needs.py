"""Datasets and pretrained weights required by tables and figures, and whether a loader supports them."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from harness.config.dataset import Dataset
from harness.config.execution import Execution
from harness.data.ffcv_support import check_ffcv_support
from harness.errors import SpecError
from harness.launch.plan import PlannedRun
from harness.registry.cells import cells
from harness.registry.paper import Paper
from harness.registry.papers import papers
from harness.registry.scale import PAPER_SCALE


def exhibits_by_dataset() -> dict[str, list[str]]:
    """Return the tables and figures that need a dataset or pretrained weights at any scale, keyed by its name."""
    needed: dict[str, dict[str, None]] = defaultdict(dict)
    for paper in papers().values():
        with suppress(SpecError):  # `list` and `doctor` report papers with invalid cells
            _add(paper, needed)
    return defaultdict(list, {name: list(exhibits) for name, exhibits in needed.items()})


def _add(paper: Paper, needed: dict[str, dict[str, None]]) -> None:
    for exhibit in paper.exhibits:
        for scale in (PAPER_SCALE, *paper.scales):
            for cell in cells(paper, exhibit, exhibit.rows, scale, [0]):
                if (embedding := cell.evaluation.embedding) and embedding.space.pretrained:
                    needed[embedding.space.pretrained][f"{paper.name}/{exhibit.name}"] = None
                for data in (cell.run.config.data, *cell.evaluation.datasets):
                    needed[data.name][f"{paper.name}/{exhibit.name}"] = None


def datasets_of(planned: PlannedRun) -> dict[str, Dataset]:
    """Return the datasets of a run and its evaluations by name, the training dataset first."""
    named = [planned.run.config.data]
    for evaluation in planned.evaluations.values():
        named += evaluation.datasets
    return {data.name: data for data in named}


def refuse_unfit_loader(execution: Execution, runs: Iterable[PlannedRun]) -> None:
    """Raise `DataError` if the requested loader does not support a dataset of the runs."""
    if execution.loader == "ffcv":
        for planned in runs:
            for data in datasets_of(planned).values():
                check_ffcv_support(data)
