"""A paper: its tables and figures, the scales at which they run, and its evaluation protocols."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.config.base import Config
from harness.config.evaluations import Evaluation
from harness.config.guard import asking, expect, expect_function
from harness.config.interfaces import Capability
from harness.config.run import Run
from harness.errors import SpecError, unknown
from harness.registry.exhibit import Exhibit, Figure, Table
from harness.registry.metrics import Metric
from harness.registry.scale import PAPER_SCALES, Scale
from harness.registry.tolerances import Tolerance

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
    word of the command line, for two exhibits of one name, and for functions that are none.
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
        expect_function(self.protocol, f"protocol of paper '{self.name}'", "a metric and a run")
        expect_function(self.gpu_hours, f"gpu_hours of paper '{self.name}'", "a run")

    def scale(self, name: str) -> Scale:
        """Return the scale of this name; `paper` is the identity, `paper-fp32` the same in that precision.

        Raises `SpecError` for a name that the paper does not have.
        """
        scales = {scale.name: scale for scale in (*self.scales, *PAPER_SCALES)}
        if name not in scales:
            raise unknown("scale", name, scales)
        return scales[name]

    def evaluation(
        self, metric: Metric, run: Run, scale: Scale, changes: Mapping[str, Any] | None = None
    ) -> Evaluation | None:
        """Return how a paper-scale `run` is evaluated for `metric` at this scale, None when it cannot be.

        A row's `changes` of the protocol are made before the scale's; those of settings that it does not have are left
        out. Raises `SpecError` when the protocol fails, measures something else than the metric, or needs a capability
        that nobody has registered.
        """
        own = self.measured_by(metric, run)
        own = _changed(own, fitting(own, changes or {}))
        Capability.refuse_unknown(own.needs, f"evaluation '{own.kind}'")
        evaluation = scale.evaluation(own, run)
        return evaluation if evaluation.needs <= run.config.method.capabilities else None

    def measured_by(self, metric: Metric, run: Run) -> Evaluation:
        """Return the evaluation that measures a metric of a run as the paper did."""
        with asking(f"protocol of paper '{self.name}' for metric '{metric.key}' of run '{run.name}'"):
            try:
                found = self.protocol(metric, run)
            except KeyError as error:
                if error.args != (metric,):
                    raise
                raise SpecError(f"there is none: it wants an evaluation that measures '{metric.quantity}'") from None
            return expect(Evaluation, found, "the result")

    def reported_hours(self, run: Run) -> GpuHours | None:
        """Return what a run cost the authors, None where it is not known. Raises `SpecError` when `gpu_hours` fails."""
        with asking(f"gpu_hours of paper '{self.name}' for run '{run.name}'"):
            found = self.gpu_hours(run)
            return None if found is None else expect(GpuHours, found, "the result")

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """Tables, figures, and what is optional."""
        return (*self.tables, *self.figures, *self.optional)


def fitting(evaluation: Evaluation, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those changes whose settings an evaluation has, or gets with a part that is among them."""
    parts = {name: value for name, value in changes.items() if evaluation.has(name) and isinstance(value, Config)}

    def fits(name: str) -> bool:
        part, _, rest = name.partition(".")
        if rest and part in parts:
            return parts[part].has(rest)
        return evaluation.has(name) or any(value.has(name) for value in parts.values())

    return {name: value for name, value in changes.items() if fits(name)}


def _changed(evaluation: Evaluation, changes: Mapping[str, Any]) -> Evaluation:
    """Return an evaluation with settings changed that are given by their names or paths."""
    plain = {name: value for name, value in changes.items() if "." not in name}
    changed = evaluation.but(**plain) if plain else evaluation
    for path in changes.keys() - plain.keys():
        changed = changed.but(path, changes[path])
    return changed
