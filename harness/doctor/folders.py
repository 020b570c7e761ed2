"""Checks of the results and data folders: free space, write permission, and what leases need of the file system."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.doctor.check import Check, CheckState, gigabytes
from harness.store.lease import HEARTBEAT_SECONDS

LOW_BYTES = 10**9


def check_results(folder: Path) -> Check:
    """Create, hard-link and timestamp a file in the results folder, as a lease does."""
    check = _check("results", folder, "HARNESS_RESULTS")
    if check.state is CheckState.MISSING:
        return check
    ahead = check.facts["clock_ahead_seconds"]
    if abs(ahead) > HEARTBEAT_SECONDS:
        says = f"{folder}: its clock differs from this machine's by {ahead:+.0f} s, so live workers may be taken "
        says += "for dead; synchronize both by NTP"
        return Check("results", CheckState.DEGRADED, says, facts=check.facts)
    if not check.facts.get("hard_links", True):
        says = f"{check.says}; its file system has no hard links, so leases are created exclusively instead"
        return Check("results", check.state, says, check.mend, check.facts)
    return check


def check_data(folder: Path) -> Check:
    """Write a file in the folder of prepared datasets."""
    return _check("data", folder, "HARNESS_DATA")


def _check(name: str, folder: Path, variable: str) -> Check:
    """Check the nearest existing folder; the others are created when needed."""
    whole = folder.absolute()
    facts: dict[str, Any] = {"path": str(whole)}
    try:
        existing = next(path for path in (whole, *whole.parents) if path.exists())
        facts |= {"free_bytes": shutil.disk_usage(existing).free, **_try(existing)}
    except OSError as error:
        says = f"{folder} cannot be written: {error.strerror or error}"
        mend = f"export {variable}=FOLDER  # a writable one, or --{name} FOLDER"
        return Check(name, CheckState.MISSING, says, mend, facts)
    free = gigabytes(facts["free_bytes"])
    if facts["free_bytes"] < LOW_BYTES:
        return Check(name, CheckState.DEGRADED, f"{folder}: only {free} free", facts=facts)
    return Check(name, CheckState.OK, f"{folder}: {free} free", facts=facts)


def _try(folder: Path) -> dict[str, bool | float]:
    """Write a file, hard-link it, and compare its timestamp with the clock; both files are deleted."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".harness-doctor-") as scratch:
        file = Path(scratch) / "lease"
        file.write_text("written")
        ahead = file.stat().st_mtime - time.time()
        try:
            os.link(file, file.with_suffix(".2"))
        except OSError:
            return {"hard_links": False, "clock_ahead_seconds": ahead}
    return {"hard_links": True, "clock_ahead_seconds": ahead}
