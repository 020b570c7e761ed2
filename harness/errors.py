"""Errors that a user can fix: one line with the given value and the allowed ones."""

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr

from harness.exit_codes import ExitCode

_short = Repr()
_short.maxstring = _short.maxother = 60


class HarnessError(Exception):
    """An error with a message for the user; commands print it on one line without a traceback."""

    exit_code = ExitCode.FAILED


class SpecError(HarnessError, ValueError):
    """An invalid name or value."""

    exit_code = ExitCode.USAGE


class UnknownKindError(SpecError):
    """A configuration refers to a kind that no installed package offers."""


class RevisionError(SpecError):
    """A configuration was written by another revision of a kind than the installed one."""


class MissingRequirement(HarnessError):
    """A requirement of a measurement is missing: `what`, as printed in a cell, and `how` to provide it."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what}: {how}")
        self.what = what
        self.how = how


def unknown(what: str, given: str, allowed: Iterable[str]) -> SpecError:
    """Return the error for an unknown name, with the nearest match and the allowed names."""
    names = sorted(allowed)
    return SpecError(f"unknown {what} '{given}': {nearest(given, names)}allowed: {', '.join(names) or 'none'}")


def nearest(given: str, allowed: Iterable[str]) -> str:
    """Return "did you mean ...? " for the nearest match, "" if there is none."""
    found = get_close_matches(given.lower(), list(allowed), n=1, cutoff=0.5)
    return f"did you mean '{found[0]}'? " if found else ""


def invalid(of: str, field: str, value: object, allowed: str, meant: str = "") -> SpecError:
    """Return the error for an invalid value of a `field`; `of` names its owner, `meant` the likely intended value."""
    hint = f"did you mean {meant}? " if meant else ""
    return SpecError(f"{of}: {field} is {given(value)}: {hint}allowed: {allowed}")


def given(value: object) -> str:
    """Format a value for an error message: short, on one line, with the type unless it is a string or number."""
    shown = " ".join(_short.repr(value).split())
    return shown if isinstance(value, str | int | float | None) else f"{shown} ({type(value).__name__})"
