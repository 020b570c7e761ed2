"""The time that the unfinished runs of a report take on the machine where it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RemainingTime:
    """The number of runs at a time, `workers`, and the seconds of each unfinished run by its id, None if unknown."""

    workers: int = 1
    by_run: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """The seconds until all unfinished runs are done; None if one is unknown or none is left."""
        known = [seconds for seconds in self.by_run.values() if seconds is not None]
        if not known or len(known) < len(self.by_run):
            return None
        return max(sum(known) / self.workers, *known)
