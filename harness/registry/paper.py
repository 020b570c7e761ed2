"""A paper: tables and figures, scales, and evaluation protocols."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.config.base import Config
from harness.config.evaluations import Evaluation
from harness.config.guard import asking, expect, expect_function
from harness.config.interfaces import Capability
from harness.config.run import Run
from harness.errors import SpecError, nearest, unknown
from harness.registry.exhibit import Exhibit, Figure, Table
from harness.registry.metrics import Metric
from harness.registry.scale import PAPER_SCALES, Scale
from harness.registry.tolerances import Tolerance

RESERVED = frozenset({"all", "tables", "figures", "papers"})
"""Words for groups of exhibits on the command line, not allowed as names of papers."""
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
EXHIBIT = re.compile(r"(table|figure)\d")


@dataclass(frozen=True)
class GpuHours:
    """The authors' cost of a run, in hours of their GPU.

    `source` is `stated` in the paper, `reused` from a run of equal cost, or `estimated`.
    """

    hours: float
    source: Literal["stated", "reused", "estimated"]


@dataclass(frozen=True)
class Paper:
    """The definition of a paper.

    `optional` exhibits are run and reported only by name and are not part of `all`: variants of a table, or results
    that the authors call preliminary. `protocol` returns the paper's evaluation for a metric of a run. `tolerances` is
    keyed by metric key. Raises `SpecError` for a name that is reserved or not a lower-case folder name, for duplicate
    exhibit names, for a claim beyond a scale that no exhibit has, and for a `protocol` or `gpu_hours` that is not
    callable.
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
                f"invalid paper name '{self.name}': allowed: lower-case letters, digits, '_', '.' and '-', "
                f"but neither {', '.join(sorted(RESERVED))} nor the name of a table or figure"
            )
        names = [exhibit.name for exhibit in self.exhibits]
        if doubled := [name for name in names if names.count(name) > 1]:
            raise SpecError(f"paper '{self.name}' has two exhibits called '{doubled[0]}'")
        for scale in self.scales:
            self._check_beyond(scale)
        expect_function(self.protocol, f"protocol of paper '{self.name}'", "a metric and a run")
        expect_function(self.gpu_hours, f"gpu_hours of paper '{self.name}'", "a run")

    def _check_beyond(self, scale: Scale) -> None:
        """Raise `SpecError` if a scale names a claim that no exhibit has."""
        claims = {exhibit.name: [claim.says for claim in exhibit.claims] for exhibit in self.exhibits}
        for exhibit, says in scale.beyond:
            if exhibit not in claims:
                raise unknown(f"exhibit in beyond of scale '{scale.name}'", exhibit, claims)
            if says not in claims[exhibit]:
                hint = nearest(says, claims[exhibit]) or f"{exhibit} has {len(claims[exhibit])} others"
                raise SpecError(
                    f"unknown claim of {exhibit} in beyond of scale '{scale.name}', '{says}': {hint.strip()}"
                )

    def scale(self, name: str) -> Scale:
        """Return the scale with this name; `paper` is the identity, `paper-fp32` the same in that precision.

        Raises `SpecError` for an unknown name.
        """
        scales = {scale.name: scale for scale in (*self.scales, *PAPER_SCALES)}
        if name not in scales:
            raise unknown("scale", name, scales)
        return scales[name]

    def evaluation(
        self, metric: Metric, run: Run, scale: Scale, changes: Mapping[str, Any] | None = None
    ) -> Evaluation | None:
        """Return the evaluation of a paper-scale `run` for `metric` at this scale, None if a capability is lacking.

        A row's `changes` to the protocol apply before the scale's, ignoring settings that the evaluation lacks. Raises
        `SpecError` if the protocol fails, returns no `Evaluation`, or needs an unregistered capability.
        """
        own = self.measured_by(metric, run)
        own = _changed(own, applicable(own, changes or {}))
        Capability.refuse_unknown(own.needs, f"evaluation '{own.kind}'")
        evaluation = scale.evaluation(own, run)
        return evaluation if evaluation.needs <= run.config.method.capabilities else None

    def measured_by(self, metric: Metric, run: Run) -> Evaluation:
        """Return the paper's evaluation for a metric of a run."""
        with asking(f"protocol of paper '{self.name}' for metric '{metric.key}' of run '{run.name}'"):
            try:
                found = self.protocol(metric, run)
            except KeyError as error:
                if error.args != (metric,):
                    raise
                raise SpecError(f"missing: add an evaluation that measures '{metric.quantity}'") from None
            return expect(Evaluation, found, "the result")

    def reported_hours(self, run: Run) -> GpuHours | None:
        """Return the authors' cost of a run, None if unknown. Raises `SpecError` if `gpu_hours` fails."""
        with asking(f"gpu_hours of paper '{self.name}' for run '{run.name}'"):
            found = self.gpu_hours(run)
            return None if found is None else expect(GpuHours, found, "the result")

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """All tables, figures and optional exhibits."""
        return (*self.tables, *self.figures, *self.optional)


def applicable(evaluation: Evaluation, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes to settings that an evaluation has, or would have after the changes to its parts."""
    parts = {name: value for name, value in changes.items() if evaluation.has(name) and isinstance(value, Config)}

    def fits(name: str) -> bool:
        part, _, rest = name.partition(".")
        if rest and part in parts:
            return parts[part].has(rest)
        return evaluation.has(name) or any(value.has(name) for value in parts.values())

    return {name: value for name, value in changes.items() if fits(name)}


def _changed(evaluation: Evaluation, changes: Mapping[str, Any]) -> Evaluation:
    """Return an evaluation with settings changed, given by names or paths."""
    plain = {name: value for name, value in changes.items() if "." not in name}
    changed = evaluation.but(**plain) if plain else evaluation
    for path in changes.keys() - plain.keys():
        changed = changed.but(path, changes[path])
    return changed
