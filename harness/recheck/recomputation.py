"""The way in which a library recomputes numbers of a kind of evaluation.

An evaluation's configuration names a tuple of these as `recomputations`, in the form `module:NAME`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError

FLOAT64 = 1e-12
"""The relative tolerance where both sides are sums in float64."""
LOOSE = 1e-6
"""The relative tolerance of a library that works in float32 or by the square root of a matrix."""


class NotRecomputed(HarnessError):
    """A number cannot be recomputed here: `why`, and the command that `mend`s it, empty if there is none."""

    def __init__(self, why: str, mend: str = "") -> None:
        super().__init__(f"{why}: {mend}" if mend else why)
        self.why, self.mend = why, mend


@dataclass(frozen=True)
class Recomputed:
    """A recomputed number, and the number of its items, which is compared if it is given.

    `rounding` returns a bound on the absolute error that rounding causes in these data. It is called if the relative
    tolerance is exceeded.
    """

    value: float
    n: int | None = None
    rounding: Callable[[], float] = float


class StoredArrays(Protocol):
    """The arrays of an evaluation, each with the hash that its record states."""

    def array(self, name: str) -> NDArray[Any]:
        """Return an array by its name, such as `logits`.

        Raises `NotRecomputed` if it is not here.
        """
        ...

    def reference(self) -> NDArray[np.float32]:
        """Return the features `(n, d)` of the reference split of an evaluation with an `embedding`.

        They come from the cache or are made anew. Raises `NotRecomputed` if they cannot be made, or if their data or
        feature space are not those of the record.
        """
        ...


@dataclass(frozen=True)
class Recomputation:
    """A function of a library that recomputes some quantities.

    `library` is the name of the distribution. `function` takes the evaluation and its `StoredArrays`, and returns the
    numbers by quantity. A quantity may also be a number in the record's details. `quantities` are those that it may
    return; the default is all that no other recomputation of the kind names.
    """

    library: str
    function: Callable[[Any, StoredArrays], Mapping[str, Recomputed]]
    quantities: tuple[str, ...] = ()
    tolerance: float = FLOAT64
