"""Scales: the same rows at a size that the available machine can run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import get_args

from harness.config.evaluations import Evaluation
from harness.config.guard import asking, expect, expect_function
from harness.config.run import Run
from harness.config.training import Precision
from harness.errors import SpecError, invalid
from harness.registry.scale_rules import Rules, everywhere


@dataclass(frozen=True)
class Spread:
    """The measured standard deviation between seeds for a metric, with its degrees of freedom.

    In units of the metric, or as a fraction of the value if the metric's noise is relative. Raises `SpecError` for a
    deviation that is negative or not finite, or without a degree of freedom.
    """

    sd: float
    df: int

    def __post_init__(self) -> None:
        if not (isfinite(self.sd) and self.sd >= 0):
            raise invalid("a spread between seeds", "sd", self.sd, "finite numbers from 0")
        if self.df < 1:
            raise invalid("a spread between seeds", "df", self.df, "numbers from 1")


def _same_run(run: Run) -> Run:
    return run


def _same_evaluation(evaluation: Evaluation) -> Evaluation:
    return evaluation


@dataclass(frozen=True)
class Scale:
    """A mapping from paper-scale runs and protocols to smaller ones: by `rules`, then by optional functions.

    `comparable` is whether measured values can be compared with the paper's; claims are checked at every scale.
    `spread` holds the seed spread by dataset, metric key and kind of model, such as `("digits", "fid", "hybrid vit")`;
    it is pooled with that of the results. `beyond` holds the claims that the scale cannot decide, by exhibit and
    sentence, such as `("table2", "Faces look realistic.")`, each with its reason; a claim whose presuppositions
    (`Claim.needs`) can be measured needs no entry. Raises `SpecError` if a key of `spread` or `beyond` is another, if a
    comparable scale has claims beyond it, or if `shrink` or `protocol` is not callable, and on use if it fails or
    returns another type.
    """

    name: str
    note: str
    comparable: bool
    shrink: Callable[[Run], Run] = _same_run
    protocol: Callable[[Evaluation], Evaluation] = _same_evaluation
    spread: Mapping[tuple[str, str, str], Spread] = field(default_factory=dict)
    rules: Rules | None = None
    beyond: Mapping[tuple[str, str], str] = field(default_factory=dict)
    _evaluations: dict[tuple[Evaluation, Run], Evaluation] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        expect_function(self.shrink, f"shrink of scale '{self.name}'", "a run")
        expect_function(self.protocol, f"protocol of scale '{self.name}'", "an evaluation")
        for key in self.spread:
            if not (isinstance(key, tuple) and len(key) == 3 and all(isinstance(part, str) for part in key)):
                allowed = "(dataset, metric, kind of model), such as ('digits', 'fid', 'hybrid vit')"
                raise invalid(f"scale '{self.name}'", "a key of spread", key, allowed)
        self._check_beyond()
        if self.rules is not None:
            expect(Rules, self.rules, f"rules of scale '{self.name}'")
        object.__setattr__(self, "shrink", _Shrink(self.name, self.rules, self.shrink))

    def _check_beyond(self) -> None:
        of = f"scale '{self.name}'"
        if self.beyond and self.comparable:
            raise SpecError(f"{of}: beyond names claims, but no claim is beyond a scale with comparable values")
        for key, reason in self.beyond.items():
            if not (isinstance(key, tuple) and len(key) == 2 and all(isinstance(part, str) for part in key)):
                raise invalid(of, "a key of beyond", key, "(exhibit, sentence of the claim), such as ('table2', '...')")
            if not (isinstance(reason, str) and reason.strip()):
                raise invalid(of, f"the reason of beyond for {key[0]}", reason, "text in quotes that says why")

    def evaluation(self, evaluation: Evaluation, run: Run) -> Evaluation:
        """Return the evaluation at this scale for an evaluation of a paper-scale run."""
        key = evaluation, run
        if key not in self._evaluations:
            with asking(f"scale '{self.name}' of '{evaluation.kind}' of run '{run.name}'"):
                small = self.rules.evaluation(evaluation, run) if self.rules else evaluation
                found = expect(Evaluation, self.protocol(small), "the result of protocol")
            self._evaluations[key] = found
        return self._evaluations[key]


class _Shrink:
    """The rules of a scale, followed by its own function.

    Results are cached, since exhibits share runs and every new configuration would compute its digest again.
    """

    def __init__(self, scale: str, rules: Rules | None, own: Callable[[Run], Run]) -> None:
        self._scale, self._rules = scale, rules
        self._own: Callable[[Run], Run] = own._own if isinstance(own, _Shrink) else own
        self._runs: dict[Run, Run] = {}

    def __call__(self, run: Run) -> Run:
        if run not in self._runs:
            with asking(f"scale '{self._scale}' of run '{run.name}'"):
                small = self._rules.run(run) if self._rules else run
                self._runs[run] = expect(Run, self._own(small), "the result of shrink")
        return self._runs[run]


def _in_precision(precision: Precision) -> Scale:
    return Scale(
        f"paper-{precision}",
        f"The paper's configuration on the paper's data, trained and sampled in {precision}.",
        comparable=True,
        rules=Rules((everywhere(precision=precision),)),
    )


PAPER_SCALE = Scale(
    "paper", "The paper's configuration on the paper's data, in the precision of each run.", comparable=True
)
PAPER_SCALES = (PAPER_SCALE, *map(_in_precision, get_args(Precision)))
"""The paper's own scale, and the same in each precision."""
