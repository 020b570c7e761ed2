"""Errors of a lab, with messages for the user."""

from harness.errors import HarnessError
from harness.exit_codes import ExitCode


class LabError(HarnessError):
    """An operation of the lab failed; `log` holds the last lines of the failed daemon's log, if any."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class UsageError(LabError):
    """The user's arguments are invalid."""

    exit_code = ExitCode.USAGE


class LabRunningError(LabError):
    """A lab is already running in the folder."""
