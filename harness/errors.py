"""Errors that a user can mend: one line that says what was given and what is allowed."""

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr

from harness.exit_codes import ExitCode

_short = Repr()
_short.maxstring = _short.maxother = 60


class HarnessError(Exception):
    """A failure with a message meant for the user; commands print it on one line, without a traceback."""

    exit_code = ExitCode.FAILED


class SpecError(HarnessError, ValueError):
    """A name or a value that no specification allows."""

    exit_code = ExitCode.USAGE


class UnknownKindError(SpecError):
    """A configuration names a kind that no installed package offers."""


class RevisionError(SpecError):
    """A configuration was written by another revision of a kind than the one at hand."""


class MissingRequirement(HarnessError):
    """What a measurement cannot do without and is not at hand: `what` in the words of a cell, `how` to mend it."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}: {how}")
        self.what = what
        self.how = how


def unknown(what: str, given: str, allowed: Iterable[str]) -> SpecError:
    """Return the error for a `given` name that is not among the `allowed` ones, with the nearest match."""
    names = sorted(allowed)
    return SpecError(f"unknown {what} '{given}': {nearest(given, names)}allowed: {', '.join(names) or 'none'}")


def nearest(given: str, allowed: Iterable[str]) -> str:
    """Return a question that names the nearest match, nothing where no name is near."""
    found = get_close_matches(given.lower(), list(allowed), n=1, cutoff=0.5)
    return f"did you mean '{found[0]}'? " if found else ""


def unfit(of: str, field: str, value: object, allowed: str, meant: str = "") -> SpecError:
    """Return the error for a `field` of something that has a value which is not `allowed`."""
    hint = f"did you mean {meant}? " if meant else ""
    return SpecError(f"{of}: {field} is {given(value)}: {hint}allowed: {allowed}")


def given(value: object) -> str:
    """Return a value as errors show it: its type where it is no text or number, on one line, not long."""
    shown = " ".join(_short.repr(value).split())
    return shown if isinstance(value, str | int | float | None) else f"{shown} ({type(value).__name__})"
