"""Rules by which a scale shrinks runs and evaluations. Papers define them as data; each kind applies them to itself."""

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
    """Stand-ins for datasets by name, and changes of sizes; the last rule that covers a field wins.

    `evaluation_data` overrides `data` for datasets of evaluations, such as outliers. Without stand-ins, datasets are
    unchanged. Raises `SpecError` for a rule with an unknown size, field or dataset.
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

        Raises `SpecError` if its dataset has no stand-in, or its shrunk parts are incompatible.
        """
        return Run(run.name, self._shrinking(run, self.data).shrunk(run.config))

    def evaluation(self, evaluation: Evaluation, run: Run) -> Evaluation:
        """Return the evaluation at this scale for an evaluation of a paper-scale run.

        Raises `SpecError` if one of its datasets has no stand-in.
        """
        return self._shrinking(run, {**self.data, **self.evaluation_data}).shrunk(evaluation)

    def _shrinking(self, run: Run, stand_ins: Mapping[str, Dataset]) -> Shrinking:
        config, rules = run.config, tuple(rule for rule in self.rules if rule.applies_to(run.id, run.config.data.name))
        shrinking = Shrinking(rules, self.data, config.data, config.data)
        own = shrinking.change(config, "data")
        small = own(config.data) if own else shrinking.stand_in(config.data)
        return replace(shrinking, stand_ins=stand_ins, small_data=small)


def everywhere(**sizes: Any) -> Rule:
    """Return a rule for all runs and evaluations, such as `width=over(8)`."""
    return Rule(sizes)


def of(kind: type[Config], /, **changes: Any) -> Rule:
    """Return a rule for fields or sizes of a kind and its subclasses, such as `of(SGD, learning_rate=KEEP)`.

    `kind` is the class of a kind, `Training` or `Augmentation`.
    """
    if not (isinstance(kind, type) and issubclass(kind, Config)):
        raise SpecError(f"a rule of a scale needs a class, such as SGD or UNet, not {kind!r}")
    return Rule(changes, kind=kind)


def on(*datasets: str | Dataset, **sizes: Any) -> Rule:
    """Return a rule for all runs on some datasets of the paper, and their evaluations."""
    if not datasets:
        raise SpecError("on() needs at least one dataset")
    return Rule(sizes, data=tuple(data.name if isinstance(data, Dataset) else data for data in datasets))


def for_runs(*runs: Run, **sizes: Any) -> Rule:
    """Return a rule for some runs of the paper, matched by configuration, and their evaluations."""
    if not runs:
        raise SpecError("for_runs() needs at least one run")
    return Rule(sizes, runs=tuple(expect(Run, run, "a run in a rule of a scale").id for run in runs))


def sizes(kind: type[Config] = Config) -> set[str]:
    """Return all sizes of a kind and its subclasses."""
    return {size for each in (kind, *_derived(kind)) for size in each.shrinks.values()}


def _check(rule: Rule, data: Mapping[str, Dataset]) -> None:
    """Raise `SpecError` for a rule that can never apply."""
    what = f"field or size of {rule.kind.__name__}" if rule.kind else "size"
    for name in rule.changes:
        if name not in _allowed(rule.kind):
            load_built_in()  # the module of a kind with this size may not be imported yet
        if name not in (allowed := _allowed(rule.kind)):
            raise unknown(f"{what} in a rule of a scale", name, allowed)
    for name in rule.data:
        if data and name not in data:
            raise unknown("dataset in a rule of a scale", name, data)


def _allowed(kind: type[Config] | None) -> set[str]:
    """Return the names that a rule may change: all sizes, or the sizes and fields of a kind."""
    if kind is None:
        return sizes()
    fields = (name for each in (kind, *_derived(kind)) for name in each.model_fields)
    return {*fields, *sizes(kind)} - {"kind"}


def _derived(kind: type[Config]) -> Iterator[type[Config]]:
    for child in kind.__subclasses__():
        yield child
        yield from _derived(child)
