"""A paper: its tables and figures, the scales at which they run, and its evaluation protocols."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.spec.errors import unknown
from harness.spec.evaluations import Evaluation
from harness.spec.exhibit import Exhibit, Figure, Table
from harness.spec.metrics import Metric
from harness.spec.run import Run
from harness.spec.scale import PAPER_SCALES, Scale
from harness.spec.tolerances import Tolerance


@dataclass(frozen=True)
class GpuHours:
    """What a run cost the authors, in hours of their GPU.

    `source` tells a figure that the paper states from one reused for a run of equal cost and from an estimate.
    """

    hours: float
    source: Literal["stated", "reused", "estimated"]


@dataclass(frozen=True)
class Paper:
    """Everything that the harness knows of a paper.

    `optional` exhibits are run and reported when they are named, but are not part of `all`: other readings of a
    table, or what the authors call preliminary. `protocol` gives the evaluation that measures a metric of a run as the
    paper did. `tolerances` are by metric key.
    """

    name: str
    title: str
    url: str
    tables: tuple[Table, ...]
    protocol: Callable[[Metric, Run], Evaluation]
    figures: tuple[Figure, ...] = ()
    optional: tuple[Exhibit, ...] = ()
    scales: tuple[Scale, ...] = ()
    gpu_hours: Callable[[Run], GpuHours | None] = lambda run: None
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)

    def scale(self, name: str) -> Scale:
        """Return the scale of this name; `paper` is the identity, `paper-fp32` the same in that precision.

        Raises `SpecError` for a name that the paper does not have.
        """
        scales = {scale.name: scale for scale in (*self.scales, *PAPER_SCALES)}
        if name not in scales:
            raise unknown("scale", name, scales)
        return scales[name]

    def evaluation(self, metric: Metric, run: Run, scale: Scale) -> Evaluation | None:
        """Return how a paper-scale `run` is evaluated for `metric` at this scale, None when it cannot be."""
        evaluation = scale.protocol(self.protocol(metric, run))
        possible = evaluation.needs is None or evaluation.needs in run.config.method.capabilities
        return evaluation if possible else None

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """Tables, figures, and what is optional."""
        return (*self.tables, *self.figures, *self.optional)
