"""Resumable downloads, moved into place only after their hash is verified."""

import os
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from harness import __version__
from harness.data.errors import DataError
from harness.data.originals.archive import compare
from harness.data.prepared.blocks import Report
from harness.data.prepared.prepare import exclusive_lock
from harness.data.registry import Archive
from harness.store.files import writing

TIMEOUT_SECONDS = 60
PIECE = 2**18


def download(archive: Archive, folder: Path, report: Report) -> Path:
    """Download an archive into a folder, resuming a partial download, and return its path.

    Raises `DataError` if the connection fails (the next call resumes), or if the file is not the archive (it is
    deleted).
    """
    path = folder / archive.name
    part = path.with_name(f"{archive.name}.part")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    waiting = f"waiting for another process that downloads {archive.name}"
    with exclusive_lock(folder / f".{archive.name}.lock", lambda: report(waiting, 0, 0)):
        if not path.exists():
            _fetch(archive, part, report)
            _, complaint = compare(archive, part, report)
            if complaint:
                part.unlink()
                raise DataError(f"{archive.url} sent a different file, which was deleted: {complaint}")
            with writing(path):
                os.replace(part, path)
    return path


def _fetch(archive: Archive, part: Path, report: Report) -> None:
    """Append the missing bytes to `part`."""
    assert archive.size is not None
    have = part.stat().st_size if part.exists() else 0
    if have >= archive.size:
        return
    headers = {"User-Agent": f"harness/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = Request(archive.url, headers=headers)  # noqa: S310 (addresses are in the source)
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            resumes = response.status == HTTPStatus.PARTIAL_CONTENT
            if resumes and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                raise DataError(f"{archive.url} sent another range than requested: delete {part} and try again")
            have = have if resumes else 0
            with writing(part):
                file = open(part, "ab" if resumes else "wb")  # noqa: SIM115 (closed below)
            with file:
                while have <= archive.size and (piece := response.read(PIECE)):
                    with writing(part):
                        file.write(piece)
                    have += len(piece)
                    report(f"downloading {archive.name}", have, archive.size)
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
        raise _failure(archive, f"{error.code} {error.reason}") from None
    except (HTTPException, OSError) as error:
        raise _failure(archive, str(getattr(error, "reason", "") or error) or type(error).__name__) from None
    if have < archive.size:
        raise _failure(archive, f"the connection ended after {have:,} of {archive.size:,} bytes")


def _failure(archive: Archive, why: str) -> DataError:
    return DataError(
        f"cannot download {archive.url}: {why}; run the same command again to resume, or get the file with a browser "
        f"and pass its folder with --from"
    )
