"""The libraries that recompute: their versions, and calls without their output."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from io import StringIO

from harness.recheck.recomputation import NotRecomputed

INSTALL = "python -m pip install -c constraints.txt -e '.[recheck]'"


def versioned(library: str) -> str:
    """Return the name of a distribution with its version, such as `pytorch-fid 0.3.0`.

    Raises `NotRecomputed` if it is not installed.
    """
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        raise NotRecomputed(f"{library} is not installed", INSTALL) from None


@contextmanager
def quietly() -> Iterator[StringIO]:
    """Catch what a library prints, in the order of printing, and silence its warnings."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()) as printed:
        warnings.simplefilter("ignore")
        yield printed
