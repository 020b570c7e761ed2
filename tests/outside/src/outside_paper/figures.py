"""The drawing of the paper's figure."""

from dataclasses import dataclass
from typing import ClassVar

from harness.registry.figures import Plot


@dataclass(frozen=True)
class PredictedAgainstTrue(Plot):
    """A panel for each row: the first predictions against the numbers that they are of."""

    implementation: ClassVar[str] = "outside_paper.plots:predicted_against_true"

    points: int = 60

    @property
    def arrays(self) -> dict[str, int | None]:
        """The arrays of evaluations that it reads."""
        return {"predictions": self.points, "targets": self.points}
