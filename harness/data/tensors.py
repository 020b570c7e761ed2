"""Named tensors from files that nobody vouches for."""

import warnings
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from harness.data.errors import DataError, damaged


def read_tensors(content: bytes, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a PyTorch state dict, executing nothing of it; `path` names the file in errors.

    Raises `DataError` when the file is damaged, holds anything but named tensors, or asks for code to be run.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickles that it refuses afterwards
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise _refusal(path) from None
    except Exception as error:  # whatever else a damaged file makes the reader raise
        raise damaged(path, error) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise _refusal(path)
    return {str(name): value for name, value in state.items()}


def _refusal(path: Path) -> DataError:
    return DataError(f"cannot read {path}: it holds something else than named tensors, and nothing of it was executed")
