"""The plot of the paper's figure."""

from dataclasses import dataclass
from typing import ClassVar

from harness.registry.figures import Plot


@dataclass(frozen=True)
class PredictedAgainstTrue(Plot):
    """One panel per row: the first predictions against their targets."""

    implementation: ClassVar[str] = "outside_paper.plots:predicted_against_true"

    points: int = 60

    @property
    def arrays(self) -> dict[str, int | None]:
        """The evaluation arrays that the plot needs."""
        return {"predictions": self.points, "targets": self.points}
