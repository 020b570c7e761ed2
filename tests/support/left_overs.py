"""Files that nothing needs once all runs are done."""

import re

TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}")


def left_overs(results):
    """Return the paths of temporary files, checkpoints, shards, and all leases but one per run."""
    found = [path for path in results.rglob("*") if TEMPORARY.fullmatch(path.name) or path.name.startswith(".lease")]
    for run in results.glob("runs/*"):
        found += [*run.glob("checkpoints"), *run.rglob("shard-*"), *run.glob("*.part")]
        found += sorted(run.glob("lease.*"))[:-1]
    return sorted({str(path.relative_to(results)) for path in found})


def tracebacks(results):
    """Return the logs of runs that contain a traceback."""
    return [str(path) for path in results.glob("runs/*/log.txt") if "Traceback" in path.read_text(errors="replace")]
