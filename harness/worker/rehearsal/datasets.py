"""The data of a rehearsal: prepared datasets, or random values of the same shape, and excerpts of both."""

from collections.abc import Callable, Iterable
from pathlib import Path

from harness.config.dataset import Dataset
from harness.data.prepared.dataset import PreparedDataset
from harness.errors import HarnessError
from harness.worker.context import Context
from harness.worker.rehearsal.excerpts import first_examples, random_values


class RehearsalData:
    """The datasets of a run and of its evaluations, each opened once, by all ranks together.

    `on_error` is called if one cannot be opened; `random` names the datasets that random values replace. An excerpt
    has at most `items` examples per split; `count` is the number of random examples (see `random_values`).
    """

    def __init__(
        self,
        context: Context,
        datasets: Iterable[Dataset],
        scratch: Path,
        items: int,
        count: int,
        on_error: Callable[[str, Exception], None],
    ) -> None:
        self.random: list[str] = []
        self._context = context
        self._datasets = {data.name: data for data in datasets}
        self._scratch = scratch
        self._items = items
        self._count = count
        self._on_error = on_error
        self._opened: dict[str, PreparedDataset] = {}
        self._excerpts: dict[str, PreparedDataset] = {}

    def whole(self, data: Dataset) -> PreparedDataset:
        """Return the prepared dataset, or random values if any rank cannot open it."""
        if data.name not in self._opened:
            self._opened[data.name] = self._open(self._datasets[data.name])
        return self._opened[data.name]

    def excerpt(self, data: Dataset) -> PreparedDataset:
        """Return the first examples of a dataset, as a prepared dataset of its own."""
        if data.name not in self._excerpts:
            source, folder = self.whole(data), self._scratch / "excerpts" / data.name
            full, items = self._datasets[data.name], self._items
            self._excerpts[data.name] = self._context.comm.on_first_rank(
                lambda: first_examples(source, full, items, folder)
            )
        return self._excerpts[data.name]

    def _open(self, data: Dataset) -> PreparedDataset:
        found, comm = None, self._context.comm
        try:
            found = self._context.open_data(data)
        except HarnessError as error:
            self._on_error("data", error)
        if not comm.any(found is None) and found is not None:
            return found
        self.random.append(data.name)
        return comm.on_first_rank(lambda: random_values(data, self._count, self._scratch / "random" / data.name))
