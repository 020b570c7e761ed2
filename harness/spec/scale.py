"""Scales: the same rows at a size that the machine at hand can run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import get_args

from harness.spec.evaluations import Evaluation
from harness.spec.run import Run
from harness.spec.training import Precision


@dataclass(frozen=True)
class Spread:
    """The standard deviation between seeds that was measured for a metric, with its degrees of freedom.

    It is in units of the metric, or a share of the value where the metric's noise is relative.
    """

    sd: float
    df: int


@dataclass(frozen=True)
class Scale:
    """A mapping from paper-scale runs and protocols to smaller ones.

    `comparable` says whether measured values may be held against the paper's; claims may be at every scale.
    `spread` holds the seed spread by dataset and metric key, pooled with that of the results.
    """

    name: str
    note: str
    comparable: bool
    shrink: Callable[[Run], Run] = lambda run: run
    protocol: Callable[[Evaluation], Evaluation] = lambda evaluation: evaluation
    spread: Mapping[tuple[str, str], Spread] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Exhibits share runs and protocols; a configuration made anew has its identity computed anew.
        object.__setattr__(self, "shrink", cache(self.shrink))
        object.__setattr__(self, "protocol", cache(self.protocol))


def _in_precision(precision: Precision) -> Scale:
    return Scale(
        f"paper-{precision}",
        f"The paper's configuration on the paper's data, trained and sampled in {precision}.",
        comparable=True,
        shrink=lambda run: run.with_config(precision=precision),
    )


PAPER_SCALE = Scale("paper", "The paper's configuration on the paper's data, as its runs say.", comparable=True)
PAPER_SCALES = (PAPER_SCALE, *map(_in_precision, get_args(Precision)))
"""The paper's own scale, and the same in each precision."""
