"""Squared Euclidean distances between points: in float64, and twice as fast in float32 with an error bound.

`float64_block` defines the distances. Like every product of matrices it rounds, so that equal points may be a little
apart. `float32_block` and `distances_of_pairs` differ from it by at most the bounds that come with them. Their symbols:
u and U are half the precision of float64 and float32, d the number of features, and R the sum of the lengths of two
points. In any order, a sum of n products has a relative error of at most n u / (1 - n u) (Higham 2002, section 3.1).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_ELEMENTS = 2**23
"""The number of distances in a block."""
ROWS = 100
"""Rows converted at a time."""
U32, U64 = 2.0**-24, 2.0**-53
SLACK = 1.01
"""Covers terms of second order, and the rounding of the bounds themselves."""
MODERATE = 2.0**400
"""Beyond this length, or below its reciprocal, squares may overflow or underflow in float64."""


@dataclass(frozen=True)
class Points:
    """A set of points `(n, d)`, and a float32 copy about a centre, scaled by a power of two.

    Sets that are compared share centre and scale. `lengths` and `reaches` `(n,)` are the lengths of the points as they
    are, and about the centre and scaled. If squares may overflow or underflow in float64, lengths and so all bounds are
    infinite.
    """

    stored: NDArray[np.floating]
    lengths: NDArray[np.float64]
    copies: NDArray[np.float32]
    reaches: NDArray[np.float64]
    scale: float

    def __len__(self) -> int:
        return len(self.stored)


def comparable(*sets: NDArray[np.floating]) -> tuple[Points, ...]:
    """Return sets of features `(n, d)` as points with a common centre and scale."""
    with np.errstate(all="ignore"):
        centre = np.mean([points.mean(axis=0, dtype=np.float64) for points in sets], axis=0)
        lengths = [np.concatenate([_lengths(part.astype(np.float64)) for part in _parts(points)]) for points in sets]
        farthest = np.linalg.norm(centre) + np.max(np.concatenate(lengths))
        if not 1 / MODERATE < farthest < MODERATE:
            return tuple(map(_unbounded, sets))
        scale = float(2.0 ** -np.ceil(np.log2(farthest)))
        return tuple(_points(points, length, centre, scale) for points, length in zip(sets, lengths))


def _points(
    stored: NDArray[np.floating], lengths: NDArray[np.float64], centre: NDArray[np.float64], scale: float
) -> Points:
    copies, reaches = np.empty(stored.shape, dtype=np.float32), np.empty(len(stored))
    for part, copy, reach in zip(_parts(stored), _parts(copies), _parts(reaches)):
        centred = part - centre
        centred *= scale
        copy[:], reach[:] = centred, _lengths(centred)
    return Points(stored, lengths, copies, reaches, scale)


def _unbounded(stored: NDArray[np.floating]) -> Points:
    lengths = np.full(len(stored), np.inf)
    return Points(stored, lengths, np.zeros(stored.shape, dtype=np.float32), np.zeros(len(stored)), 1.0)


def _parts(array: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    for start in range(0, len(array), ROWS):
        yield array[start : start + ROWS]


def _lengths(points: NDArray[np.floating]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", points, points))
    return lengths


def blocks(a: Points, b: Points) -> Iterator[slice]:
    """Yield the rows of `a` whose distances to all of `b` form a block."""
    step = max(1, BLOCK_ELEMENTS // len(b))
    for start in range(0, len(a), step):
        yield slice(start, min(start + step, len(a)))


def float64_block(a: Points, b: Points, rows: slice) -> NDArray[np.float64]:
    """Return the squared distances of rows of `a` to every row of `b`. Their bits depend on the rows of the block."""
    others = b.stored.astype(np.float64, copy=not b.stored.flags.c_contiguous)
    part = others[rows] if a is b else _wide(a.stored, rows)  # for a view of its operand NumPy uses another product
    product = part @ others.T
    product *= 2
    distances = _sums_of_squares(part)[:, None] + _sums_of_squares(others)
    distances -= product
    return distances.clip(min=0, out=distances)


def _wide(points: NDArray[np.floating], rows: slice) -> NDArray[np.float64]:
    """Return rows in float64 with the strides that they have among all: products and sums depend on strides."""
    return points[rows].astype(np.float64) if points.flags.c_contiguous else points.astype(np.float64)[rows]


def _sums_of_squares(points: NDArray[np.float64]) -> NDArray[np.float64]:
    parts = _parts(points) if points.flags.c_contiguous else (points,)
    return np.concatenate([(part**2).sum(axis=1) for part in parts])


def float32_block(a: Points, b: Points, rows: slice, columns: slice) -> NDArray[np.float32]:
    """Return approximate squared distances of rows of `a` to rows of `b`, times the square of the scale."""
    block = (-2 * a.copies[rows]) @ b.copies[columns].T
    block += (a.reaches[rows] ** 2).astype(np.float32)[:, None]
    block += (b.reaches[columns] ** 2).astype(np.float32)
    return block


def float32_errors(a: Points, b: Points) -> NDArray[np.float64]:
    """Return a bound on |`float32_block` - scale^2 `float64_block`| for each row of `a`.

    Copying moves a point by U times its length, hence a squared distance by 2 U R^2. The product adds d U R^2 / 2, and
    the two sums with their rounded operands 5 U R^2. The last term bounds products that underflow.
    """
    d = a.copies.shape[1]
    if d * U32 > 0.005:
        return np.full(len(a), np.inf)
    largest = a.reaches + b.reaches.max()
    errors: NDArray[np.float64] = SLACK * ((d / 2 + 8) * U32 * largest**2 + d * 2.0**-120)
    return errors + a.scale**2 * _float64_errors(a.lengths + b.lengths.max(), d)


def distances_of_pairs(
    a: Points, b: Points, i: NDArray[np.intp], j: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the squared distances of `a[i]` to `b[j]`, and a bound on their difference from `float64_block`."""
    squared = np.empty(len(i))
    for start in range(0, len(i), ROWS):
        part = slice(start, start + ROWS)
        with np.errstate(all="ignore"):
            difference = a.stored[i[part]].astype(np.float64) - b.stored[j[part]]
            squared[part] = np.einsum("ij,ij->i", difference, difference)
    return squared, 2 * _float64_errors(a.lengths[i] + b.lengths[j], a.copies.shape[1])


def _float64_errors(lengths: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    """Return a bound on the error of `float64_block` for pairs of points with these sums of lengths R.

    The last term bounds squares that underflow.
    """
    with np.errstate(over="ignore"):
        errors: NDArray[np.float64] = SLACK * (d + 8) * U64 * lengths**2 + d * 2.0**-1000
        return errors
