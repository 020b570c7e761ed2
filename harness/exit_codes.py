"""Exit codes of commands and workers (docs/results.md)."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a process ended.

    `EVICTED` and `LOST` ask to be restarted: the newest checkpoint is on disk. `STALLED` is an eviction before the
    worker made any progress.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    BUSY = 3
    EVICTED = 75
    LOST = 76
    STALLED = 77
    INTERRUPTED = 130
