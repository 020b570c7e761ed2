"""Which datasets, and weights, the tables and figures need."""

from collections import defaultdict
from contextlib import suppress

from harness.spec.cells import cells
from harness.spec.errors import SpecError
from harness.spec.paper import Paper
from harness.spec.registry import papers
from harness.spec.scale import PAPER_SCALE


def exhibits_by_dataset() -> dict[str, list[str]]:
    """Return the tables and figures that need each dataset, or the weights, at any scale, by its name."""
    needed: dict[str, dict[str, None]] = defaultdict(dict)
    for paper in papers().values():
        with suppress(SpecError):  # `list` and `doctor` name a paper whose cells cannot be put together
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
