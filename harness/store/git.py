"""Git state of code: tracked files, commit, and uncommitted changes."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SECONDS = 60
REDIRECTIONS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Variables set in git hooks, which would redirect git to another repository."""

COMMIT, BEFORE_THE_FIRST = "# branch.oid ", "(initial)"


@dataclass(frozen=True)
class Tracked:
    """Code tracked by the git repository that contains it.

    `files` are the tracked files in the working tree, and Python files that are neither tracked nor ignored, because
    the others may import them. `commit` is None before the first commit; `dirty` is whether the working tree differs
    from it.
    """

    files: tuple[Path, ...]
    commit: str | None
    dirty: bool | None


@cache
def tracked(path: Path) -> Tracked | None:
    """Return the git state of a folder or a file, None if no repository tracks it.

    A package installed inside a repository without being tracked does not count.
    """
    path = path.resolve()
    folder, pathspec = (path, ".") if path.is_dir() else (path.parent, path.name)
    known = _listed(folder, "--cached", "--recurse-submodules", "--", pathspec)
    if not known:
        return None
    others = _listed(folder, "--others", "--exclude-standard", "--", pathspec)
    fresh = [name for name in others if name.endswith(".py")]
    commit, changed = _head(_root(folder))
    files = (folder / name for name in sorted({*known, *fresh}))
    return Tracked(
        files=tuple(file for file in files if file.is_file()),
        commit=commit,
        dirty=changed or bool(fresh) if commit else None,
    )


def _root(folder: Path) -> Path:
    """Return the nearest folder around `folder` that is the root of a repository, `folder` if none is found."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def forget() -> None:
    """Look at the repositories again when they are needed."""
    tracked.cache_clear()
    _head.cache_clear()


@cache
def _head(root: Path) -> tuple[str | None, bool]:
    """Return the commit of a repository, None before the first one, and whether tracked files differ from it."""
    lines = (_git(root, "status", "--porcelain=v2", "--branch", "--untracked-files=no") or "").splitlines()
    commits = [line.removeprefix(COMMIT) for line in lines if line.startswith(COMMIT)]
    changed = any(not line.startswith("#") for line in lines)
    return next((commit for commit in commits if commit != BEFORE_THE_FIRST), None), changed


def _listed(folder: Path, *arguments: str) -> list[str]:
    return [name for name in (_git(folder, "ls-files", "-z", *arguments) or "").split("\0") if name]


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of git in a folder, None if it fails or is not installed."""
    environment = {name: value for name, value in os.environ.items() if name not in REDIRECTIONS}
    command = ["git", "--literal-pathspecs", *arguments]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None
