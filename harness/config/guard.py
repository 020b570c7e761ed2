"""Wrap errors raised by a paper's own code into one line: the call, the error, and its location."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from harness.config.plugins import reason
from harness.errors import HarnessError, SpecError

Wanted = TypeVar("Wanted")


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Convert any exception raised inside to a `SpecError` that begins with `what`."""
    try:
        yield
    except SpecError as error:
        raise type(error)(f"{what}: {error}") from error
    except HarnessError:
        raise
    except Exception as error:  # a paper's code may raise anything
        raise SpecError(f"{what}: {reason(error)}") from error


def expect(wanted: type[Wanted], given: object, of: str) -> Wanted:
    """Return `given`, an object from a paper's code. Raises `SpecError` unless it is a `wanted`; `of` describes it."""
    if not isinstance(given, wanted):
        raise SpecError(f"{of} is {_named(type(given))}, not {_named(wanted)}")
    return given


def expect_function(given: object, of: str, arguments: str) -> None:
    """Raise `SpecError` unless `given` is callable; `of` describes it and `arguments` its signature."""
    if not callable(given):
        raise SpecError(f"{of} is {_named(type(given))}, not a function of {arguments}")


def _named(kind: type) -> str:
    article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
    return "None" if kind is type(None) else f"{article} {kind.__name__}"
