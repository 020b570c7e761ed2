"""What goes wrong with a lab, in words for its user."""

from harness.errors import HarnessError


class LabError(HarnessError):
    """The lab cannot do what was asked; `log` holds the last lines of the daemon that failed, if one did."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class UsageError(LabError):
    """What was asked for is not possible as it was given."""

    exit_code = 2


class LabThereError(LabError):
    """A lab runs in the folder already."""
