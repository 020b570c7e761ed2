"""Runs that cannot be shown: from another version of the code, or of a package that is not installed."""

from collections.abc import Iterator

from harness.store.files import StoreError
from harness.store.requests import ForeignError, OutdatedError
from harness.store.results import Results
from harness.store.run_directory import RunDirectory

MAX_NAMES = 3


def skipped_runs(results: Results) -> Iterator[str]:
    """Yield a sentence on outdated runs and one on runs with kinds that are not installed, if there are any."""
    outdated, foreign = list[RunDirectory](), dict[RunDirectory, str]()
    everything = results.all()
    for directory in everything:
        try:
            directory.run()
        except OutdatedError:
            outdated.append(directory)
        except ForeignError as error:
            foreign[directory] = error.why
        except StoreError:  # readers report damaged runs
            continue
    if outdated:
        commits = sorted({commit[:9] for directory in outdated for commit in _commits(directory)})
        where = f"; to show them, check out commit {', '.join(commits)}" if commits else ""
        count = f"{len(outdated)} of {len(everything)} runs"
        yield f"{count} are from another version of this code and skipped ({_names(outdated)}){where}"
    if foreign:
        count, why = f"{len(foreign)} of {len(everything)} runs", next(iter(foreign.values()))
        yield f"{count} are skipped ({_names(list(foreign))}): {why}"


def _names(directories: list[RunDirectory]) -> str:
    return ", ".join(directory.id for directory in directories[:MAX_NAMES]) + (
        ", ..." if len(directories) > MAX_NAMES else ""
    )


def _commits(directory: RunDirectory) -> set[str]:
    try:
        return {segment.commit for segment in directory.all_segments() if segment.commit}
    except StoreError:
        return set()
