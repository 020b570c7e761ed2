"""Reads named tensors from untrusted files."""

import warnings
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from harness.data.errors import DataError, damaged


def read_tensors(content: bytes, path: Path) -> dict[str, Tensor]:
    """Load a PyTorch state dict without executing code; `path` names the file in errors.

    Raises `DataError` if the file is damaged, holds anything but named tensors, or would execute code.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # about pickles that it then rejects
            state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except UnpicklingError:
        raise _refusal(path) from None
    except Exception as error:  # a damaged file can fail in any way
        raise damaged(path, error) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise _refusal(path)
    return {str(name): value for name, value in state.items()}


def _refusal(path: Path) -> DataError:
    return DataError(f"cannot read {path}: it holds something other than named tensors; no code was executed")
