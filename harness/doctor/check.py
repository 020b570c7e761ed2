"""The result of one check of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CheckState(StrEnum):
    """Whether a requirement is met, met in part, or missing."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One check: its state, what it means for the user, and the command that fixes it, if any.

    `facts` are for programs: sizes in bytes, versions and paths as text.
    """

    name: str
    state: CheckState
    says: str
    mend: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the check as documented JSON (docs/results.md)."""
        return {
            "name": self.name,
            "state": self.state.value,
            "says": self.says,
            "mend": self.mend or None,
            "facts": dict(self.facts),
        }


def gigabytes(count: float) -> str:
    """Return a number of bytes in decimal gigabytes."""
    return f"{count / 1e9:,.1f} GB"
