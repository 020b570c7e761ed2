"""Stopping at a safe point."""

import signal

from harness.exit_codes import ExitCode


class Stopped(Exception):
    """Raised when a worker stops on request. An `evicted` worker asks to be restarted."""

    def __init__(self, evicted: bool = False) -> None:
        super().__init__("evicted" if evicted else "interrupted")
        self.exit_code = ExitCode.EVICTED if evicted else ExitCode.INTERRUPTED


class StopRequest:
    """Within its context, turns SIGINT, SIGTERM and SIGUSR2 into a request to stop at the next safe point.

    A scheduler sends SIGUSR2 to evict the worker, which then asks to be restarted elsewhere.
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
        """Raise `Stopped` if the worker was asked to stop."""
        if self.wanted:
            raise Stopped(self.evicted)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a worker that stops on this request."""
        return Stopped(self.evicted).exit_code

    def __enter__(self) -> "StopRequest":
        self._previous = {number: signal.signal(number, self.set) for number in self.SIGNALS}
        # Array tasks block SIGUSR2 during start-up, because SLURM may send it before this handler exists.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._previous.items():
            # Already stopping: ignore further signals so that the state gets saved.
            signal.signal(number, signal.SIG_IGN if self.wanted else handler)
