"""Turns errors into problems: one line for people, and the fix."""

from pathlib import Path

import torch

from harness.advice import command
from harness.errors import HarnessError, MissingRequirement
from harness.store.rehearsals import Problem
from harness.training.device import device_name
from harness.worker.ownership import one_line

GIB = 2**30
ALLOCATOR = "not enough memory"
"""Part of the message of torch's RuntimeError when CPU memory is exhausted."""


def diagnose(part: str, error: Exception, device: torch.device, log: Path) -> Problem:
    """Return the problem behind an error, with the command or change that fixes it."""
    match error:
        case torch.OutOfMemoryError():
            total = torch.cuda.get_device_properties(device).total_memory / GIB
            what = f"out of memory on {device_name(device)} with {total:.0f} GiB"
            mend = "more ranks (--nproc-per-node), less precision (--scale paper-bf16), or a larger GPU"
            return Problem(part=part, what=what, mend=mend)
        case MemoryError():
            return Problem(part=part, what="out of memory", mend="more memory, or fewer runs side by side (--workers)")
        case RuntimeError() if ALLOCATOR in str(error) or "can't allocate memory" in str(error):
            return Problem(part=part, what="out of memory", mend="more memory, or fewer runs side by side (--workers)")
        case MissingRequirement():
            return Problem(part=part, what=error.what, mend=error.how)
        case HarnessError():
            return Problem(part=part, what=one_line(error))
        case ImportError():
            return Problem(part=part, what=one_line(error), mend=command("doctor"))
        case _:
            return Problem(part=part, what=one_line(error), mend=f"see {log}")
