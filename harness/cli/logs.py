"""`harness logs`: shows the log of a run."""

import time
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from harness.cli.settings import Settings
from harness.cli.streams import reader_left
from harness.exit_codes import ExitCode

if TYPE_CHECKING:
    from harness.store.run_directory import RunDirectory

FOLLOW_SECONDS = 0.5
BLOCK_BYTES = 65_536
MAX_TAIL_BYTES = 2**24


@click.command("logs")
@click.argument("run")
@click.option("--follow", "-f", is_flag=True, help="Keep printing until the run ends or Ctrl-C.")
@click.option("--lines", type=click.IntRange(0), default=20, show_default=True, help="Last lines to print first.")
@click.pass_obj
def logs_command(settings: Settings, run: str, follow: bool, lines: int) -> int:
    """Show the end of a run's log, from all its workers and ranks.

    RUN is the beginning of a run's id. --follow waits for a run that has not started.

    \b
    Examples:
      python -m harness logs 679901
      python -m harness logs 679901 --follow --lines 100
    """
    from harness.launch.job_status import job_logs, job_statuses

    directory = settings.results.find(run)
    if of_jobs := job_logs(settings.results, directory.id):
        settings.echo(f"logs of its jobs: {', '.join(map(str, of_jobs))}")
    if not follow and not directory.log.exists():
        job = job_statuses(settings.results).get(directory.id)
        settings.echo(f"{directory.run().name} ({directory.id}) has no log yet: {job or 'no worker has started it'}")
        return 0
    try:
        _print(directory, follow, lines)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return 0


def _print(directory: "RunDirectory", follow: bool, lines: int) -> None:
    """Print the last lines and, with `follow`, all further lines until the run ends."""
    while not directory.log.exists() and not _has_ended(directory):
        time.sleep(FOLLOW_SECONDS)
    if not directory.log.exists():
        return
    with _opened(directory.log) as log:
        log.seek(_offset_of_last(directory.log, lines))
        ended = not follow
        while True:
            while text := log.read(BLOCK_BYTES):
                click.echo(text, nl=False)
            if ended:
                return
            # Read once more after the end: lines may have been written since the last read.
            ended = _has_ended(directory) or reader_left()
            time.sleep(0 if ended else FOLLOW_SECONDS)


def _opened(log: Path) -> IO[str]:
    """Open a log for reading.

    Raises `StoreError` if it is a link or anything but a regular file.
    """
    from harness.regular_files import open_unlinked
    from harness.store.files import StoreError

    try:
        return TextIOWrapper(open_unlinked(log), encoding="utf-8", errors="replace")
    except OSError as error:
        raise StoreError(f"cannot read {log}: {error.strerror or error}") from None


def _has_ended(directory: "RunDirectory") -> bool:
    """Return whether no worker will write to the log of a run again.

    A run counts as done from its last record on, but its worker logs until it releases the lease.
    """
    from harness.store.lease import is_leased
    from harness.store.run_directory import RunState

    ended = (RunState.DONE, RunState.FAILED, RunState.CANCELLED, RunState.UNREADABLE)
    return directory.state() in ended and not is_leased(directory.path)


def _offset_of_last(path: Path, lines: int) -> int:
    """Return the byte offset of the last lines of a file, reading only its end, of at most `MAX_TAIL_BYTES`."""
    with open(path, "rb") as file:
        end = begin = file.seek(0, 2)
        tail = b""
        while begin > 0 and tail.count(b"\n") <= lines and len(tail) < MAX_TAIL_BYTES:
            begin = file.seek(max(begin - BLOCK_BYTES, 0))
            tail = file.read(end - len(tail) - begin) + tail
    last = tail.split(b"\n") if not tail.endswith(b"\n") else tail[:-1].split(b"\n")
    kept = b"\n".join(last[len(last) - min(lines, len(last)) :])
    return end - (len(kept) + tail.endswith(b"\n") if lines else 0)
