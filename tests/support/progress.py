"""Progress of a run from the files of its directory: the conditions for holding and killing workers."""

import json


def checkpointed(run):
    """Whether a checkpoint exists to resume from; after the training none is kept."""
    return newest_checkpoint(run) > 0


def newest_checkpoint(run):
    """Return the step of the newest checkpoint, 0 if there is none."""
    return max((int(path.stem) for path in run.glob("checkpoints/*.json")), default=0)


def tenths(run):
    """Return how many tenths of the training some worker has reached, 10 when it has ended."""
    if (run / "training.json").exists():
        return 10
    return max((int(path.stem) for path in run.glob("snapshots/*.safetensors")), default=0)


def epochs(run):
    """Return the number of points of the curves."""
    curves = run / "metrics.jsonl"
    return curves.read_text().count("\n") if curves.exists() else 0


def trains_in(run, stay):
    """Whether the run is training in segment number `stay`, counted from 1."""
    steps = first_steps(run)
    return len(steps) == stay and steps[-1] is not None and not (run / "training.json").exists()


def gets_on_in(stay):
    """Return the condition that segment number `stay` is training and has written a checkpoint."""
    return lambda run: trains_in(run, stay) and newest_checkpoint(run) > first_steps(run)[-1]


def is_measured_in_part(run):
    """Whether some evaluations are done and others are not."""
    return 0 < len(list(run.glob("evaluations/*.json"))) < len(list(run.glob("requests/*.json")))


def share_shown(run):
    """Return the share of the training, or of an evaluation, that displays show as done."""
    if not (run / "progress.json").exists():
        return 0
    progress = json.loads((run / "progress.json").read_text())
    return progress["step"] / progress["total"] if progress["total"] else 0


def first_steps(run):
    """Return the step at which each segment began to train, or None if it did not."""
    paths = sorted(run.glob("segments/*.json"), key=lambda path: int(path.stem))
    return [json.loads(path.read_text())["first_step"] for path in paths]
