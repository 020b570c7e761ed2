"""Checks arrays of examples against the fields of their dataset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.dataset import ArrayField


def complaint_of(arrays: Mapping[str, Any], fields: Mapping[str, ArrayField]) -> str:
    """Return why arrays do not match the fields of a dataset, or an empty string if they do.

    Unknown fields are rejected like missing ones. NaN is allowed in float fields, unless they must hold integers.
    """
    if wrong := [name for name in fields if name not in arrays]:
        return f"has no {wrong[0]}: its fields are {', '.join(fields)}"
    if wrong := [name for name in arrays if name not in fields]:
        return f"has {wrong[0]}, which is not a field of the dataset: its fields are {', '.join(fields)}"
    for name, field in fields.items():
        if wrong_form := _wrong_form(name, arrays[name], field):
            return wrong_form
    first, *others = fields
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            return f"has {len(arrays[first])} {first} for {len(arrays[name])} {name}"
    return next(filter(None, (_wrong_value(name, arrays[name], field) for name, field in fields.items())), "")


def _wrong_form(name: str, array: Any, field: ArrayField) -> str:
    if not isinstance(array, np.ndarray):
        return f"has {name} as a {type(array).__name__}, not as an array"
    if array.ndim == 0:
        return f"has {name} without an axis of examples"
    if array.shape[1:] != field.shape or array.dtype != np.dtype(field.dtype):
        return f"has {name} of shape {array.shape[1:]} {array.dtype}, not {field.shape} {field.dtype}"
    return ""


def _wrong_value(name: str, array: NDArray[Any], field: ArrayField) -> str:
    if field.below is None or (array.dtype == np.uint8 and field.below > np.iinfo(np.uint8).max):
        return ""
    allowed = (array >= 0) & (array < field.below)
    of_floats = array.dtype.kind == "f"
    if of_floats:
        allowed &= array == np.floor(array)
    if allowed.all():
        return ""
    kind = "whole numbers from " if of_floats else ""
    return f"has the value {array[~allowed][0]} in {name}: allowed are {kind}0 to {field.below - 1}"
