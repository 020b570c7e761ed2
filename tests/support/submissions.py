"""Contents of the manifests of a results directory, and of the queue."""

import time
from pathlib import Path

from holding import holding

from harness.launch.slurm.manifest import submissions
from harness.store.results import Results
from harness.store.run_directory import RunState


def until(condition, seconds=120, what="it"):
    """Wait until a condition holds and return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} has not happened in {seconds} s"
        time.sleep(0.1)
    return found


def held(cluster, results, until, runs=1):
    """Hold the workers of jobs while the body runs; see `holding`."""

    def over():
        if all(directory.state() is RunState.DONE for directory in Results(Path(results)).all()):
            return f"all runs are done:\n{log(results)}"
        return f"the queue is empty:\n{log(results)}" if ended(cluster) else None

    return holding(results, until, over, runs)


def of(results):
    """Return the manifests of a results directory."""
    return list(submissions(Results(Path(results))))


def tasks_of(results):
    """Return the run of every queued task, with repetitions."""
    return sorted(
        r for s in of(results) for a in s.arrays if a.job_id for t in a.tasks if t.kind == "runs" for r in t.runs
    )


def ended(cluster):
    """Whether the queue is empty."""
    return not cluster.command("squeue", "--noheader")


def log(results):
    return "".join(path.read_text() for path in sorted(Path(results).glob("submissions/*/slurm.log")))
