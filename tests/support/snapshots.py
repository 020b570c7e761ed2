"""The reproducible contents of a results directory."""

import json


def snapshot(results):
    """Return weights, arrays, curves and records (without their seconds) by file name."""
    found = {}
    for path in sorted((results / "runs").rglob("*")):
        name = path.relative_to(results).as_posix()
        if path.suffix in {".npy", ".safetensors"} or path.name in {"metrics.jsonl", "training.json"}:
            found[name] = path.read_bytes()
        elif path.name == "config.json":  # as a document: a storm may cut its last newline
            found[name] = json.loads(path.read_text())
        elif path.parent.name == "evaluations" and path.suffix == ".json":
            found[name] = {k: v for k, v in json.loads(path.read_text()).items() if k != "seconds"}
    return found
