"""What a paper's own code raises, on one line: what was asked of it, the error, and where it arose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from harness.config.plugins import reason
from harness.errors import HarnessError, SpecError

Wanted = TypeVar("Wanted")


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn whatever is raised inside into a `SpecError` that begins with what was asked."""
    try:
        yield
    except SpecError as error:
        raise type(error)(f"{what}: {error}") from error
    except HarnessError:
        raise
    except Exception as error:  # a paper's code may raise anything
        raise SpecError(f"{what}: {reason(error)}") from error


def expect(wanted: type[Wanted], given: object, of: str) -> Wanted:
    """Return what a paper's code gave. Raises `SpecError` when it is something else than what is wanted `of` it."""
    if not isinstance(given, wanted):
        raise SpecError(f"{of} is {_named(type(given))}, not {_named(wanted)}")
    return given


def expect_function(given: object, of: str, arguments: str) -> None:
    """Raise `SpecError` for something that cannot be called where a function of these arguments is wanted."""
    if not callable(given):
        raise SpecError(f"{of} is {_named(type(given))}, not a function of {arguments}")


def _named(kind: type) -> str:
    article = "an" if kind.__name__[0] in "AEIOUaeiou" else "a"
    return "None" if kind is type(None) else f"{article} {kind.__name__}"
