"""Units of profiles: time limits, sizes of memory, and requests for GPUs, as SLURM reads them."""

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

MAX_GPUS = 9999
MEGABYTES = {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}


def minutes(value: Any) -> int:
    """Return a time limit in minutes, rounded up: `90`, `12:00:00`, `2-12`, or `2-00:00:00` as SLURM reads them.

    Raises `ValueError` for other forms, and for 0, by which SLURM means no limit.
    """
    match = re.fullmatch(r"(?:(\d{1,9})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?", str(value).strip(), re.ASCII)
    if match is None:
        raise ValueError("write minutes, HH:MM:SS or D-HH:MM:SS")
    days, first, second, third = (int(part) if part else 0 for part in match.groups())
    if match[1]:
        seconds = ((24 * days + first) * 60 + second) * 60 + third
    elif match[4]:
        seconds = (60 * first + second) * 60 + third
    else:
        seconds = 60 * first + second
    if not seconds:
        raise ValueError("0 is no limit, and jobs need one: write minutes, HH:MM:SS or D-HH:MM:SS")
    return math.ceil(seconds / 60)


def megabytes(value: Any) -> int:
    """Return a size in megabytes, rounded up: `64G`, `4000M`, or `4000` as SLURM reads them.

    Raises `ValueError` for other forms, and for 0, by which SLURM means all memory of a node.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)([KMGT]?)B?", str(value).strip().upper(), re.ASCII)
    if match is None:
        raise ValueError("write a size such as 64G or 4000M")
    size = math.ceil(float(match[1]) * MEGABYTES[match[2] or "M"])
    if not size:
        raise ValueError(
            "write a size above 0; for all memory of a node, leave it out and put 'mem = 0' under [sbatch]"
        )
    return size


def gpu_request(value: Any) -> str | int:
    """Return GPUs per node as sbatch takes them: a number, a type, or both, as in `a100:4`.

    Raises `ValueError` for anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_GPUS:
        return value
    if isinstance(value, str) and re.fullmatch(r"([A-Za-z][\w.-]*:)?\d{1,4}|[A-Za-z][\w.-]*", value, re.ASCII):
        return value
    raise ValueError("write a number such as 4, or a type and a number such as a100:4")


Gpus = Annotated[str | int, BeforeValidator(gpu_request)]
Minutes = Annotated[int, BeforeValidator(minutes)]
Megabytes = Annotated[int, BeforeValidator(megabytes), PlainSerializer(lambda size: f"{size}M", when_used="json")]
