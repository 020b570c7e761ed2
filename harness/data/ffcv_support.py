"""Which datasets FFCV supports. Imports neither torch nor FFCV."""

from harness.config.dataset import Dataset, Images
from harness.data.errors import DataError


def unsupported_reason(data: Dataset) -> str:
    """Return why FFCV does not support a dataset, or an empty string if it does."""
    if isinstance(data, Images) and data.num_classes:
        return ""
    holds = "images without classes" if isinstance(data, Images) else data.kind
    return f"FFCV supports only images with classes, but dataset '{data.name}' holds {holds}"


def check_ffcv_support(data: Dataset) -> None:
    """Raise `DataError` for a dataset that FFCV does not support, naming the loaders that do."""
    if unfit := unsupported_reason(data):
        raise DataError(f"{unfit}: use --loader auto, resident or torch")
