"""The type of options and arguments that are paths."""

from pathlib import Path
from typing import Any

import click

from harness import environment


class PathType(click.Path):
    """A path. A leading `~` is expanded, since a shell leaves it in `--results=~/mine` and in a variable.

    An empty text is refused: it is an unset variable of a script, and would mean the working folder.
    """

    name = "path"

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises `SpecError` for a `~` without a home folder.
        """
        if isinstance(value, str):
            if not value.strip():
                self.fail("it is empty: give a path, or leave the option out", param, ctx)
            value = environment.expand(value, param.opts[0] if param else "the path")
        return super().convert(value, param, ctx)
