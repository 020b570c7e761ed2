"""Imports FFCV without its side effects on this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import torch

from harness.data.errors import DataError
from harness.data.ffcv_needs import how_to_install, is_installed


@contextmanager
def keeping_threads() -> Iterator[None]:
    """Restore torch's number of threads, which FFCV changes on import and at the start of every epoch."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def import_ffcv() -> None:
    """Import FFCV.

    Raises `DataError` with the commands that install it if it is missing or broken.
    """
    if not is_installed():
        raise DataError(f"FFCV is not installed: {how_to_install()}; or use --loader torch")
    try:
        with keeping_threads():
            import_module("ffcv")
    except (ImportError, OSError, RuntimeError) as error:
        raise DataError(f"FFCV cannot be imported ({error}): {how_to_install()}; or use --loader torch") from None
