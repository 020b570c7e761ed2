"""Commands called in this process, watched for tracebacks, hangs, floods of memory and control characters."""

import re
import resource
import signal
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.exit_codes import ExitCode

SECONDS = 10
MEBIBYTES = 400
BYTES = 2**31
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
CODES = {int(code) for code in ExitCode}


class Hung(BaseException):
    """A command took longer than its limit. No `except Exception` stops it."""


@dataclass
class Seen:
    """The exit code and output of a command, and the faults seen in it."""

    code: int | None
    out: str = ""
    err: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def said(self):
        return self.out + self.err


def watch(call, *line, **options):
    """Call a command of a `CommandLine` in this process, and return what is seen."""
    before = _peak()
    try:
        with limited(SECONDS), bounded(BYTES):
            done = call(*line, **options)
        seen = Seen(done.returncode, done.stdout, done.stderr)
    except Hung:
        seen = Seen(None, faults=[f"{line[0]} hangs"])
    except Exception as error:
        seen = Seen(None, faults=[f"{line[0]} raises {where(error)}"])
    if _peak() - before > MEBIBYTES:
        seen.faults.append(f"{line[0]} takes more than {MEBIBYTES} MiB")
    return judged(seen, line[0])


def judged(seen, name):
    """Add the faults of the output and of the exit code."""
    if "Traceback" in seen.said:
        seen.faults.append(f"{name} prints a traceback: {seen.said[-300:]!r}")
    if found := CONTROL.search(seen.said):
        seen.faults.append(f"{name} prints a control character: {seen.said[max(found.start() - 60, 0) :][:120]!r}")
    if seen.code is not None and seen.code not in CODES:
        seen.faults.append(f"{name} exits with {seen.code}")
    if len(seen.err) > 20_000:
        seen.faults.append(f"{name} floods stderr with {len(seen.err)} characters")
    return seen


@contextmanager
def limited(seconds):
    """Raise `Hung` in the body after some seconds, also in a system call. Needs the main thread and SIGALRM."""

    def ring(*_):
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    begun = time.monotonic()
    try:
        yield
        if time.monotonic() - begun > seconds:
            raise Hung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def bounded(size):
    """Let the body take at most `size` further bytes of memory, so that a flood ends in a `MemoryError`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def where(error):
    """Return an error with the line of the harness that raised it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/harness/" in frame.filename]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {'/'.join(Path(last.filename).parts[-3:])}:{last.lineno}"


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
