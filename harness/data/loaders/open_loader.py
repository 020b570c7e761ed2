"""Opens splits with the requested or an automatically chosen loader."""

import logging

import psutil
import torch

from harness.data.errors import DataError
from harness.data.ffcv_needs import is_installed
from harness.data.loaders.base import Loader
from harness.data.loaders.beton import beton
from harness.data.loaders.choice import Choice, choose
from harness.data.loaders.native import import_ffcv
from harness.data.loaders.resident import ResidentLoader
from harness.data.prepared.blocks import Report
from harness.data.prepared.dataset import PreparedDataset

log = logging.getLogger("harness.data")


class LoaderPool:
    """The loaders of a worker. Every split is opened once, with the loader `wanted`, or a suitable one for `auto`.

    `report` gets the progress if a file must be written first.
    """

    def __init__(self, wanted: str, device: torch.device, report: Report) -> None:
        self._wanted = wanted
        self._device = device
        self._report = report
        self._opened: dict[tuple[str, str], tuple[Loader, Choice]] = {}

    def open(self, data: PreparedDataset, split: str) -> Loader:
        """Return the loader of a split.

        Raises `DataError` if FFCV is requested but unusable, or does not support the dataset, and `StoreError` if its
        file cannot be written.
        """
        return self._entry(data, split)[0]

    def choice(self, data: PreparedDataset, split: str) -> Choice:
        """Return the chosen loader of a split, with the reason."""
        return self._entry(data, split)[1]

    def _entry(self, data: PreparedDataset, split: str) -> tuple[Loader, Choice]:
        key = str(data.folder), split
        if key not in self._opened:
            size = data.split(split).bytes
            choice = choose(self._wanted, data.data, size, free_memory(self._device), ffcv_problem)
            log.info("loader of %s, split %s: %s", data.manifest.name, split, choice)
            self._opened[key] = open_split(choice.name, data, split, self._device, self._report), choice
        return self._opened[key]


def open_split(name: str, data: PreparedDataset, split: str, device: torch.device, report: Report) -> Loader:
    """Open a split with the named loader; `report` gets the progress if a file must be written first."""
    match name:
        case "resident":
            return ResidentLoader(data.split(split), device)
        case "ffcv":
            import_ffcv()
            from harness.data.loaders.ffcv_loader import FFCVLoader

            return FFCVLoader(beton(data, split, report), data.split(split), device)
        case _:
            from harness.data.loaders.dataloader import TorchLoader

            return TorchLoader(data.split(split), device)


def ffcv_problem() -> str:
    """Return why FFCV is unusable, or an empty string."""
    if not is_installed():
        return "FFCV is not installed"
    try:
        import_ffcv()
    except DataError:
        return "FFCV cannot be imported"
    return ""


def free_memory(device: torch.device) -> int:
    """Return the free memory of the device in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
