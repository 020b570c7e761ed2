"""Files that nothing needs once all runs are done."""

import re

LOCK = ".lock"
"""The ending of hidden files that stay: the locks of shared features."""


def left_overs(results):
    """Return the paths of hidden files of runs and caches, checkpoints, shards, and all leases but one per run."""
    hidden = (path for folder in ("runs", "cache") for path in (results / folder).rglob(".*"))
    found = [path for path in hidden if not path.name.endswith(LOCK)]
    for run in results.glob("runs/*"):
        found += [*run.glob("checkpoints"), *run.rglob("shard-*"), *run.glob("*.part")]
        found += sorted(run.glob("lease.*"))[:-1]
    return sorted({str(path.relative_to(results)) for path in found})


def tracebacks(results):
    """Return the errors in the logs of runs that are not one of ours: their tracebacks end with another type."""
    texts = [path.read_text(errors="replace") for path in results.glob("runs/*/log.txt")]
    ends = [line for text in texts for line in re.findall(r"^Traceback .*\n(?: .*\n)+(\S.*)$", text, re.MULTILINE)]
    return [line for line in ends if not line.startswith("harness.")]
