"""Falsifies records and arrays of a run consistently: every hash is that of the falsified file."""

import json

import numpy as np

from harness.store.arrays import load_array, save_array
from harness.store.files import sha256_of, write_json


def record_of(run, kind):
    """Return the path of the record of an evaluation of this kind."""
    return next(iter(sorted(run.evaluations.glob(f"{kind}-*.json"))))


def plant_value(run, kind, quantity, change):
    """Change a recorded quantity, and the hash of the record in the segment that vouches for it."""
    path = record_of(run, kind)
    document = json.loads(path.read_text())
    value = float(document["quantities"][quantity]["value"])
    changed = float(change(value))
    document["quantities"][quantity]["value"] = changed if np.isfinite(changed) else str(changed).replace("nan", "NaN")
    write_json(path, document)
    vouch_again(run, path)


def plant_array(run, kind, name, change):
    """Change an array beside a record, and all hashes."""
    path = record_of(run, kind)
    array = path.with_suffix("") / f"{name}.npy"
    save_array(array, change(np.array(load_array(array))))
    document = json.loads(path.read_text())
    document["artefacts"][array.name] = sha256_of(array)
    write_json(path, document)
    vouch_again(run, path)


def vouch_again(run, path):
    """Write the present hash of a record into the segments that list it."""
    for segment in run.segments.glob("*.json"):
        document = json.loads(segment.read_text())
        if path.stem in document["records"]:
            document["records"][path.stem] = sha256_of(path)
            write_json(segment, document)
