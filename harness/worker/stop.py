"""Stopping at a safe point."""

import signal


class Stopped(Exception):
    """A worker leaves a run before its end, because it was asked to."""


class StopRequest:
    """Turns SIGINT, SIGTERM and SIGUSR2 into a wish to stop at the next safe point, while it is entered."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)

    def __init__(self) -> None:
        self.wanted = False

    def set(self, *_: object) -> None:
        """Ask the worker to stop."""
        self.wanted = True

    def check(self) -> None:
        """Raise `Stopped` when somebody asked to stop."""
        if self.wanted:
            raise Stopped

    def __enter__(self) -> "StopRequest":
        self._previous = {number: signal.signal(number, self.set) for number in self.SIGNALS}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
