"""Runs that cannot be shown: of another version of the code, or of a package that is not installed here."""

from collections.abc import Iterator

from harness.store.files import StoreError
from harness.store.results import Results
from harness.store.run_directory import ForeignError, OutdatedError, RunDirectory

MOST = 3


def skipped_runs(results: Results) -> Iterator[str]:
    """Yield a sentence on outdated runs, and one on runs that need other kinds; none where there are none."""
    outdated, foreign = list[RunDirectory](), dict[RunDirectory, str]()
    everything = results.all()
    for directory in everything:
        try:
            directory.run()
        except OutdatedError:
            outdated.append(directory)
        except ForeignError as error:
            foreign[directory] = error.why
        except StoreError:  # a damaged run is named where it is looked for
            continue
    if outdated:
        commits = sorted({commit[:9] for directory in outdated for commit in _commits(directory)})
        where = f"; commit {', '.join(commits)} shows them" if commits else ""
        count = f"{len(outdated)} of {len(everything)} runs"
        yield f"{count} are of another version of this code and left aside ({_names(outdated)}){where}"
    if foreign:
        count, why = f"{len(foreign)} of {len(everything)} runs", next(iter(foreign.values()))
        yield f"{count} are left aside ({_names(list(foreign))}): {why}"


def _names(directories: list[RunDirectory]) -> str:
    return ", ".join(directory.id for directory in directories[:MOST]) + (", ..." if len(directories) > MOST else "")


def _commits(directory: RunDirectory) -> set[str]:
    try:
        return {segment.commit for segment in directory.all_segments() if segment.commit}
    except StoreError:
        return set()
