"""Pocock's levels, by the probability that a Brownian motion crosses a constant bound at one of the looks."""

from math import sqrt

import numpy as np
import pytest
from scipy.stats import norm

from harness.cli import deciding
from harness.report.results import outlook
from harness.report.results.levels import MOST_LOOKS, horizon, level_for


def crossing(c, looks, points=401):
    """Return P(|W(t)| > c sqrt(t) for some t = 1 ... looks), by integrating over the part that has not crossed."""
    grid = np.linspace(-c, c, points)
    weights = np.full(points, grid[1] - grid[0])
    weights[[0, -1]] /= 2
    density, crossed = norm.pdf(grid) * weights, 2 * norm.sf(c)
    for look in range(2, looks + 1):
        before, bound = grid, c * sqrt(look)
        crossed += float(((norm.sf(bound - before) + norm.cdf(-bound - before)) * density).sum())
        grid = np.linspace(-bound, bound, points)
        weights = np.full(points, grid[1] - grid[0])
        weights[[0, -1]] /= 2
        density = (norm.pdf(grid[:, None] - before) * density).sum(1) * weights
    return crossed


@pytest.mark.parametrize("looks", [1, 2, 3, 5, 10, 20])
def test_all_looks_together_err_as_often_as_one_at_95_percent(looks):
    quantile = norm.ppf((1 + level_for(looks)) / 2)
    assert crossing(quantile, looks) == pytest.approx(0.05, abs=2e-4)


def test_levels_rise_with_the_number_of_looks():
    levels = [level_for(looks) for looks in range(1, MOST_LOOKS + 11)]
    assert levels == sorted(levels) and levels[0] == 0.95 and levels[-1] < 1


@pytest.mark.parametrize(
    ("planned", "present", "counts"), [(10, 3, 10), (10, 10, 10), (3, 4, 10), (10, 11, 15), (10, 16, 20), (10, 33, 33)]
)
def test_more_seeds_than_planned_count_as_the_next_plan(planned, present, counts):
    assert horizon(planned, present) == counts


def test_the_command_line_has_the_numbers_of_the_rules():
    assert (deciding.MOST_SEEDS, deciding.MOST_LOOKS) == (outlook.MOST_SEEDS, MOST_LOOKS)
