"""What goes wrong with a lab, in words for its user."""

from harness.errors import HarnessError
from harness.exit_codes import ExitCode


class LabError(HarnessError):
    """The lab cannot do what was asked; `log` holds the last lines of the daemon that failed, if one did."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class UsageError(LabError):
    """What was asked for is not possible as it was given."""

    exit_code = ExitCode.USAGE


class LabThereError(LabError):
    """A lab runs in the folder already."""
