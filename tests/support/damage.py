"""Damage to files: a flipped bit, a zeroed page, a lost half, another value."""

import numpy as np


def flip(path):
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def zero_page(path):
    """Overwrite the end of a file with zeros, at most a page."""
    content = path.read_bytes()
    size = min(4096, len(content) // 2)
    path.write_bytes(content[:-size] + bytes(size))


def halve(path):
    """Keep the first half of an array, as an intact file."""
    array = np.load(path)
    np.save(path, array[: len(array) // 2])


def change_value(path):
    """Change one value of an array, as an intact file."""
    array = np.load(path)
    array.flat[array.size // 2] += 7
    np.save(path, array)


ARRAY_DAMAGES = (flip, zero_page, halve, change_value)
