"""What was requested: the configuration of a run and its evaluations, each checked against the id that names it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.config.evaluations import Evaluation
from harness.config.run import SEMANTICS, Run, RunConfig, identity
from harness.errors import SpecError, UnknownKindError
from harness.store.documents import parse_json
from harness.store.files import StoreError, corrupted, read_bytes, read_json


class OutdatedError(StoreError):
    """A run was written by another version of the code. It is kept, but never reused by this version."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is from another version of this code ({why}); it is kept, 'run' starts a new one")


class ForeignError(StoreError):
    """A run needs a kind of a package that is not installed. The run is intact and readable with that package."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.why = why


def read_config(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the name of a run and its configuration as plain JSON.

    Raises `StoreError` if the configuration does not match the id of the run, the name of its folder.
    """
    document = read_json(path)
    stored = document.get("config") if isinstance(document, dict) else None
    if not isinstance(stored, dict) or not isinstance(document.get("name"), str):
        raise corrupted(path, "name or configuration is missing")
    if identity(stored) != path.parent.name:
        raise corrupted(path, "the configuration does not match the folder's id")
    return document["name"], stored


def read_run(path: Path) -> Run:
    """Read the run of a configuration.

    Raises `StoreError` if the configuration does not match the folder's id, `ForeignError` if it needs a kind that is
    not installed, and `OutdatedError` if this version of the code gives it another id.
    """
    folder = path.parent
    name, stored = read_config(path)
    try:
        run = Run(name, RunConfig(**stored))
    except UnknownKindError as error:
        raise ForeignError(folder, str(error)) from None
    except SpecError as error:
        raise OutdatedError(folder, str(error)) from None
    if run.config.semantics != SEMANTICS:
        raise OutdatedError(folder, f"semantics {run.config.semantics}, {SEMANTICS} now")
    if run.id != folder.name:
        raise OutdatedError(folder, f"the same fields are {run.id} now")
    return run


def read_request(path: Path) -> Evaluation | None:
    """Return a requested evaluation, None if it has another id in this version of the code.

    Raises `StoreError`, naming the file to delete, if it is damaged.
    """
    try:
        return _requested(read_bytes(path), path.stem)
    except ValueError as error:
        raise corrupted(path, str(error)) from None


@lru_cache(maxsize=1024)
def _requested(content: bytes, name: str) -> Evaluation | None:
    """Return the evaluation with this name, None if it has another id now. Cached, since runs share most of them.

    Raises `ValueError` if the content does not match the name.
    """
    stored = parse_json(content)
    if not isinstance(stored, dict) or name != Evaluation.id_of_stored(stored):
        raise ValueError("the evaluation does not match the file name")
    try:
        evaluation: Evaluation = Evaluation.read(stored)
    except SpecError:
        return None
    return evaluation if evaluation.id == name else None
