"""Threads of metrics: parts in order, few at a time, and one thread of BLAS."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from harness.metrics import frechet, prdc, threads
from harness.metrics.frechet import frechet_distance, moments
from harness.metrics.threads import side_by_side


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_results_come_in_the_order_of_the_parts():
    second_is_done = threading.Event()

    def work(part):
        if part == 0:
            assert second_is_done.wait(10)
        if part == 1:
            second_is_done.set()
        return part

    assert list(side_by_side(work, range(7))) == list(range(7))


def test_few_results_wait_for_a_slow_consumer():
    started = []
    for consumed, _ in enumerate(side_by_side(started.append, range(20))):
        assert len(started) <= consumed + threads.THREADS + 1


def test_an_error_in_a_part_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda part: 1 / part, [1, 0, 1]))


@pytest.mark.parametrize(
    ("module", "inner", "metric"),
    [
        (frechet, "_of_block", moments),
        (frechet, "_by_cholesky", lambda features: frechet_distance(*[moments(features)] * 2)),
        (prdc, "float32_block", lambda features: prdc.prdc(features, features, 3)),
    ],
)
def test_metrics_use_one_thread_of_blas_and_leave_the_number_as_it_was(module, inner, metric, monkeypatch):
    seen, original = [], getattr(module, inner)

    def watched(*arguments):
        seen.append(blas_threads())
        return original(*arguments)

    monkeypatch.setattr(module, inner, watched)
    with threadpool_limits(2, user_api="blas"):
        metric(np.random.default_rng(0).normal(size=(30, 4)))
        assert blas_threads() == {2}
    assert seen
    assert all(numbers == {1} for numbers in seen)
