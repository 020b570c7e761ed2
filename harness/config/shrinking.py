"""The rules of a scale for one run. Each configuration asks a `Shrinking` for its new sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from harness.config.base import Config
from harness.config.changes import Change, Fixed
from harness.config.dataset import Dataset
from harness.errors import SpecError, nearest

Part = TypeVar("Part", bound=Config)


@dataclass(frozen=True)
class Rule:
    """Changes of sizes, keyed by the name of the size.

    A rule with a `kind` applies to that class and its subclasses, and may also name their fields. `data` and `runs`
    restrict a rule to runs on datasets of these names or to runs of these ids. A plain value sets the size to that
    value.
    """

    changes: Mapping[str, Any]
    kind: type[Config] | None = None
    data: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        changes = {name: to if isinstance(to, Change) else Fixed(to) for name, to in self.changes.items()}
        object.__setattr__(self, "changes", changes)

    def applies_to(self, run: str, data: str) -> bool:
        """Return whether the rule applies to a run, given its id and the name of its dataset."""
        return (not self.data or data in self.data) and (not self.runs or run in self.runs)

    def change(self, kind: type[Config], name: str) -> Change | None:
        """Return the change of a field of a kind, None if the rule does not cover it."""
        of_size: Change | None = self.changes.get(kind.shrinks.get(name, ""))
        if self.kind is None:
            return of_size
        return self.changes.get(name, of_size) if issubclass(kind, self.kind) else None


@dataclass(frozen=True)
class Length:
    """The length of a training, as pairs of values before and after scaling.

    `factor` is the multiplier of the epochs, before rounding to integers.
    """

    epochs: tuple[int, int] = (1, 1)
    iterations_per_epoch: tuple[int, int] = (1, 1)
    factor: float = 1.0

    @property
    def share(self) -> float:
        """The fraction of epochs that remains."""
        before, after = self.epochs
        return after / before


@runtime_checkable
class Shrinks(Protocol):
    """A configuration that shrinks by more than the changes of its fields, such as a U-Net that loses levels."""

    def shrunk(self, shrinking: "Shrinking") -> Self:
        """Return a copy at the smaller scale."""


@dataclass(frozen=True)
class Shrinking:
    """The rules that apply to a run; the last rule that covers a field wins.

    `data` is the dataset of the run and `small_data` its stand-in; `stand_ins` is keyed by dataset name. `length` is
    set while the schedule of a training is shrunk.
    """

    rules: tuple[Rule, ...]
    stand_ins: Mapping[str, Dataset]
    data: Dataset
    small_data: Dataset
    length: Length = field(default_factory=Length)

    def shrunk(self, part: Part) -> Part:
        """Return a configuration at the smaller scale: by its own `shrunk` if it has one, else by the rules."""
        return part.shrunk(self) if isinstance(part, Shrinks) else self.applied(part)

    def applied(self, part: Part, **derived: Any) -> Part:
        """Return a part with the changes of its fields; `derived` gives values for fields that no rule covers."""
        changes = derived | self.changed(part)
        return part.but(**changes) if changes else part

    def changed(self, part: Config) -> dict[str, Any]:
        """Return the new values of a part's fields covered by rules, and its nested parts that change."""
        found = {}
        for name in type(part).model_fields:
            value = getattr(part, name)
            if (change := self.change(part, name)) is not None:
                found[name] = _changed(part, name, change, value)
            elif (inside := self._inside(value)) != value:
                found[name] = inside
        return found

    def resized(self, part: Config, name: str, value: Any) -> Any:
        """Return `value` changed by the rule for a field of a part."""
        change = self.change(part, name)
        return value if change is None else _changed(part, name, change, value)

    def factor(self, part: Config, name: str, value: float) -> float:
        """Return the multiplier of a field, before rounding."""
        change = self.change(part, name)
        return 1.0 if change is None else change.factor(value)

    def change(self, part: Config, name: str) -> Change | None:
        """Return the change of a field of a part, None if no rule covers it."""
        found = (rule.change(type(part), name) for rule in reversed(self.rules))
        return next((change for change in found if change is not None), None)

    def stand_in(self, data: Dataset) -> Dataset:
        """Return the stand-in of a dataset, or the dataset itself if it is a stand-in or the scale has none.

        Raises `SpecError` for a dataset without a stand-in.
        """
        if data.name in self.stand_ins:
            return self.stand_ins[data.name]
        if self.stand_ins and data not in self.stand_ins.values():
            names = sorted(self.stand_ins)
            hint = nearest(data.name, names)
            raise SpecError(f"dataset '{data.name}' has no stand-in: {hint}allowed: {', '.join(names)}")
        return data

    def _inside(self, value: Any) -> Any:
        """Return a value with its nested configurations shrunk."""
        if isinstance(value, Dataset):
            return self.stand_in(value)
        if isinstance(value, Config):
            return self.shrunk(value)
        if isinstance(value, tuple):
            return tuple(map(self._inside, value))
        if isinstance(value, dict):
            return {key: self._inside(item) for key, item in value.items()}
        return value


def _changed(part: Config, name: str, change: Change, value: Any) -> Any:
    try:
        return change(value)
    except SpecError as error:
        raise SpecError(f"{type(part).__name__}.{name}: {error}") from None
