"""Results with everything that a bundle takes or omits, and manipulated bundles."""

import hashlib
import json
import warnings
import zipfile

import numpy as np

from harness.bundle.manifest import MANIFEST
from harness.registry.papers import find_exhibits
from harness.report.results.report import build
from harness.store.arrays import save_array
from harness.store.files import write_json

NAMES = ["hybvit/table6", "hybvit/figure10", "hybvit/figure12"]
SELECTION = find_exhibits(NAMES)
LOG = "".join(f"line {number}\n" for number in range(100))
SEGMENT = {
    "started": "2026-01-01T00:00:00Z", "seconds": 9.0, "host": "h", "device": "cpu", "threads": 1, "commit": "c" * 40,
    "dirty": True, "versions": {"torch": "2.13.0"},
}  # fmt: skip

UNDATED = {"host": "h", "device": "cpu", "threads": 1, "commit": None, "dirty": None, "versions": {}, "seconds": 1}
"""The fields of a segment that have no default, other than its date."""


def reports_of(results):
    return [build(paper, exhibit, paper.scale("laptop"), results) for paper, exhibit in SELECTION]


def keep_arrays(directory, record):
    """Save the artefacts of an evaluation, too large to be bundled whole."""
    rng = np.random.default_rng(int(directory.id, 16))
    folder = record.with_suffix("")
    kinds = {
        "generation": {"samples": rng.integers(0, 256, (500, 1, 8, 8), dtype=np.uint8),
                       "own_logits": rng.normal(size=(500, 10)).astype(np.float32),
                       "features": rng.normal(size=(500, 48)).astype(np.float32)},
        "calibration": {"bins": rng.random((20, 3)), "logits": rng.random((360, 10))},
    }  # fmt: skip
    arrays = kinds.get(record.stem.partition("-")[0], {})
    for name, array in arrays.items():
        save_array(folder / f"{name}.npy", array)
    document = json.loads(record.read_text())
    document["artefacts"] = {
        f"{name}.npy": hashlib.sha256((folder / f"{name}.npy").read_bytes()).hexdigest() for name in arrays
    }
    write_json(record, document)


def rewritten(whole, path, change, *, listed=True):
    """Write a copy of a bundle with changed files and, if `listed`, matching hashes, like an attacker."""
    with zipfile.ZipFile(whole) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop(MANIFEST))
    files = change(files, manifest) or files
    if listed:
        manifest["files"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        }
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(MANIFEST, json.dumps(manifest))
    return path


def first(files, ending):
    return next(name for name in sorted(files) if name.endswith(ending))


def put(name, content):
    """Return a change that adds a file, or replaces the first with the suffix in `name`."""

    def change(files, manifest):
        target = first(files, name[1:]) if name.startswith("*") else name
        files[target] = content(files[target]) if callable(content) else content

    return change


def configuration(**fields):
    """Return the id and the stored configuration of a run, with other fields."""
    config = {"a": 1}
    run = hashlib.sha256(b'{"a":1}').hexdigest()[:12]
    return run, json.dumps({"id": run, "name": "n" * 200, "config": config} | fields).encode()
