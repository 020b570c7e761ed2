"""The runs behind a page, grouped by configuration: all seeds of one form a group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.report.html.details import DetailLimits, details
from harness.report.results.report import ExhibitReport
from harness.report.results.stand_ins import data_of
from harness.store.results import Results
from harness.store.run_directory import RunDirectory
from harness.store.usage import Usage

MOST_RUNS = 300
"""The maximum number of runs with details on one page, so that the page can be mailed."""
MOST_SEEDS = 5
SAMPLE_BYTES = 4_000_000
LARGEST_SHEET = 120_000


@dataclass
class RunGroup:
    """The runs of one configuration: their name, dataset and exhibits, and their ids by seed."""

    name: str
    data: str
    first: str
    exhibits: dict[str, None] = field(default_factory=dict)
    seeds: dict[int, str] = field(default_factory=dict)
    usage: dict[str, Usage] = field(default_factory=dict)

    @property
    def cost(self) -> str:
        """The cost of its runs so far."""
        return str(Usage.sum(self.usage.values()))


class RunIndex:
    """The groups of runs behind some reports, in the order of the reports."""

    def __init__(self, reports: Sequence[ExhibitReport]) -> None:
        self.groups: dict[str, RunGroup] = {}
        for report in reports:
            self._add(report)

    def _add(self, report: ExhibitReport) -> None:
        first = {}
        for row in report.rows:
            if row.row.run is None:
                continue
            run = report.scale.shrink(row.row.run)
            group = self.groups.setdefault(
                run.id, RunGroup(row.row.run.name, str(data_of(row.row.run, report.scale)), run.id)
            )
            group.exhibits[report.exhibit.name] = None
            if run.id in report.usage:
                group.usage[run.id] = report.usage[run.id]
            first[row.row.key] = group
        for (key, _, _), found in report.series.items():
            first[key].seeds.update(zip(found.seeds, found.runs, strict=True))
        for group in first.values():
            group.usage.update((run, report.usage[run]) for run in group.seeds.values() if run in report.usage)

    @property
    def measured(self) -> list[str]:
        """The ids of all runs with a measured value."""
        return list(dict.fromkeys(run for group in self.groups.values() for run in group.seeds.values()))

    def in_detail(self) -> Iterator[str]:
        """Yield the ids of the runs that get details: the first seeds of all groups, then the second, and so on."""
        found: dict[str, None] = {}
        for seed in range(MOST_SEEDS):
            for group in self.groups.values():
                run = group.seeds.get(seed, group.first if seed == 0 else None)
                if run is not None:
                    found[run] = None
        yield from list(found)[:MOST_RUNS]

    def details(self, results: Results) -> dict[str, dict[str, Any]]:
        """Return the details of runs by id, with pictures of samples until `SAMPLE_BYTES` are used up."""
        found, room = {}, SAMPLE_BYTES
        for run in self.in_detail():
            known = details(RunDirectory(results.runs / run), DetailLimits(samples=min(LARGEST_SHEET, room)))
            if known is None:
                continue
            found[run] = known
            if known["samples"] and known["samples"]["src"]:
                room -= len(known["samples"]["src"])
        return found
