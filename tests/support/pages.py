"""Complete run directories like those of real runs, without training: for reports that show more than numbers."""

import json
from datetime import UTC, datetime

import numpy as np
from reports import fill
from vouching import vouch

from harness.registry.cells import cells
from harness.store.arrays import save_array
from harness.store.curves import append_point
from harness.store.records import Outcome, Segment

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def furnish(directory, *, size=8, channels=1, epochs=12, samples=20):
    """Add the files of a training to a run directory (record, curves, segment, log), and samples to its evaluations."""
    seed = json.loads(directory.config.read_text())["config"]["seed"]
    random = np.random.default_rng([int(directory.id, 16), seed])
    Outcome(state="done", finished=datetime(2026, 3, 1, 12, 30, tzinfo=UTC)).save(directory.outcome)
    Segment(
        started=datetime(2026, 3, 1, 12, tzinfo=UTC),
        seconds=1800.0,
        host="node07",
        device="cuda",
        device_name="NVIDIA H100",
        threads=8,
        world_size=4,
        commit=COMMIT,
        dirty=False,
        versions={"python": "3.11.7", "torch": "2.13.0"},
        energy_joules=2.5e6,
    ).save(directory.segments / "1.json")
    for epoch in range(1, epochs + 1):
        loss = 2.2 * np.exp(-epoch / 4) + 0.4 + 0.05 * random.random()
        append_point(
            directory.metrics, {"epoch": epoch, "step": 134 * epoch, "cross_entropy": loss, "denoising": loss / 3}
        )
    directory.log.write_text("".join(f"2026-03-01 12:{e:02},000 INFO epoch {e}: fine\n" for e in range(epochs)))
    for record in directory.evaluations.glob("generation-*.json"):
        images = random.integers(0, 256, (samples, channels, size, size), dtype=np.uint8)
        save_array(record.with_suffix("") / "samples.npy", images)
    vouch(directory)


def furnished(results, paper, exhibits, scale, **how):
    """Write the records of some exhibits, and furnish the runs of the first seeds."""
    for exhibit in exhibits:
        fill(results, paper, exhibit, scale, **how)
        for run in {
            cell.run for cell in cells(paper, exhibit, exhibit.rows, scale, range(min(how.get("seeds", 1), 3)))
        }:
            directory = results.directory(run)
            if directory.config.exists() and not directory.outcome.exists():
                furnish(directory)
