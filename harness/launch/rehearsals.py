"""Rehearsals of a plan, and a summary of their records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.launch.estimate.forecast import duration
from harness.launch.plan import Plan, PlannedRun, disk_bytes
from harness.store.files import StoreError
from harness.store.rehearsals import Problem, RehearsalDirectory, RehearsalRecord, Rehearsals
from harness.store.results import Results
from harness.store.usage import SECONDS_PER_HOUR, Usage

GIB = 2**30


class PlannedRehearsal(PlannedRun):
    """A distinct run to rehearse, in a directory separate from the run's."""

    worker_command: ClassVar[str] = "worker-preflight"


def rehearsals_of(plan: Plan, results: Results) -> list[PlannedRehearsal]:
    """Return rehearsals of all distinct runs of a plan, done or not, the most expensive first."""
    places = Rehearsals(results.root)
    planned = [
        PlannedRehearsal(entry.run, places.directory(entry.run), entry.gpu_hours, entry.exhibits, entry.evaluations)
        for entry in plan.runs
    ]
    return sorted(planned, key=lambda entry: -entry.run.train_flops)


@dataclass(frozen=True)
class Rehearsed:
    """The outcome of a run's rehearsal; without a record, `problems` explain why."""

    planned: PlannedRun
    record: RehearsalRecord | None
    problems: tuple[Problem, ...]

    @property
    def expected(self) -> Usage:
        """The expected device hours of the whole run."""
        seconds = self.record.expected_seconds if self.record else None
        if self.record is None or seconds is None:
            return Usage()
        value = seconds * self.record.world_size / SECONDS_PER_HOUR
        return Usage(gpu_hours=value) if self.record.on_gpu else Usage(core_hours=value)

    def to_json(self) -> dict[str, Any]:
        """Return the rehearsal as documented JSON (docs/results.md)."""
        record = self.record
        return {
            "id": self.planned.run.id,
            "name": self.planned.run.name,
            "ok": not self.problems,
            "problems": [problem.model_dump() for problem in self.problems],
            "peak_memory": record.peak_memory if record else None,
            "expected_seconds": record.expected_seconds if record else None,
            "expected": self.expected.to_json(),
            "record": record.model_dump(mode="json") if record else None,
        }


@dataclass(frozen=True)
class Rehearsing:
    """The outcomes of the rehearsals of a selection, the most expensive first. Counts all runs, including done ones."""

    scale: str
    runs: tuple[Rehearsed, ...]

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems and not any(entry.problems for entry in self.runs)

    @property
    def problems(self) -> list[Problem]:
        """The problems of the selection as a whole."""
        return [] if self.free_disk is None or self.disk <= self.free_disk else [self._short_of_disk(self.free_disk)]

    @property
    def disk(self) -> int:
        """The bytes that the runs may write."""
        return sum(disk_bytes(entry.planned) for entry in self.runs)

    @property
    def free_disk(self) -> int | None:
        """The free disk bytes on the machine of the rehearsals, None if unknown."""
        found = [entry.record.free_disk for entry in self.runs if entry.record and entry.record.free_disk is not None]
        return min(found, default=None)

    @property
    def expected(self) -> Usage:
        """The expected device hours of all runs with an estimate."""
        return Usage.sum(entry.expected for entry in self.runs)

    def to_json(self) -> dict[str, Any]:
        """Return the rehearsal as documented JSON (docs/results.md)."""
        return {
            "scale": self.scale,
            "ok": self.ok,
            "problems": [problem.model_dump() for problem in self.problems],
            "runs": [entry.to_json() for entry in self.runs],
            "totals": {
                "runs": len(self.runs),
                "ok": sum(not entry.problems for entry in self.runs),
                "unknown": sum(_expected_seconds(entry) is None for entry in self.runs),
                "expected": self.expected.to_json(),
                "disk_bytes": self.disk,
                "free_disk": self.free_disk,
            },
        }

    def rows(self) -> list[list[str]]:
        """Return a table row for each run."""
        return [_row(entry) for entry in self.runs]

    def lines(self) -> list[str]:
        """Return one line per problem with the affected runs, and a line with the totals."""
        affected: dict[str, list[str]] = {}
        for entry in self.runs:
            for problem in entry.problems:
                affected.setdefault(str(problem), []).append(entry.planned.run.name)
        wrong = [f"{_names(names, len(self.runs))}: {problem}" for problem, names in affected.items()]
        wrong += [str(problem) for problem in self.problems]
        unknown = sum(_expected_seconds(entry) is None for entry in self.runs)
        without = f", excluding {unknown} without an estimate" if unknown else ""
        total = f"expected cost of all {len(self.runs)}: {str(self.expected) or 'unknown'}{without}"
        good = sum(not entry.problems for entry in self.runs)
        return [*wrong, f"{good} of {len(self.runs)} would complete; {total}"]

    def _short_of_disk(self, free: int) -> Problem:
        what = f"the runs may write {self.disk / GIB:.1f} GiB, {free / GIB:.1f} GiB are free"
        return Problem(part="disk", what=what, mend="choose another --results, or run fewer at a time")


HEADINGS = ("run", "id", "rehearsal", "peak memory", "s/step", "training", "evaluations", "device")


def outcome(scale: str, planned: Sequence[PlannedRun], problems: Mapping[str, Problem]) -> Rehearsing:
    """Return the outcomes of rehearsals; `problems` adds, by run id, problems from outside the records."""
    return Rehearsing(scale, tuple(_rehearsed(entry, problems.get(entry.run.id)) for entry in planned))


def _rehearsed(planned: PlannedRun, problem: Problem | None) -> Rehearsed:
    assert isinstance(planned.directory, RehearsalDirectory)
    try:
        record = planned.directory.record_of_rehearsal()
    except StoreError as error:
        return Rehearsed(planned, None, (Problem(part="record", what=str(error)),))
    if record is not None:
        return Rehearsed(planned, record, (*record.problems, *([problem] if problem else [])))
    return Rehearsed(planned, None, (problem or Problem(part="worker", what="it was not rehearsed"),))


def _row(entry: Rehearsed) -> list[str]:
    run, record = entry.planned.run, entry.record
    verdict = f"{len(entry.problems)} problem{'s' * (len(entry.problems) > 1)}" if entry.problems else "ok"
    if record is None:
        return [run.name, run.id, verdict, "", "", "", "", ""]
    seconds, step = record.expected_seconds, record.step_seconds
    evaluating = sum(each.full_seconds for each in record.evaluations.values())
    ranks = f"{record.world_size} x " if record.world_size > 1 else ""
    return [
        run.name,
        run.id,
        verdict,
        _memory(record),
        f"{step:.3g}" if step is not None else "",
        duration((seconds - evaluating) / SECONDS_PER_HOUR) if seconds is not None else "",
        duration(evaluating / SECONDS_PER_HOUR),
        f"{ranks}{record.device_name}",
    ]


def _memory(record: RehearsalRecord) -> str:
    if record.peak_memory is None:
        return ""
    of = f" of {record.device_memory / GIB:.0f}" if record.device_memory else ""
    return f"{record.peak_memory / GIB:.2f}{of} GiB"


def _expected_seconds(entry: Rehearsed) -> float | None:
    return entry.record.expected_seconds if entry.record else None


def _names(names: Sequence[str], total: int) -> str:
    if len(names) == total > 1:
        return "all runs"
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} runs, such as {names[0]}"
