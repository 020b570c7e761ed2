"""A decorator that makes dataclasses raise `SpecError` for wrong constructor arguments."""

from collections.abc import Collection, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar

from harness.errors import SpecError, given, unknown

T = TypeVar("T")


def checked_arguments(cls: type[T]) -> type[T]:
    """Make a dataclass raise `SpecError` for unknown, missing, repeated or surplus arguments.

    The default is a `TypeError`, which commands do not print as a one-line message.
    """
    construct = cls.__init__
    fields = list(signature(construct).parameters.values())[1:]  # the first is the instance
    names = [field.name for field in fields]
    needed = [field.name for field in fields if field.default is Parameter.empty]

    @wraps(construct)
    def checked(self: T, *values: Any, **named: Any) -> None:
        if foreign := [name for name in named if name not in names]:
            raise unknown(f"field of {cls.__name__}", foreign[0], names)
        if wrong := _misfit(names, needed, len(values), named):
            first = [given(value) for value in (*values, named.get(names[0])) if value is not None][:1]
            call = f"{cls.__name__}({', '.join([*first, '...'])})"
            raise SpecError(f"{call} {wrong}; its fields, in order: {', '.join(names)}")
        construct(self, *values, **named)

    setattr(cls, "__init__", checked)  # noqa: B010  # mypy refuses the plain assignment
    return cls


def _misfit(names: Sequence[str], needed: Sequence[str], values: int, named: Collection[str]) -> str:
    """Return why `values` positional and the `named` keyword arguments do not fit the fields, "" if they fit."""
    if values > len(names):
        return f"has {values} values"
    if twice := [name for name in names[:values] if name in named]:
        return f"has two values for {', '.join(twice)}"
    lacks = [name for name in needed if name not in names[:values] and name not in named]
    return f"lacks {', '.join(lacks)}" if lacks else ""
