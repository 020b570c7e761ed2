"""Rehearsals of a plan: what is to be rehearsed, and what the records say of the whole selection."""

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
    """A distinct run that is to be rehearsed: it has a directory of its own, away from the run's."""

    worker_command: ClassVar[str] = "worker-preflight"


def rehearsals_of(plan: Plan, results: Results) -> list[PlannedRehearsal]:
    """Return the rehearsals of all distinct runs of a plan, done or not, the most expensive first."""
    places = Rehearsals(results.root)
    planned = [
        PlannedRehearsal(entry.run, places.directory(entry.run), entry.gpu_hours, entry.exhibits, entry.evaluations)
        for entry in plan.runs
    ]
    return sorted(planned, key=lambda entry: -entry.run.train_flops)


@dataclass(frozen=True)
class Rehearsed:
    """How a run's rehearsal went; without a record, `problems` say why there is none."""

    planned: PlannedRun
    record: RehearsalRecord | None
    problems: tuple[Problem, ...]

    @property
    def expected(self) -> Usage:
        """The device hours that the whole run is expected to take."""
        seconds = self.record.expected_seconds if self.record else None
        if self.record is None or seconds is None:
            return Usage()
        value = seconds * self.record.world_size / SECONDS_PER_HOUR
        return Usage(gpu_hours=value) if self.record.on_gpu else Usage(core_hours=value)

    def to_json(self) -> dict[str, Any]:
        """Return it in the documented shape."""
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
    """How the rehearsals of a selection went, the most expensive first. All runs are counted, done ones too."""

    scale: str
    runs: tuple[Rehearsed, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing would have gone wrong."""
        return not self.problems and not any(entry.problems for entry in self.runs)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with all of them together."""
        return [] if self.free_disk is None or self.disk <= self.free_disk else [self._short_of_disk(self.free_disk)]

    @property
    def disk(self) -> int:
        """The bytes that the runs may still come to write."""
        return sum(disk_bytes(entry.planned) for entry in self.runs)

    @property
    def free_disk(self) -> int | None:
        """The bytes that were free where they were rehearsed, None where nothing tells."""
        found = [entry.record.free_disk for entry in self.runs if entry.record and entry.record.free_disk is not None]
        return min(found, default=None)

    @property
    def expected(self) -> Usage:
        """The device hours of all runs that have an expectation."""
        return Usage.sum(entry.expected for entry in self.runs)

    def to_json(self) -> dict[str, Any]:
        """Return it in the documented shape."""
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
        """Return a line of a table for each run."""
        return [_row(entry) for entry in self.runs]

    def lines(self) -> list[str]:
        """Return what is wrong, each on a line with the runs that it concerns, and what all runs come to."""
        concerned: dict[str, list[str]] = {}
        for entry in self.runs:
            for problem in entry.problems:
                concerned.setdefault(str(problem), []).append(entry.planned.run.name)
        wrong = [f"{_names(names, len(self.runs))}: {problem}" for problem, names in concerned.items()]
        wrong += [str(problem) for problem in self.problems]
        unknown = sum(_expected_seconds(entry) is None for entry in self.runs)
        without = f", without {unknown} that did not get so far" if unknown else ""
        total = f"expected of all {len(self.runs)}: {str(self.expected) or 'nothing known'}{without}"
        good = sum(not entry.problems for entry in self.runs)
        return [*wrong, f"{good} of {len(self.runs)} would run to their end; {total}"]

    def _short_of_disk(self, free: int) -> Problem:
        what = f"the runs may write {self.disk / GIB:.1f} GiB, {free / GIB:.1f} GiB are free"
        return Problem(part="disk", what=what, mend="another --results, or fewer runs at a time")


HEADINGS = ("run", "id", "rehearsal", "peak memory", "s/step", "training", "evaluations", "device")


def outcome(scale: str, planned: Sequence[PlannedRun], problems: Mapping[str, Problem]) -> Rehearsing:
    """Return how rehearsals went; `problems` says, by the run's id, what no record can: why there is none, say."""
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
