"""Watches a results directory: which runs changed since the last poll, and the progress of unfinished runs."""

from collections import Counter
from contextlib import suppress
from typing import Any

from harness.store.files import StoreError
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState

Signature = tuple[int, ...]

MAX_LISTED = 60
STATE_ORDER = (
    RunState.RUNNING, RunState.UNREADABLE, RunState.FAILED, RunState.INTERRUPTED, RunState.PENDING, RunState.CANCELLED,
)  # fmt: skip


class Watch:
    """The state of every run. A poll takes a few `stat` calls per run and reads only unfinished or changed runs."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._signatures: dict[str, Signature] = {}
        self._known: dict[str, dict[str, Any]] = {}

    def poll(self) -> bool:
        """Poll every run and return whether anything that a report shows may have changed."""
        runs = {directory.id: directory for directory in self._results.all()}
        signatures = {id: _signature(directory) for id, directory in runs.items()}
        changed = signatures != self._signatures
        for id, directory in runs.items():
            known = self._known.get(id)
            if known is None or known["state"] != RunState.DONE or signatures[id] != self._signatures.get(id):
                self._known[id] = describe(directory)
        for id in self._known.keys() - runs.keys():
            del self._known[id]
        self._signatures = signatures
        return changed

    def to_json(self) -> dict[str, Any]:
        """Return the number of runs by state, and the unfinished runs, running ones first."""
        order = {state.value: place for place, state in enumerate(STATE_ORDER)}
        waiting = sorted(
            (run for run in self._known.values() if run["state"] != RunState.DONE),
            key=lambda run: (order.get(run["state"], len(order)), run["name"], run["id"]),
        )
        counts = Counter(str(run["state"]) for run in self._known.values())
        return {"counts": dict(sorted(counts.items())), "runs": waiting[:MAX_LISTED], "waiting": len(waiting)}

    def state(self, run: str) -> str | None:
        """Return the state of a run, None if there is no such run."""
        known = self._known.get(run)
        return str(known["state"]) if known else None


def describe(directory: RunDirectory) -> dict[str, Any]:
    """Return a run's progress with the keys of `status --json`; an unreadable run has the state `unreadable`."""
    try:
        directory.check()
        state, progress, outcome = directory.state(), directory.last_progress(), directory.last_outcome()
        running = progress if state is RunState.RUNNING else None
        return {
            "id": directory.id,
            "name": directory.run().name,
            "state": state.value,
            "phase": running.phase if running else None,
            "step": running.step if running else None,
            "total": running.total if running else None,
            "seconds_left": running.seconds_left if running else None,
            "error": outcome.error if outcome and state is RunState.FAILED else None,
        }
    except (StoreError, OSError) as error:
        return {"id": directory.id, "name": "?", "state": RunState.UNREADABLE.value, "error": str(error)}


def _signature(directory: RunDirectory) -> Signature:
    """Return the modification times of the files and folders that a report reads.

    A folder's time changes when a file in it is created, replaced or deleted.
    """
    times = []
    for path in (directory.evaluations, directory.requests, directory.training, directory.outcome):
        times.append(0)
        with suppress(OSError):
            times[-1] = path.stat().st_mtime_ns
    return tuple(times)
