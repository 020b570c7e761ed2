"""The results directory: run directories, reports and the cache, at fixed paths below one root."""

from functools import cached_property
from pathlib import Path

from harness.config.run import Run
from harness.errors import SpecError, unknown
from harness.store.decisions import Decision, decisions
from harness.store.names import RUN, named
from harness.store.reader import Reader
from harness.store.run_directory import RunDirectory


class Results:
    """A results directory: run directories under `runs/`, reports under `report/`, shared features under `cache/`.

    `superseded/` holds earlier directories of restarted runs. `label` is the name in titles of results that are not the
    user's own; their reports are written elsewhere.
    """

    def __init__(self, root: Path, report: Path | None = None, label: str = "") -> None:
        self.root = root
        self.runs = root / "runs"
        self.report = report or root / "report"
        self.cache = root / "cache"
        self.superseded = root / "superseded"
        self.label = label

    @cached_property
    def reader(self) -> Reader:
        """A cached reader of the records. To see later changes, create another `Results`."""
        return Reader(self.runs)

    def most_seeds(self, paper: str, scale: str) -> int | None:
        """Return the largest number of seeds by which a paper's claims are decided at a scale, None if it was fixed.

        Raises `StoreError` if the record of a decision is damaged.
        """
        found = (one.most_seeds for one in self.decisions if one.scale == scale and paper in one.papers)
        return max(found, default=None)

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions that are recorded."""
        return tuple(decisions(self.root))

    def directory(self, run: Run) -> RunDirectory:
        """Return the directory of a run, which may not exist."""
        return RunDirectory(self.runs / run.id)

    def all(self) -> list[RunDirectory]:
        """Return all run directories, sorted by id."""
        return [run for run in map(RunDirectory, named(self.runs, RUN)) if run.config.exists()]

    def find(self, prefix: str) -> RunDirectory:
        """Return the run with an id that starts with `prefix`.

        Raises `SpecError` unless exactly one matches.
        """
        everything = {directory.id: directory for directory in self.all()}
        matches = [id for id in everything if id.startswith(prefix)]
        if len(matches) > 1:
            raise SpecError(f"'{prefix}' matches several runs: {', '.join(matches)}")
        if not everything:
            raise SpecError(f"unknown run '{prefix}': {self.root} contains no runs")
        if not matches:
            raise unknown("run", prefix, everything)
        return everything[matches[0]]
