"""What an evaluation is given and what it returns."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from harness.config.dataset import Dataset
from harness.config.run import RunConfig
from harness.config.training import Precision
from harness.data.loaders import Loader
from harness.data.prepared.dataset import PreparedDataset
from harness.methods.base import Method
from harness.models.acceleration import accelerated
from harness.randomness import Stream
from harness.store.arrays import save_array
from harness.store.records import Measurement
from harness.training.distributed import Communicator

BLOCK = 100
"""Examples per forward pass. Fixed, so that results do not depend on what a machine can hold."""
GPU_BLOCK = 1000


def large_block(device: torch.device) -> int:
    """Return the examples per pass where there are very many: a GPU idles over few. Results agree to rounding."""
    return GPU_BLOCK if device.type == "cuda" else BLOCK


def evaluation_stream(seed: int, purpose: str) -> Stream:
    """Return the random numbers of an evaluation: a function of the run's seed and the purpose."""
    return Stream(seed, "evaluation", purpose)


@dataclass(frozen=True)
class Subject:
    """A trained model, its data, and where to put the arrays from which the numbers can be recomputed.

    `weights_sha256` names the weights of the model; `compiled` asks for compiled passes where they are called many
    times; `report` tells progress as done and total items; `cache` is shared by all runs of a results directory;
    `open_data` opens another dataset, such as outliers, of those in `data_root`, and `open_loader` a split of one.
    Every rank of `world` evaluates its part, in whole blocks, and gets what all have found.
    """

    config: RunConfig
    model: Method
    weights_sha256: str
    data: PreparedDataset
    data_root: Path
    device: torch.device
    compiled: bool
    artefacts: Path
    cache: Path
    report: Callable[[int, int], None]
    open_data: Callable[[Dataset], PreparedDataset]
    open_loader: Callable[[PreparedDataset, str], Loader]
    comm: Communicator = field(default_factory=Communicator)

    def loader(self, split: str, data: PreparedDataset | None = None) -> Loader:
        """Return a split of the run's own data, or of other data."""
        return self.open_loader(data or self.data, split)

    def accelerated(self, precision: Precision) -> AbstractContextManager[None]:
        """Let the model compute in this precision, with compiled passes where they pay, for a while."""
        return accelerated(self.model.players().values(), precision, self.compiled)

    def stream(self, purpose: str) -> Stream:
        """Return the random numbers of an evaluation: a function of the run's seed and the purpose."""
        return evaluation_stream(self.config.seed, purpose)

    def save(self, name: str, array: NDArray[Any]) -> None:
        """Keep an array beside the record."""
        if self.comm.is_main:
            save_array(self.artefacts / f"{name}.npy", array)

    def discard(self, pattern: str) -> None:
        """Delete what was kept beside the record on the way."""
        if self.comm.is_main:
            for path in self.artefacts.glob(pattern):
                path.unlink()


@dataclass(frozen=True)
class EvaluationResult:
    """The quantities that an evaluation measured, and what a reader needs to judge them."""

    quantities: dict[str, Measurement]
    details: dict[str, Any] = field(default_factory=dict)
