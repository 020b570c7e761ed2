"""The rules by which a scale makes runs and evaluations smaller: data for papers, applied by each kind to itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harness.config.base import Config
from harness.config.dataset import Dataset
from harness.config.evaluations import Evaluation
from harness.config.guard import expect
from harness.config.plugins import load_built_in
from harness.config.run import Run
from harness.config.shrinking import Rule, Shrinking
from harness.errors import SpecError, unknown


@dataclass(frozen=True)
class Rules:
    """What stands in for datasets, by their names, and how sizes change; of two rules about a field the last decides.

    `evaluation_data` stand in for the datasets that evaluations name, such as outliers, where they differ from `data`.
    Without any, datasets stay. Raises `SpecError` for a rule about a size, a field or a dataset that does not exist.
    """

    rules: tuple[Rule, ...]
    data: Mapping[str, Dataset] = field(default_factory=dict)
    evaluation_data: Mapping[str, Dataset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, stand_in in {**self.data, **self.evaluation_data}.items():
            expect(Dataset, stand_in, f"the stand-in for dataset '{name}'")
        for rule in self.rules:
            _check(expect(Rule, rule, "a rule of a scale"), self.data)

    def run(self, run: Run) -> Run:
        """Return the run at this scale, under the same name.

        Raises `SpecError` when its dataset has no stand-in, or its small parts do not fit each other.
        """
        return Run(run.name, run.config.shrunk(self._shrinking(run, self.data)))

    def evaluation(self, evaluation: Evaluation, run: Run) -> Evaluation:
        """Return the evaluation of a run at paper scale as it is done at this scale.

        Raises `SpecError` when a dataset that it names has no stand-in.
        """
        return evaluation.shrunk(self._shrinking(run, {**self.data, **self.evaluation_data}))

    def _shrinking(self, run: Run, stand_ins: Mapping[str, Dataset]) -> Shrinking:
        config, rules = run.config, tuple(rule for rule in self.rules if rule.is_about(run))
        shrinking = Shrinking(rules, self.data, config.data, config.data)
        own = shrinking.change(config, "data")
        small = own(config.data) if own else shrinking.stand_in(config.data)
        return replace(shrinking, stand_ins=stand_ins, small_data=small)


def everywhere(**sizes: Any) -> Rule:
    """Return changes of sizes in all runs and evaluations, such as `width=over(8)`."""
    return Rule(sizes)


def of(kind: type[Config], /, **changes: Any) -> Rule:
    """Return changes of fields or sizes of a kind and of those derived from it, such as `of(SGD, learning_rate=KEEP)`.

    What is written by its kind is named by its class; so are `Training` and `Augmentation`.
    """
    if not (isinstance(kind, type) and issubclass(kind, Config)):
        raise SpecError(f"a rule of a scale is of a class, such as SGD or UNet, not of {kind!r}")
    return Rule(changes, kind=kind)


def on(*datasets: str | Dataset, **sizes: Any) -> Rule:
    """Return changes of sizes in all runs on some datasets of the paper, and in their evaluations."""
    if not datasets:
        raise SpecError("a rule on datasets names one at the least")
    return Rule(sizes, data=tuple(data.name if isinstance(data, Dataset) else data for data in datasets))


def for_runs(*runs: Run, **sizes: Any) -> Rule:
    """Return changes of sizes in some runs of the paper, whatever their names, and in their evaluations."""
    if not runs:
        raise SpecError("a rule for runs names one at the least")
    return Rule(sizes, runs=tuple(expect(Run, run, "a run in a rule of a scale") for run in runs))


def sizes(kind: type[Config] = Config) -> set[str]:
    """Return every size that a kind, or one derived from it, says it has."""
    return {size for each in (kind, *_derived(kind)) for size in each.shrinks.values()}


def _check(rule: Rule, data: Mapping[str, Dataset]) -> None:
    """Raise `SpecError` for a rule that can be about nothing."""
    what = f"field or size of {rule.kind.__name__}" if rule.kind else "size"
    for name in rule.changes:
        if name not in _allowed(rule.kind):
            load_built_in()  # a module of the harness that is not imported yet may have it
        if name not in (allowed := _allowed(rule.kind)):
            raise unknown(f"{what} in a rule of a scale", name, allowed)
    for name in rule.data:
        if data and name not in data:
            raise unknown("dataset in a rule of a scale", name, data)


def _allowed(kind: type[Config] | None) -> set[str]:
    """Return what a rule may change: any size, or the sizes and fields of a kind."""
    if kind is None:
        return sizes()
    fields = (name for each in (kind, *_derived(kind)) for name in each.model_fields)
    return {*fields, *sizes(kind)} - {"kind"}


def _derived(kind: type[Config]) -> Iterator[type[Config]]:
    for child in kind.__subclasses__():
        yield child
        yield from _derived(child)
