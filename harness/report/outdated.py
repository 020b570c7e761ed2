"""Runs of another version of the code: they are named, and never shown as if they were of this one."""

from harness.store.files import StoreError
from harness.store.run_directory import OutdatedError, Results, RunDirectory

MOST = 3


def outdated(results: Results) -> str:
    """Return a sentence on the runs whose configurations mean something else to this version; empty for none."""
    found = [directory for directory in results.all() if _is_outdated(directory)]
    if not found:
        return ""
    names = ", ".join(directory.id for directory in found[:MOST]) + (", ..." if len(found) > MOST else "")
    commits = sorted({commit[:9] for directory in found for commit in _commits(directory)})
    where = f"; commit {', '.join(commits)} shows them" if commits else ""
    return (
        f"{len(found)} of {len(results.all())} runs are of another version of this code and left aside ({names}){where}"
    )


def _is_outdated(directory: RunDirectory) -> bool:
    try:
        directory.run()
    except OutdatedError:
        return True
    return False


def _commits(directory: RunDirectory) -> set[str]:
    try:
        return {segment.commit for segment in directory.all_segments() if segment.commit}
    except StoreError:
        return set()
