"""The details of a run on the page: configuration, provenance, curves, samples, log; read from its directory.

Directories are not trusted: a part that cannot be read is reported as a problem, and the others are shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.report.html.curves import thinned
from harness.report.html.samples import sheet_of
from harness.store.curves import read_curve
from harness.store.files import StoreError, read_json
from harness.store.logs import tail_of
from harness.store.run_directory import RunDirectory

T = TypeVar("T")

LOG_LINES = 20
LOG_BYTES = 3000
MOST_SEGMENTS = 5


@dataclass(frozen=True)
class DetailLimits:
    """Limits on the details of a run: the number of newest `segments`, and the bytes of `samples` and `log`."""

    samples: int
    segments: int = MOST_SEGMENTS
    log: int = LOG_BYTES


def details(directory: RunDirectory, limits: DetailLimits) -> dict[str, Any] | None:
    """Return the details of a run as a JSON document; None if there is no such run."""
    if not directory.config.exists():
        return None
    problems: list[str] = []

    def read(load: Callable[[], T]) -> T | None:
        try:
            return load()
        except (StoreError, OSError, ValueError, TypeError, KeyError) as error:
            problems.append(" ".join(str(error).split()))
            return None

    stored = read(lambda: dict(read_json(directory.config))) or {}
    training, outcome = read(directory.training_record), read(directory.last_outcome)
    segments = read(directory.all_segments) or []
    found: dict[str, Any] = {
        "id": directory.id,
        "name": str(stored.get("name", "?")),
        "path": f"runs/{directory.id}",
        "config": stored.get("config"),
        "training": training.model_dump(mode="json", exclude={"snapshots"}, exclude_none=True) if training else None,
        "outcome": outcome.model_dump(mode="json", exclude={"needs"}) if outcome else None,
        "stays": [
            each.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
            for each in segments[-limits.segments :]
        ],
        "stays_before": max(len(segments) - limits.segments, 0),
        "curve": read(lambda: thinned(read_curve(directory.metrics))),
        "samples": read(lambda: sheet_of(directory, limits.samples)),
        "log": read(lambda: _tail(directory, limits.log)),
    }
    return found | ({"problems": problems} if problems else {})


def _tail(directory: RunDirectory, most: int) -> str | None:
    """Return the last whole lines of the log; only the end of the file is read."""
    if not directory.log.exists():
        return None
    whole = directory.log.stat().st_size <= most
    lines = tail_of(directory.log, most).splitlines()[0 if whole else 1 :]
    return "\n".join(lines[-LOG_LINES:])
