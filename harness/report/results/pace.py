"""How fast the runs of a report would be made where it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pace:
    """The number of runs at a time, and the seconds that each unfinished run still takes by id, None if unknown."""

    workers: int = 1
    left: Mapping[str, float | None] = field(default_factory=dict)
