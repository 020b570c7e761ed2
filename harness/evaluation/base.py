"""The inputs and outputs of evaluations."""

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
from harness.store.files import remove
from harness.store.hashed import load_hashed, save_hashed
from harness.store.records import Measurement
from harness.training.distributed import Communicator

BLOCK = 100
"""Examples per forward pass. Fixed, so that results do not depend on the memory of a machine."""
GPU_BLOCK = 1000
SHARD = "shard-"
"""Names of arrays with a part of the work, from which an interrupted evaluation resumes, begin with this."""


def large_block(device: torch.device) -> int:
    """Return the block size for expensive evaluations, larger on a GPU. Results agree up to rounding."""
    return GPU_BLOCK if device.type == "cuda" else BLOCK


def evaluation_stream(seed: int, purpose: str) -> Stream:
    """Return the random stream of an evaluation, a function of the run's seed and the purpose."""
    return Stream(seed, "evaluation", purpose)


@dataclass(frozen=True)
class Subject:
    """A trained model, its data, and the folder for arrays from which the numbers can be recomputed.

    `weights_sha256` identifies the weights of the model; `compiled` requests compiled passes where they are called
    often; `report` gets the numbers of finished and of all items; `cache` is shared by all runs of a results directory;
    `open_data` opens another dataset in `data_root`, such as outliers; `open_loader` opens a split of a dataset. Every
    rank of `comm` evaluates its part, in whole blocks, and gets the results of all.
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
        """Return a loader of a split of `data`, by default the run's own."""
        return self.open_loader(data or self.data, split)

    def accelerated(self, precision: Precision) -> AbstractContextManager[None]:
        """Run the model in this precision within the context, compiled if `compiled` is set."""
        return accelerated(self.model.players().values(), precision, self.compiled)

    def stream(self, purpose: str) -> Stream:
        """Return the random stream of an evaluation, a function of the run's seed and the purpose."""
        return evaluation_stream(self.config.seed, purpose)

    def save(self, name: str, array: NDArray[Any]) -> None:
        """Save an array as an artefact next to the record (rank 0 only)."""
        if self.comm.is_main:
            save_array(self.artefacts / f"{name}.npy", array)

    def save_shard(self, name: str, array: NDArray[Any]) -> None:
        """Save a part of the work with its hash until the evaluation is complete; `name` begins with `SHARD`."""
        save_hashed(self.artefacts / f"{name}.npy", array, self.weights_sha256)

    def saved_shard(self, name: str) -> NDArray[Any] | None:
        """Return a part of the work of an interrupted evaluation of these weights, None unless it is intact."""
        return load_hashed(self.artefacts / f"{name}.npy", self.weights_sha256)

    def discard_shards(self) -> None:
        """Delete the parts of a complete evaluation."""
        for path in self.artefacts.glob(f"{SHARD}*"):
            remove(path)


@dataclass(frozen=True)
class EvaluationResult:
    """The measured quantities, and the details needed to interpret them."""

    quantities: dict[str, Measurement]
    details: dict[str, Any] = field(default_factory=dict)
