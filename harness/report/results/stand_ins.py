"""Stand-ins: the datasets that a scale puts in the place of the paper's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.config.run import Run
from harness.registry.cells import Cell
from harness.registry.paper import Paper
from harness.registry.scale import PAPER_SCALE, Scale


@dataclass(frozen=True)
class DataInUse:
    """A dataset of the paper and the dataset in its place, by name; both are the same if there is no stand-in."""

    paper: str
    used: str

    @property
    def is_stand_in(self) -> bool:
        """Whether another dataset is in the place of the paper's."""
        return self.paper != self.used

    def __str__(self) -> str:
        return f"{self.paper} → {self.used}" if self.is_stand_in else self.paper


def data_of(run: Run, scale: Scale) -> DataInUse:
    """Return the training data of a run of the paper at a scale."""
    return DataInUse(run.config.data.name, scale.shrink(run).config.data.name)


def stand_ins(cells: Iterable[Cell], paper: Paper, scale: Scale) -> tuple[DataInUse, ...]:
    """Return the stand-ins for the data of some cells, of runs first, then of evaluations, each once."""
    found = list(cells)
    of_runs = (data_of(cell.original, scale) for cell in found)
    of_evaluations = (data for cell in found for data in _of_evaluation(cell, paper))
    return tuple(data for data in dict.fromkeys((*of_runs, *of_evaluations)) if data.is_stand_in)


def _of_evaluation(cell: Cell, paper: Paper) -> Iterator[DataInUse]:
    original = paper.evaluation(cell.metric, cell.original, PAPER_SCALE, cell.row.protocol)
    here = cell.evaluation.datasets_by_field
    for name, data in original.datasets_by_field.items() if original else ():
        if name in here:
            yield DataInUse(data.name, here[name].name)
