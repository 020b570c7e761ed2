"""The results directory: run directories, reports and the cache, at fixed places below one root."""

from functools import cached_property
from pathlib import Path

from harness.config.run import Run
from harness.errors import SpecError, unknown
from harness.store.reader import Reader
from harness.store.run_directory import RunDirectory


class Results:
    """A results directory: run directories under `runs/`, reports under `report/`, shared features under `cache/`.

    `superseded/` has earlier directories of runs that were begun anew. `label` is what titles call results that are
    not the user's own, whose reports are written elsewhere.
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
        """What the records say, each file read once: what comes later is seen by another `Results`."""
        return Reader(self.runs)

    def directory(self, run: Run) -> RunDirectory:
        """Return the directory of a run, whether it exists or not."""
        return RunDirectory(self.runs / run.id)

    def all(self) -> list[RunDirectory]:
        """Return every run directory, in the order of identities."""
        return [RunDirectory(path.parent) for path in sorted(self.runs.glob("*/config.json"))]

    def find(self, prefix: str) -> RunDirectory:
        """Return the one run whose identity begins with `prefix`.

        Raises `SpecError` when none or several do.
        """
        everything = {directory.id: directory for directory in self.all()}
        matches = [id for id in everything if id.startswith(prefix)]
        if len(matches) > 1:
            raise SpecError(f"'{prefix}' begins several runs: {', '.join(matches)}")
        if not matches:
            raise unknown("run", prefix, everything)
        return everything[matches[0]]
