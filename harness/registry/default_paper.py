"""The default paper, which a bare name such as `table6` refers to."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from harness import environment
from harness.errors import SpecError
from harness.regular_files import read_regular

VARIABLE = "HARNESS_PAPER"
FALLBACK = "hybvit"
FILE = "pyproject.toml"


@dataclass(frozen=True)
class DefaultPaper:
    """The name of the default paper, and a note on where it was set, empty if it was not."""

    name: str
    origin: str = ""


def default_paper() -> DefaultPaper:
    """Return the default paper: from the environment, else the nearest `pyproject.toml`, else `hybvit`.

    An empty environment variable counts as unset. Raises `SpecError` if the file cannot be read.
    """
    if name := (environment.text(VARIABLE) or "").strip():
        return DefaultPaper(name, f" (set by the environment variable {VARIABLE})")
    for folder in (here := Path.cwd(), *here.parents):
        if (path := folder / FILE).is_file():
            return _named_in(path)
    return DefaultPaper(FALLBACK)


def _named_in(path: Path) -> DefaultPaper:
    try:
        table = tomllib.loads(read_regular(path).decode("utf-8-sig")).get("tool", {}).get("harness", {})
        name = table.get("paper", "")
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        why = str(error).partition("; use sys.")[0]
        raise SpecError(f"{path}: cannot read the default paper: {why}; fix the file or set {VARIABLE}") from None
    if not isinstance(name, str):
        raise SpecError(f"{path}: [tool.harness] paper = {name!r} is not a paper name")
    return DefaultPaper(name, f" (set by [tool.harness] paper in {path})") if name else DefaultPaper(FALLBACK)
