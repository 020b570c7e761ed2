"""Loaders: batches of examples by index, from whatever keeps them.

Which indices a step takes is decided by addresses alone; a loader only fetches them, in the order asked for. So all
loaders feed the same training bit for bit, and none shuffles, drops or pads.
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
