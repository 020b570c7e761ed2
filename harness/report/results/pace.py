"""How fast the runs of a report would be made where it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pace:
    """The number of runs at a time, and the seconds that each unfinished run still takes by id, None if unknown."""

    workers: int = 1
    left: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """The seconds until all unfinished runs are done; None if one is unknown or none is left."""
        known = [seconds for seconds in self.left.values() if seconds is not None]
        if not known or len(known) < len(self.left):
            return None
        return max(sum(known) / self.workers, *known)
