"""Names on the command line: datasets, and the weights that are prepared like them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.spec.data import Dataset


def find_dataset(name: str) -> "Dataset":
    """Return the dataset of this name.

    Raises `SpecError` for a name that there is not.
    """
    from harness.data.catalogue import datasets
    from harness.data.inception import NAME
    from harness.spec.errors import unknown

    found = datasets()
    if name not in found:
        raise unknown("dataset", name, {*found, NAME})
    return found[name]
