"""Decisions: who adds seeds until claims are decided, by which plan, and the rounds so far.

`RESULTS/decisions/` has a record for each. The rounds are written before their runs start, so that a command that was
killed, or started twice, goes on with the same ones. Reports read the largest number of seeds, which sets the level of
their intervals.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from harness.store.files import DamagedError, StoreError, corrupted
from harness.store.names import named
from harness.store.records import Record

FOLDER = "decisions"
MEND = "put a copy in its place; if it is deleted, reports decide claims by shorter intervals"
ID = re.compile(r"[0-9a-f]{12}")
FILE = re.compile(rf"{ID.pattern}\.json")
Seed = Annotated[int, Field(ge=0, le=10**6)]


class DamagedDecisionError(StoreError):
    """The record of a decision does not have the expected content."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"damaged decision {path}: {why}; {MEND}")


class RowSeed(Record):
    """A seed of a row; `exhibit` is the full name, such as `hybvit/table6`."""

    exhibit: str
    row: str
    seed: Seed


class Round(Record):
    """The seeds that were added at the same time, after a look at those before."""

    added: tuple[RowSeed, ...]


class Decision(Record):
    """A plan by which seeds are added, and its rounds.

    `exhibits`, `rows` and `also` select cells as on the command line; `papers` are the names of their papers. The first
    round has `seeds` seeds of every row, and no row gets more than `most_seeds`. `budget` is the number of device hours
    that all later rounds may take, None without a limit. A decision without rounds says that seeds were added by hand.
    """

    version: Literal[1] = 1
    papers: tuple[str, ...]
    scale: str
    exhibits: tuple[str, ...]
    rows: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    seeds: Annotated[int, Field(ge=1, le=10**6)] = 1
    most_seeds: Annotated[int, Field(ge=1, le=10**6)]
    budget: Annotated[float, Field(ge=0)] | None = None
    rounds: tuple[Round, ...] = ()

    @property
    def id(self) -> str:
        """The name of the record: the first 12 digits of the SHA-256 of the plan, without its rounds."""
        plan = self.model_dump(mode="json", exclude={"rounds"})
        return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:12]


def path_of(root: Path, id: str) -> Path:
    """Return the path of a decision in a results directory."""
    return root / FOLDER / f"{id}.json"


def decisions(root: Path) -> Iterator[Decision]:
    """Yield the decisions of a results directory.

    Raises `StoreError`, naming the file, if one is damaged: without it, reports would have another level.
    """
    for path in named(root / FOLDER, FILE):
        yield load(root, path.stem)


def load(root: Path, id: str) -> Decision:
    """Return a decision of a results directory.

    Raises `DamagedDecisionError` if its record is damaged or that of another decision, and `FileNotFoundError` if there
    is none.
    """
    path = path_of(root, id)
    try:
        decision = Decision.load(path)
        if decision.id != id:
            raise corrupted(path, f"it is decision {decision.id}")
    except DamagedError as error:
        raise DamagedDecisionError(path, error.why) from None
    return decision
