"""The loaders available on this machine, under the names that parametrise the parity tests."""

import pytest
import torch

from harness.data.ffcv_needs import is_installed
from harness.data.loaders.open_loader import open_split
from harness.data.prepared.prepare import silent

CPU = torch.device("cpu")
needs_ffcv = pytest.mark.skipif(not is_installed(), reason="FFCV is not installed: pip install '.[ffcv]'")
EVERY = ["resident", pytest.param("ffcv", marks=needs_ffcv), "torch"]


@pytest.fixture(scope="module")
def opened():
    """Open splits with the backend of the test's parameter, each once per module."""
    found = {}

    def open_with(backend, data, split):
        key = backend, data.folder, split
        if key not in found:
            found[key] = open_split(backend, data, split, CPU, silent)
        return found[key]

    return open_with
