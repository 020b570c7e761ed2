"""Job states from the scheduler: one rate-limited `squeue`, and at most one `sacct`, for all jobs.

The run directory is authoritative for the state of a run. Accounting may be disabled, unreachable or slow. An unknown
job is distinguished from a scheduler that does not answer.
"""

import math
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.environment import user
from harness.launch.slurm.variables import outside_of_jobs

COMMAND_SECONDS = 60.0
MIN_INTERVAL, MAX_INTERVAL = 5.0, 300.0
"""Seconds between queries, doubled while the scheduler does not answer."""
LARGEST_INDEX = 4_000_000
"""SLURM's own bound of MaxArraySize."""
SQUEUE = ("squeue", "--noheader", "--array", "--states=all", "--format=%i|%T|%N|%j|%r")
SACCT = ("sacct", "--noheader", "--parsable2", "--format=JobID,State,NodeList,JobName")


class JobState(StrEnum):
    """The state of a job, independent of SLURM's names."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out of memory"
    NODE_FAIL = "node failed"
    BOOT_FAIL = "boot failed"
    PREEMPTED = "preempted"
    DEADLINE = "deadline"
    STALLED = "stalled"
    """Recognised from the log, not the scheduler: the worker was evicted before the run made progress."""
    UNKNOWN = "unknown"
    """The scheduler answers but does not know the job: it was purged, and accounting is off or has lost it."""
    SILENT = "silent"
    """The scheduler does not answer."""


ALIVE = frozenset({JobState.QUEUED, JobState.RUNNING})
STATES: Mapping[str, JobState] = {
    **dict.fromkeys(("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD"), JobState.QUEUED),
    **dict.fromkeys(("RESV_DEL_HOLD", "SPECIAL_EXIT"), JobState.QUEUED),
    **dict.fromkeys(("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING"), JobState.RUNNING),
    **dict.fromkeys(("SIGNALING", "STAGE_OUT", "EXPEDITING"), JobState.RUNNING),
    "COMPLETED": JobState.COMPLETED,
    **dict.fromkeys(("FAILED", "LAUNCH_FAILED", "RECONFIG_FAIL"), JobState.FAILED),
    **dict.fromkeys(("CANCELLED", "REVOKED"), JobState.CANCELLED),
    "TIMEOUT": JobState.TIMEOUT,
    "OUT_OF_MEMORY": JobState.OUT_OF_MEMORY,
    "NODE_FAIL": JobState.NODE_FAIL,
    "BOOT_FAIL": JobState.BOOT_FAIL,
    "PREEMPTED": JobState.PREEMPTED,
    "DEADLINE": JobState.DEADLINE,
}


@dataclass(frozen=True)
class Job:
    """The state of an array task; `name` is the job's, `reason` the scheduler's text."""

    id: str
    state: JobState
    name: str = ""
    nodes: str = ""
    reason: str = ""


def state_of(word: str) -> JobState:
    """Return the state for SLURM's text, such as `CANCELLED by 0`; `UNKNOWN` if it is not recognised."""
    return STATES.get(word.split()[0].rstrip("+") if word.split() else "", JobState.UNKNOWN)


def expand(id: str) -> Iterator[str]:
    """Yield the tasks of a job id: `7_[0-2,5%4]` is `7_0`, `7_1`, `7_2` and `7_5`, `7_[1-5:2]` is `7_1`, `7_3`, `7_5`.

    Parts of another form, such as the `...` of a list that SLURM has cut, and ranges beyond any array are left out.
    """
    match = re.fullmatch(r"(\d+)_\[([^\]%]*)(?:%\d+)?\]", id)
    if match is None:
        yield id
        return
    for part in match[2].split(","):
        found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", part, re.ASCII)
        if found is not None:
            last = min(int(found[2] or found[1]), LARGEST_INDEX)
            yield from (f"{match[1]}_{index}" for index in range(int(found[1]), last + 1, int(found[3] or 1) or 1))


class Scheduler:
    """Queries all jobs at once and caches the result.

    `ask` runs a command and returns its output, None on failure.
    """

    def __init__(
        self,
        min_interval: float = MIN_INTERVAL,
        ask: "Callable[[list[str]], str | None] | None" = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._min_interval = self._interval = min_interval
        self._ask = ask or answer
        self._clock = clock
        self._asked: float | None = None
        self._queue: dict[str, Job] = {}
        self._accounts: dict[str, Job] = {}
        self._answers = False
        self._accounting_interval, self._accounting_failed = min_interval, -math.inf

    def jobs(self, wanted: Iterable[str], users: Iterable[str] = ()) -> dict[str, Job]:
        """Return the state of these array tasks (`123_4`), querying again once the interval has passed."""
        ids = set(wanted)
        unseen = ids - self._queue.keys() - self._accounts.keys()
        now = self._clock()
        if self._asked is None or now - self._asked >= self._interval or (unseen and self._answers and self._due(now)):
            self._refresh(ids, set(users) | {user()})
            self._asked = now
        absent = JobState.UNKNOWN if self._answers else JobState.SILENT
        return {id: self._queue.get(id) or self._accounts.get(id) or Job(id, absent) for id in ids}

    def find(self, name: str) -> str | None:
        """Return the id of the newest array job with this name, ended or not. Always queries."""
        text = self._ask([*SQUEUE, f"--name={name}"])
        found = [job.id for job in _queue(text)] if text else []
        if not found and (accounts := self._ask([*SACCT, f"--name={name}"])):
            found = list(_accounts(accounts))
        return max((id.partition("_")[0] for id in found), key=int, default=None)

    def configuration(self) -> dict[str, str]:
        """Return the cluster's configuration, empty if it does not answer."""
        text = self._ask(["scontrol", "show", "config"]) or ""
        pairs = (line.partition("=") for line in text.splitlines())
        return {name.strip(): value.strip() for name, equals, value in pairs if equals}

    def time_limits(self) -> dict[str, str]:
        """Return the time limit of every partition as SLURM prints it; the default partition also has the key ""."""
        text = self._ask(["scontrol", "show", "partition", "--oneliner"]) or ""
        found: dict[str, str] = {}
        for line in text.splitlines():
            fields = dict(pair.partition("=")[::2] for pair in line.split())
            names = [fields.get("PartitionName", ""), *([""] if fields.get("Default") == "YES" else [])]
            found |= dict.fromkeys(names, fields.get("MaxTime", "UNLIMITED"))
        return found

    def queued(self) -> int:
        """Return the number of this user's jobs and array tasks, queued or running. Always queries."""
        text = self._ask([*SQUEUE, f"--user={user()}"]) or ""
        return sum(job.state in ALIVE for job in _queue(text))

    def responds(self) -> bool:
        """Return whether the scheduler answers. Always queries."""
        return self._ask([*SQUEUE, f"--user={user()}"]) is not None

    @property
    def answers(self) -> bool:
        """Whether the scheduler answered the last query."""
        return self._answers

    def _due(self, now: float) -> bool:
        return self._asked is not None and now - self._asked >= self._min_interval

    def _refresh(self, ids: set[str], users: set[str]) -> None:
        text = self._ask([*SQUEUE, f"--user={','.join(sorted(users))}"])
        self._answers = text is not None
        if text is None:
            self._interval = min(2 * self._interval, MAX_INTERVAL)
            return
        self._interval = self._min_interval
        self._queue = {job.id: job for job in _queue(text)}
        # Accounting may have more detail on failed jobs: whether a step ran out of memory.
        vague = {id for id in ids if id not in self._queue or self._queue[id].state is JobState.FAILED}
        self._ask_accounting(vague - self._accounts.keys())
        for id in vague & self._accounts.keys() & self._queue.keys():
            if self._accounts[id].state is JobState.OUT_OF_MEMORY:
                self._queue[id] = self._accounts[id]

    def _ask_accounting(self, ids: set[str]) -> None:
        """Query accounting, with backoff while it does not answer."""
        if not ids or self._clock() - self._accounting_failed < self._accounting_interval:
            return
        text = self._ask([*SACCT, f"--jobs={','.join(sorted({id.partition('_')[0] for id in ids}))}"])
        if text is None:
            self._accounting_failed = self._clock()
            self._accounting_interval = min(2 * self._accounting_interval, MAX_INTERVAL)
            return
        self._accounting_interval, self._accounting_failed = self._min_interval, -math.inf
        self._accounts |= {id: job for id, job in _accounts(text).items() if job.state not in ALIVE}


def answer(command: list[str]) -> str | None:
    """Run a SLURM command and return its output, None if it failed or timed out."""
    try:
        done = call(command)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def call(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a SLURM command to its end, outside of any job.

    Raises `OSError` if it is not installed, and `subprocess.TimeoutExpired` if it does not answer.
    """
    environment = outside_of_jobs(os.environ)
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=COMMAND_SECONDS,
        env=environment,
    )


def _queue(text: str) -> Iterator[Job]:
    for line in text.splitlines():
        parts = line.strip().split("|")
        if len(parts) == 5:
            id, state, nodes, name, reason = parts
            for task in expand(id):
                yield Job(task, state_of(state), name, nodes, "" if reason == "None" else reason)


def _accounts(text: str) -> dict[str, Job]:
    """Parse the output of `sacct`; a failed job is out of memory if one of its steps is."""
    found: dict[str, Job] = {}
    for line in text.splitlines():
        parts = line.strip().split("|")
        if len(parts) != 4:
            continue
        id, _, step = parts[0].partition(".")
        state = state_of(parts[1])
        for task in expand(id):
            if not step:
                found[task] = Job(task, state, parts[3], parts[2], parts[1])
            elif state is JobState.OUT_OF_MEMORY and task in found and found[task].state is JobState.FAILED:
                found[task] = Job(task, state, found[task].name, parts[2], f"step {step} ran out of memory")
    return found
