"""Commands in messages: they repeat the global options of the command that prints them.

After `harness --results elsewhere run table6`, advice without `--results elsewhere` would speak of other runs.
"""

import shlex
from collections.abc import Sequence

DEFAULT_SCALE = "laptop"
"""The scale of commands without `--scale`."""
_options: tuple[str, ...] = ()


def repeat_options(options: Sequence[str]) -> None:
    """Set the global options that `command` repeats."""
    global _options
    _options = tuple(options)


def command(words: str) -> str:
    """Return a command line of the harness that does what the words say, with the global options in use."""
    return " ".join(("python -m harness", *map(shlex.quote, _options), words))
