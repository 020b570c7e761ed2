"""The end of a run's log, which may be long, and which another may have replaced by a link or a FIFO."""

from pathlib import Path

from harness.regular_files import open_unlinked
from harness.store.files import StoreError

TAIL_BYTES = 20_000


def tail_of(log: Path, most: int = TAIL_BYTES) -> str:
    """Return the last bytes of a log as text, "" if there is none.

    Raises `StoreError` if it is a link or cannot be read.
    """
    try:
        with open_unlinked(log) as file:
            file.seek(max(file.seek(0, 2) - most, 0))
            return file.read(most).decode(errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"cannot read {log}: {error.strerror or error}") from None
