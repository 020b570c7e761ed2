"""Reads pickles of image batches without executing code from them.

A pickle is a program. Its opcodes are restricted to those needed for a dictionary of lists, strings, numbers and one
array. A placeholder class records the array's bytes, because NumPy's own reconstruction trusts any memory layout that
the pickle describes.
"""

import io
import pickle
import pickletools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.errors import DataError, damaged

NAMES = """
PROTO STOP MARK BINPUT LONG_BINPUT BINGET LONG_BINGET
NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 BINSTRING SHORT_BINSTRING
EMPTY_DICT DICT SETITEM SETITEMS EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
GLOBAL REDUCE BUILD
"""
INSTRUCTIONS = frozenset(NAMES.split())


class _Recorded:
    """Records the constructor arguments and state of an unpickled object, without interpreting them."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Recorded):
    """An unvalidated array."""


class _DType(_Recorded):
    """An unvalidated dtype."""


ALLOWED = {
    "numpy.core.multiarray _reconstruct": _Array,
    "numpy ndarray": _Array,
    "numpy dtype": _DType,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return ALLOWED[f"{module} {name}"]


def load_batch(content: bytes, where: str) -> dict[bytes, Any]:
    """Return the dictionary in a Python 2 pickle, with strings as bytes.

    Raises `DataError` for a damaged pickle, or one with any other content.
    """
    try:
        for instruction, argument, _ in pickletools.genops(content):
            if instruction.name == "GLOBAL" and argument not in ALLOWED:
                raise DataError(f"{where} is a pickle that wants to use '{argument}': refused, nothing was executed")
            if instruction.name not in INSTRUCTIONS:
                raise DataError(f"{where} is a pickle with the instruction {instruction.name}: refused")
            if instruction.name == "LONG_BINPUT" and int(argument or 0) > len(content):
                raise DataError(f"{where} is a pickle that reserves too much memory: refused")
        batch = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can fail in any way
        raise damaged(where, error) from None
    if not isinstance(batch, dict):
        raise DataError(f"{where} is not a dictionary")
    return batch


def rows(value: Any, width: int, where: str) -> NDArray[np.uint8]:
    """Validate an unpickled array and return it as `(n, width)` uint8.

    Raises `DataError` if it is anything else.
    """
    match value:
        case _Array(state=(int(), (int(count), int(found)), _DType(arguments=(b"u1", *_)), fortran, bytes(content))):
            if found == width and len(content) == count * width > 0:
                pixels = np.frombuffer(content, np.uint8)
                return pixels.reshape(width, count).T if fortran else pixels.reshape(count, width)
            raise DataError(f"{where} holds an array of {count} x {found} in {len(content)} bytes, not rows of {width}")
    raise DataError(f"{where} holds no rows of bytes")
