"""The environment of a worker: results, data, device and other ranks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from harness.config.dataset import Dataset
from harness.config.execution import Execution
from harness.config.run import RunConfig
from harness.data.loaders.open_loader import LoaderPool
from harness.data.prepared.dataset import PreparedDataset, open_dataset
from harness.evaluation.base import Subject
from harness.methods.base import Method
from harness.store.results import Results
from harness.training.device import wants_compilation
from harness.training.distributed import Communicator

PhaseReport = Callable[[str, int, int], None]
"""Shows progress: the phase, the items done, and the items in total."""


@dataclass(frozen=True)
class Context:
    """The inputs of a worker besides the run: results, data, device, execution settings, and other ranks."""

    results: Results
    data_root: Path
    device: torch.device
    execution: Execution = field(default_factory=Execution)
    comm: Communicator = field(default_factory=Communicator)
    _opened: dict[Dataset, PreparedDataset] = field(default_factory=dict)

    @property
    def compiled(self) -> bool:
        """Whether to compile networks."""
        return wants_compilation(self.execution.compile, self.device)

    def open_data(self, data: Dataset) -> PreparedDataset:
        """Open a dataset, cached: opening verifies the hash of every file, and several evaluations share outliers."""
        if data not in self._opened:
            self._opened[data] = open_dataset(data, self.data_root)
        return self._opened[data]

    def loaders(self, report: PhaseReport) -> LoaderPool:
        """Return the loaders of this worker; `report` gets the progress of files that loaders write."""
        return LoaderPool(self.execution.loader, self.device, report)

    def subject(
        self,
        config: RunConfig,
        data: PreparedDataset,
        model: Method,
        weights_sha256: str,
        artefacts: Path,
        loaders: LoaderPool,
        report: Callable[[int, int], None],
    ) -> Subject:
        """Return the subject of an evaluation of `model`, with `artefacts` as the folder for its arrays."""
        return Subject(
            config=config,
            model=model,
            weights_sha256=weights_sha256,
            data=data,
            data_root=self.data_root,
            device=self.device,
            compiled=self.compiled,
            artefacts=artefacts,
            cache=self.results.cache,
            report=report,
            open_data=self.open_data,
            open_loader=loaders.open,
            comm=self.comm,
        )
