"""The data of a rehearsal: what is prepared, or random values in its form; and the first examples of either."""

from collections.abc import Callable, Iterable
from pathlib import Path

from harness.config.dataset import Dataset
from harness.data.prepared.dataset import PreparedDataset, open_dataset
from harness.data.prepared.excerpts import first_examples, random_values
from harness.errors import HarnessError
from harness.training.distributed import Communicator


class RehearsalData:
    """The datasets that a run and its evaluations name, each opened once, on all ranks together.

    `blame` is told what is wrong with one; `random` names those that random values stand for. An excerpt has `items`
    examples of each split; of random ones there are at least `count`.
    """

    def __init__(
        self,
        datasets: Iterable[Dataset],
        root: Path,
        scratch: Path,
        items: int,
        count: int,
        comm: Communicator,
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self.random: list[str] = []
        self._datasets = {data.name: data for data in datasets}
        self._root = root
        self._scratch = scratch
        self._items = items
        self._count = count
        self._comm = comm
        self._on_error = on_error
        self._opened: dict[str, PreparedDataset] = {}
        self._excerpts: dict[str, PreparedDataset] = {}

    def whole(self, data: Dataset) -> PreparedDataset:
        """Return a dataset as a run would open it, or random values where one of the ranks cannot."""
        if data.name not in self._opened:
            self._opened[data.name] = self._open(self._datasets[data.name])
        return self._opened[data.name]

    def excerpt(self, data: Dataset) -> PreparedDataset:
        """Return the first examples of a dataset, as a prepared dataset of its own."""
        if data.name not in self._excerpts:
            source, folder = self.whole(data), self._scratch / "excerpts" / data.name
            full = self._datasets[data.name]
            self._excerpts[data.name] = self._comm.on_first_rank(
                lambda: first_examples(source, full, self._items, folder)
            )
        return self._excerpts[data.name]

    def _open(self, data: Dataset) -> PreparedDataset:
        found = None
        try:
            found = open_dataset(data, self._root)
        except HarnessError as error:
            self._on_error("data", error)
        if not self._comm.any(found is None) and found is not None:
            return found
        self.random.append(data.name)
        return self._comm.on_first_rank(lambda: random_values(data, self._count, self._scratch / "random" / data.name))
