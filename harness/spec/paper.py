"""A paper: its tables and figures, the scales at which they run, and its evaluation protocols."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.spec.errors import SpecError, unknown
from harness.spec.evaluations import Evaluation
from harness.spec.exhibit import Exhibit, Figure, Table
from harness.spec.metrics import Metric
from harness.spec.run import Run
from harness.spec.scale import PAPER_SCALES, Scale
from harness.spec.tolerances import Tolerance

RESERVED = frozenset({"all", "tables", "figures", "papers"})
"""Words of the command line for groups of exhibits, and no names of papers."""
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
EXHIBIT = re.compile(r"(table|figure)\d")


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
    paper did. `tolerances` are by metric key. Raises `SpecError` for a name that is no folder name in lower case, or a
    word of the command line, and for two exhibits of one name.
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

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in RESERVED or EXHIBIT.match(self.name):
            raise SpecError(
                f"'{self.name}' is no name of a paper: allowed are lower-case letters, digits, '_', '.' and '-', "
                f"and neither {', '.join(sorted(RESERVED))} nor the name of a table or figure"
            )
        names = [exhibit.name for exhibit in self.exhibits]
        if doubled := [name for name in names if names.count(name) > 1]:
            raise SpecError(f"paper '{self.name}' has two exhibits called '{doubled[0]}'")

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
        return evaluation if evaluation.needs <= run.config.method.capabilities else None

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """Tables, figures, and what is optional."""
        return (*self.tables, *self.figures, *self.optional)
