"""The loaders that this machine has, opened by the names that parity tests are parametrised with."""

import pytest
import torch

from harness.data.ffcv_needs import is_installed
from harness.data.loaders import dataloader
from harness.data.loaders.opening import open_split
from harness.data.preparing import silent

CPU = torch.device("cpu")
needs_ffcv = pytest.mark.skipif(not is_installed(), reason="FFCV is not installed: pip install '.[ffcv]'")
EVERY = ["resident", pytest.param("ffcv", marks=needs_ffcv), "torch-0", "torch-2"]
"""`torch-2` fetches in two processes, `torch-0` in none, whatever this machine has."""


@pytest.fixture(scope="module")
def opened(request, data_root):
    """Open splits with the backend that the test is parametrised with; each is opened once for a module."""
    found = {}

    def open_with(backend, data, split):
        name, _, workers = backend.partition("-")
        key = backend, data.folder, split
        if key not in found:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(dataloader, "workers", lambda: int(workers or 0))
                found[key] = open_split(name, data, split, CPU, silent)
        return found[key]

    yield open_with
    found.clear()
