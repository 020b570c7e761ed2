"""Calls of constructors that do not fit fail in one line, as wrong values do."""

from collections.abc import Collection, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar

from harness.errors import SpecError, given, unknown

T = TypeVar("T")


def checked_arguments(cls: type[T]) -> type[T]:
    """Return a dataclass that raises `SpecError` for fields that are unknown, missing, given twice or too many.

    Without it these would be a `TypeError`, which commands do not turn into a line.
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
            raise SpecError(f"{call} {wrong}; its fields are, in this order: {', '.join(names)}")
        construct(self, *values, **named)

    setattr(cls, "__init__", checked)  # noqa: B010  # mypy refuses the plain assignment
    return cls


def _misfit(names: Sequence[str], needed: Sequence[str], values: int, named: Collection[str]) -> str:
    """Return what keeps so many values by place and others by name from being the fields, nothing where they are."""
    if values > len(names):
        return f"has {values} values"
    if twice := [name for name in names[:values] if name in named]:
        return f"has two values for {', '.join(twice)}"
    lacks = [name for name in needed if name not in names[:values] and name not in named]
    return f"lacks {', '.join(lacks)}" if lacks else ""
