"""Which datasets FFCV can hold, found out without importing torch or FFCV."""

from harness.config.dataset import Dataset, Images
from harness.data.errors import DataError


def cannot_hold(data: Dataset) -> str:
    """Return why FFCV cannot hold a dataset, nothing when it can."""
    if isinstance(data, Images) and data.num_classes:
        return ""
    holds = "images without classes" if isinstance(data, Images) else data.kind
    return f"FFCV holds images with classes, and dataset '{data.name}' holds {holds}"


def refuse_what_it_cannot_hold(data: Dataset) -> None:
    """Raise `DataError` for a dataset that FFCV cannot hold, naming the loaders that can."""
    if unfit := cannot_hold(data):
        raise DataError(f"{unfit}: use --loader auto, resident or torch")
