"""What git knows of a piece of code: the files that it tracks, their commit, and whether they differ from it."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SECONDS = 60
REDIRECTIONS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Variables of git's hooks, which would name another repository than that of the files."""


@dataclass(frozen=True)
class Tracked:
    """Code that git tracks, in the repository of its own files.

    `files` are those that git tracks, as they are in the working tree, and Python files that are neither tracked nor
    ignored, without which the others may not run. `commit` is None before the first one; `dirty` tells whether
    the working tree differs from it.
    """

    files: tuple[Path, ...]
    commit: str | None
    dirty: bool | None


@cache
def tracked(path: Path) -> Tracked | None:
    """Return what git knows of a folder or a file, None where no repository tracks it.

    A package that is installed somewhere inside of a repository does not belong to it.
    """
    path = path.resolve()
    folder, pathspec = (path, ".") if path.is_dir() else (path.parent, path.name)
    known = _listed(folder, "--cached", "--recurse-submodules", "--", pathspec)
    if not known:
        return None
    others = _listed(folder, "--others", "--exclude-standard", "--", pathspec)
    fresh = [name for name in others if name.endswith(".py")]
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    files = (folder / name for name in sorted({*known, *fresh}))
    return Tracked(
        files=tuple(file for file in files if file.is_file()),
        commit=commit.strip() if commit else None,
        dirty=bool(changes or fresh) if commit else None,
    )


def _listed(folder: Path, *arguments: str) -> list[str]:
    return [name for name in (_git(folder, "ls-files", "-z", *arguments) or "").split("\0") if name]


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints in a folder, None where it fails or is not there."""
    environment = {name: value for name, value in os.environ.items() if name not in REDIRECTIONS}
    command = ["git", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
