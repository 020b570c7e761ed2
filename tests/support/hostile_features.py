"""Features that are hard on rounding: ties, duplicates, offsets, odd scales, outliers, numbers that are not finite.

Every kind is a function of a generator of random numbers and a shape `(n, d)`.
"""

import numpy as np


def normal(random, n, d):
    return random.normal(size=(n, d)).astype(np.float32)


def sparse(random, n, d):
    """Like Inception's: not negative, with few directions and columns of zeros."""
    mixed = random.normal(size=(n, 5)) @ random.normal(size=(5, d)) + 0.2 * random.normal(size=(n, d))
    return (mixed * (random.random(d) < 0.8)).clip(min=0).astype(np.float32)


def integers(random, n, d):
    """Many exact ties."""
    return random.integers(0, 3, size=(n, d)).astype(np.float32)


def duplicates(random, n, d):
    return normal(random, 1 + n // 4, d)[random.integers(0, 1 + n // 4, n)]


def near_duplicates(random, n, d):
    """Apart by less than float32 can tell."""
    return duplicates(random, n, d).astype(np.float64) + 1e-9 * random.normal(size=(n, d))


def sphere(random, n, d):
    """Distances between clusters differ in the last digits only."""
    corners = np.eye(d)[random.integers(0, d, n)]
    return corners * (1 + 1e-8 * random.normal(size=(n, 1)))


def last_bits(random, n, d):
    """Distances that float64 rounds differently in every product."""
    return 1.0 + np.spacing(1.0) * random.integers(0, 4, size=(n, d))


def columns_first(random, n, d):
    """Stored by columns, so that rows are added up in another order."""
    return np.asfortranarray(integers(random, n, d) + 0.1)


def offset(random, n, d):
    return (normal(random, n, d) + 1e4).astype(np.float32)


def far_offset(random, n, d):
    """So far that float64 loses the differences."""
    return random.normal(size=(n, d)) + 1e9


def tiny(random, n, d):
    return (normal(random, n, d) * 1e-36).astype(np.float32)


def minute(random, n, d):
    """Squares vanish in float64."""
    return random.normal(size=(n, d)) * 1e-170


def vanishing(random, n, d):
    """Squares of all rows but one are among the last numbers before zero."""
    features = random.normal(size=(n, d)) * 1e-161
    features[random.integers(0, n)] = 1.0
    return features


def huge(random, n, d):
    """Beyond float32."""
    return random.normal(size=(n, d)) * 1e60


def immense(random, n, d):
    """Squares overflow in float64."""
    return random.normal(size=(n, d)) * 1e170


def outlier(random, n, d):
    features = normal(random, n, d).astype(np.float64)
    features[random.integers(0, n)] *= 1e5
    return features


def remote_cluster(random, n, d):
    """Most points are closer to each other than the scale of float32 copies can show."""
    features = normal(random, n, d).astype(np.float64) * 1e-30
    features[random.integers(0, n)] = 1.0
    return features


def constant(random, n, d):
    return np.full((n, d), random.normal(), dtype=np.float32)


def infinite(random, n, d):
    features = normal(random, n, d)
    features[random.integers(0, n), random.integers(0, d)] = np.inf
    return features


def undefined(random, n, d):
    features = normal(random, n, d)
    features[random.integers(0, n), random.integers(0, d)] = np.nan
    return features


KINDS = (
    normal, sparse, integers, duplicates, near_duplicates, sphere, last_bits, columns_first, offset, far_offset, tiny,
    minute, vanishing, huge, immense, outlier, remote_cluster, constant, infinite, undefined,
)  # fmt: skip
