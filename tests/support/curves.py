"""Training curves of runs that no worker trained."""

import json


def draw(results, **names):
    """Write a curve for every run: its values by name, epoch by epoch, the last at the end of the training."""
    for directory in results.all():
        iterations = directory.training_record().iterations
        length = len(next(iter(names.values())))
        points = (
            {"epoch": at, "step": iterations * at // length, **{name: float(c[at - 1]) for name, c in names.items()}}
            for at in range(1, length + 1)
        )
        directory.metrics.write_text("".join(json.dumps(point) + "\n" for point in points))
