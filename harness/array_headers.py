"""Headers of `.npy` files."""

from typing import IO, Any

import numpy as np
from numpy.lib import format as npy


def read_array_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return the shape, whether the order is Fortran's, and the dtype of the array that follows in a file.

    Executes nothing. Raises `ValueError` unless the file is a `.npy` file of format 1.0 or 2.0, and `OSError` if it
    cannot be read.
    """
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"it is not an array of format 1.0 or 2.0, but of {version[0]}.{version[1]}")
    try:
        return npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)
    except OSError:
        raise
    except Exception:  # NumPy parses the header as Python source, which fails in many ways
        raise ValueError("its header is not one of an array") from None
