"""The published AutoAugment policies as data (Cubuk et al., arXiv 1805.09501, appendix).

A policy has 25 sub-policies of two steps; a step is an operation, its probability and its magnitude level (`grade`).
Magnitudes follow the variant in HybViT's code: ten evenly spaced values per operation, in the units of
`harness.data.augment.image_ops`. The published tables also give a level to operations without a magnitude.
"""

from typing import NamedTuple

import numpy as np


class PolicyStep(NamedTuple):
    """One operation of a sub-policy; `grade` is the magnitude level from 0 to 9."""

    operation: str
    probability: float
    grade: int

    @property
    def magnitude(self) -> float:
        """The unsigned magnitude."""
        return MAGNITUDES[self.operation][self.grade]


Policy = tuple[tuple[PolicyStep, PolicyStep], ...]


def _evenly(low: float, high: float) -> tuple[float, ...]:
    return tuple(np.linspace(low, high, 10).tolist())


MAGNITUDES: dict[str, tuple[float, ...]] = {
    "shear_x": _evenly(0, 0.3),
    "shear_y": _evenly(0, 0.3),
    "translate_x": _evenly(0, 150 / 331),
    "translate_y": _evenly(0, 150 / 331),
    "rotate": _evenly(0, 30),
    "colour": _evenly(0, 0.9),
    "contrast": _evenly(0, 0.9),
    "sharpness": _evenly(0, 0.9),
    "brightness": _evenly(0, 0.9),
    "posterize": tuple(float(round(bits)) for bits in _evenly(8, 4)),
    "solarize": _evenly(256, 0),
    "autocontrast": (0.0,) * 10,
    "equalize": (0.0,) * 10,
    "invert": (0.0,) * 10,
}
SIGNED = frozenset(MAGNITUDES) - {"rotate", "posterize", "solarize", "autocontrast", "equalize", "invert"}
"""Operations with a random sign. This variant rotates in one direction only."""


def _read(table: str) -> Policy:
    """Parse a policy from lines of: operation, probability, grade, operation, probability, grade."""
    lines = [line.split() for line in table.strip().splitlines()]
    return tuple((PolicyStep(a, float(b), int(c)), PolicyStep(d, float(e), int(f))) for a, b, c, d, e, f in lines)


CIFAR10 = _read("""
    invert       0.1 7  contrast     0.2 6
    rotate       0.7 2  translate_x  0.3 9
    sharpness    0.8 1  sharpness    0.9 3
    shear_y      0.5 8  translate_y  0.7 9
    autocontrast 0.5 8  equalize     0.9 2
    shear_y      0.2 7  posterize    0.3 7
    colour       0.4 3  brightness   0.6 7
    sharpness    0.3 9  brightness   0.7 9
    equalize     0.6 5  equalize     0.5 1
    contrast     0.6 7  sharpness    0.6 5
    colour       0.7 7  translate_x  0.5 8
    equalize     0.3 7  autocontrast 0.4 8
    translate_y  0.4 3  sharpness    0.2 6
    brightness   0.9 6  colour       0.2 8
    solarize     0.5 2  invert       0.0 3
    equalize     0.2 0  autocontrast 0.6 0
    equalize     0.2 8  equalize     0.6 4
    colour       0.9 9  equalize     0.6 6
    autocontrast 0.8 4  solarize     0.2 8
    brightness   0.1 3  colour       0.7 0
    solarize     0.4 5  autocontrast 0.9 3
    translate_y  0.9 9  translate_y  0.7 9
    autocontrast 0.9 2  solarize     0.8 3
    equalize     0.8 8  invert       0.1 3
    translate_y  0.7 9  autocontrast 0.9 1
""")

IMAGENET = _read("""
    posterize    0.4 8  rotate       0.6 9
    solarize     0.6 5  autocontrast 0.6 5
    equalize     0.8 8  equalize     0.6 3
    posterize    0.6 7  posterize    0.6 6
    equalize     0.4 7  solarize     0.2 4
    equalize     0.4 4  rotate       0.8 8
    solarize     0.6 3  equalize     0.6 7
    posterize    0.8 5  equalize     1.0 2
    rotate       0.2 3  solarize     0.6 8
    equalize     0.6 8  posterize    0.4 6
    rotate       0.8 8  colour       0.4 0
    rotate       0.4 9  equalize     0.6 2
    equalize     0.0 7  equalize     0.8 8
    invert       0.6 4  equalize     1.0 8
    colour       0.6 4  contrast     1.0 8
    rotate       0.8 8  colour       1.0 2
    colour       0.8 8  solarize     0.8 7
    sharpness    0.4 7  invert       0.6 8
    shear_x      0.6 5  equalize     1.0 9
    colour       0.4 0  equalize     0.6 3
    equalize     0.4 7  solarize     0.2 4
    solarize     0.6 5  autocontrast 0.6 5
    invert       0.6 4  equalize     1.0 8
    colour       0.6 4  contrast     1.0 8
    equalize     0.8 8  equalize     0.6 3
""")

SVHN = _read("""
    shear_x      0.9 4  invert       0.2 3
    shear_y      0.9 8  invert       0.7 5
    equalize     0.6 5  solarize     0.6 6
    invert       0.9 3  equalize     0.6 3
    equalize     0.6 1  rotate       0.9 3
    shear_x      0.9 4  autocontrast 0.8 3
    shear_y      0.9 8  invert       0.4 5
    shear_y      0.9 5  solarize     0.2 6
    invert       0.9 6  autocontrast 0.8 1
    equalize     0.6 3  rotate       0.9 3
    shear_x      0.9 4  solarize     0.3 3
    shear_y      0.8 8  invert       0.7 4
    equalize     0.9 5  translate_y  0.6 6
    invert       0.9 4  equalize     0.6 7
    contrast     0.3 3  rotate       0.8 4
    invert       0.8 5  translate_y  0.0 2
    shear_y      0.7 6  solarize     0.4 8
    invert       0.6 4  rotate       0.8 4
    shear_y      0.3 7  translate_x  0.9 3
    shear_x      0.1 6  invert       0.6 5
    solarize     0.7 2  translate_y  0.6 7
    shear_y      0.8 4  invert       0.8 8
    shear_x      0.7 9  translate_y  0.8 3
    shear_y      0.8 5  autocontrast 0.7 3
    shear_x      0.7 2  invert       0.1 5
""")

POLICIES = {"cifar10": CIFAR10, "imagenet": IMAGENET, "svhn": SVHN}
