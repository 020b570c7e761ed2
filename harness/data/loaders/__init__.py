"""Loaders: batches of examples by index, from memory or disk.

The indices of a step are a function of its address; a loader only fetches those examples, in the given order. So all
loaders feed training bit-identical batches, and none shuffles, drops or pads.
"""

from harness.data.batches import Batch
from harness.data.loaders.base import Loader
from harness.data.loaders.order import ShuffledOrder, shard
from harness.data.loaders.pixels import as_inputs, as_stored, to_signed, to_uint8
from harness.data.loaders.resident import ResidentLoader

__all__ = [
    "Batch",
    "Loader",
    "ResidentLoader",
    "ShuffledOrder",
    "as_inputs",
    "as_stored",
    "shard",
    "to_signed",
    "to_uint8",
]
