"""Confidence levels for decisions that are looked at after every seed: Pocock's constant levels.

Whoever adds seeds until a claim is decided looks several times, and each look may err. With a level that is the same
at every look, and high enough, all looks together err as rarely as one look at 95 % (Pocock 1977). The level depends
on the largest number of seeds alone, so nothing about earlier looks has to be known.
"""

from harness.report.results.statistics import CONFIDENCE

POCOCK = (
    *(0.950000, 0.970614, 0.977948, 0.981789, 0.984186, 0.985841, 0.987062, 0.988006, 0.988761, 0.989381),
    *(0.989901, 0.990345, 0.990729, 0.991065, 0.991362, 0.991628, 0.991866, 0.992082, 0.992279, 0.992459),
)
"""The level of each interval for at most 1, 2, ..., 20 looks. `tests/report/results/test_levels.py` computes them."""
MOST_LOOKS = len(POCOCK)
HORIZONS = (10, 15, 20)
"""The largest numbers of seeds that count when there are more than were planned."""


def level_for(most_seeds: int) -> float:
    """Return the level of intervals that are looked at after each of `most_seeds` seeds, from 1.

    Above 20 looks it is Bonferroni's, which is higher than necessary.
    """
    return POCOCK[most_seeds - 1] if most_seeds <= MOST_LOOKS else 1 - (1 - CONFIDENCE) / most_seeds


def horizon(most_seeds: int, seeds: int) -> int:
    """Return the largest number of seeds by which to decide, given that there are `seeds`.

    More seeds than planned show that the plan was not kept: the next of `HORIZONS` counts.
    """
    if seeds <= most_seeds:
        return most_seeds
    return next((one for one in HORIZONS if one >= seeds), seeds)


def level_in_use(most_seeds: int | None, seeds: int) -> float:
    """Return the level of intervals: that of a decision for `most_seeds` if there is one, else of one look."""
    return CONFIDENCE if most_seeds is None else level_for(horizon(most_seeds, seeds))
