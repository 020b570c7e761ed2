"""Fixtures shared by the tests of data."""

import tracemalloc
from contextlib import contextmanager

import pytest


@pytest.fixture
def peak_memory():
    """Measure the peak memory of Python inside a block, in bytes."""

    @contextmanager
    def measuring():
        tracemalloc.start()
        try:
            yield lambda: result[0]
            result.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    result = []
    return measuring
