"""Stopping at a safe point."""

import signal


class Stopped(Exception):
    """A worker leaves a run before its end, because it was asked to. `evicted` says that it wants to come back."""

    def __init__(self, evicted: bool = False) -> None:
        super().__init__("evicted" if evicted else "interrupted")
        self.evicted = evicted


class StopRequest:
    """Turns SIGINT, SIGTERM and SIGUSR2 into a wish to stop at the next safe point, while it is entered.

    SIGUSR2 comes from a scheduler that needs the machine: the worker is evicted, and wants to go on elsewhere.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2)

    def __init__(self) -> None:
        self.wanted = False
        self.evicted = False

    def set(self, number: int = signal.SIGTERM, *_: object) -> None:
        """Ask the worker to stop."""
        self.wanted = True
        self.evicted |= number == signal.SIGUSR2

    def check(self) -> None:
        """Raise `Stopped` when somebody asked to stop."""
        if self.wanted:
            raise Stopped(self.evicted)

    def __enter__(self) -> "StopRequest":
        self._previous = {number: signal.signal(number, self.set) for number in self.SIGNALS}
        # An array task holds it back while it starts, for a cluster may ask it to leave before it has listened.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            # Who was asked is on the way out, and is not to be ended by whoever asks next.
            signal.signal(number, signal.SIG_IGN if self.wanted else handler)
