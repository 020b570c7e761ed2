"""The outlook of undecided claims: what they turn on, which rows need another seed, and whether more seeds can help.

The chance that a contrast is decided by a number of seeds assumes normal noise and that its estimate is the truth. It
is good enough to stop for futility, which never adds a wrong decision; it is not a promise.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, inf, prod, sqrt
from statistics import NormalDist

from harness.registry.claims import Claim
from harness.registry.exhibit import Exhibit
from harness.registry.scale import Scale
from harness.report.results.claims import ClaimResult, ClaimStatus, ContrastResult, decide
from harness.report.results.contrasts import Estimator, RunNoise
from harness.report.results.levels import horizon, level_for
from harness.report.results.report import ExhibitReport
from harness.report.results.series import Series, SeriesKey

MOST_SEEDS = 10
FUTILE = 0.10
"""A claim with a smaller chance to be decided gets no more seeds."""
MANY = 1000
QUARTILE = NormalDist().inv_cdf(0.75)
TIMES = "times depend on the machine: measure them on one, with --seeds"


@dataclass(frozen=True)
class ClaimOutlook:
    """The outlook of a claim that is undecided by intervals at the level of a largest number of seeds.

    `next_seeds` has the next seed of each row that needs one, `gains` how much of the variance it removes. `turns_on`
    is the contrast that needs the most seeds. `seeds` is the range of seeds of each row for even odds, by the quartiles
    of the estimate: it may exceed `most_seeds`, and is None from one seed. `futility` says why seeds do not help.
    """

    result: ClaimResult
    next_seeds: Mapping[str, int] = field(default_factory=dict)
    gains: Mapping[str, float] = field(default_factory=dict)
    turns_on: ContrastResult | None = None
    seeds: tuple[int, int] | None = None
    chance: float = 0.0
    futility: str = ""
    most_seeds: int = MOST_SEEDS

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that need another seed; none if seeds do not help."""
        return tuple(self.next_seeds)

    def further(self, seed: int) -> tuple[int, int]:
        """Return how many seeds a row is expected to need from `seed` on, from and to, up to the most seeds."""
        first, last = self.seeds or (seed + 1, self.most_seeds)
        return max(min(first, self.most_seeds) - seed, 1), max(min(last, self.most_seeds) - seed, 1)


@dataclass(frozen=True)
class _OpenContrast:
    """An undecided contrast, with the noise of its runs and the quantiles that decide it on either side."""

    found: ContrastResult
    noise: Sequence[RunNoise]
    inside: float
    outside: float

    @cached_property
    def variance(self) -> float:
        """The variance with the present seeds."""
        return sum(part.variance / part.seeds for part in self.noise)

    @property
    def seeds(self) -> int:
        """The smallest number of seeds of a run."""
        return min(part.seeds for part in self.noise)

    def chances(self, seeds: int) -> tuple[float, float]:
        """Return the chances that the interval lies inside and outside of the bounds with so many seeds of each run."""
        later = sum(part.variance / max(part.seeds, seeds) for part in self.noise)
        moves, rounding, estimate = sqrt(max(self.variance - later, 0.0)), self._rounding, self.found.estimate
        low, high = self.found.contrast.low, self.found.contrast.high
        if not moves:
            return 0.0, 0.0
        ahead = NormalDist(estimate, moves)
        within, beyond = (quantile * sqrt(later) + rounding for quantile in (self.inside, self.outside))
        inside = _below(ahead, high - within) - _below(ahead, low + within)
        return max(0.0, inside), _below(ahead, low - beyond) + 1 - _below(ahead, high + beyond)

    def for_even_odds(self, moved: float = 0.0) -> float:
        """Return the seeds of each run for even odds if the estimate is `moved` standard errors from its bound."""
        gap, quantile = self._gap + moved * sqrt(self.variance), self.inside if self.is_inside else self.outside
        of_one_seed = sum(part.variance for part in self.noise)
        if gap <= self._rounding:
            return inf
        return min(quantile * sqrt(of_one_seed) / (gap - self._rounding), MANY) ** 2

    @property
    def is_inside(self) -> bool:
        """Whether the estimate lies inside of the bounds."""
        return self.found.contrast.low <= self.found.estimate <= self.found.contrast.high

    @property
    def _gap(self) -> float:
        """The distance of the estimate from the bound that its interval reaches over."""
        low, high = self.found.contrast.low, self.found.contrast.high
        return min(abs(self.found.estimate - low), abs(self.found.estimate - high))

    @property
    def _rounding(self) -> float:
        return self.found.estimated.rounding


def outlooks(report: ExhibitReport, most_seeds: int = MOST_SEEDS) -> list[ClaimOutlook]:
    """Return the outlook of every claim that is undecided at the level of `most_seeds`, in the order of claims."""
    most = horizon(most_seeds, report.seeds)
    claims = (found.claim for found in report.claim_results if found.status is not ClaimStatus.BEYOND)
    found = (outlook(claim, report.exhibit, report.series, report.scale, most) for claim in claims)
    return [one for one in found if one]


def outlook(
    claim: Claim, exhibit: Exhibit, series: Mapping[SeriesKey, Series], scale: Scale, most_seeds: int
) -> ClaimOutlook | None:
    """Return the outlook of a claim with at most so many seeds of a row, None if it is decided at their level."""
    level = level_for(most_seeds)
    result = decide(claim, exhibit, series, scale, level)
    if result.status is not ClaimStatus.UNDECIDED:
        return None
    if any(term.metric.timing for term in claim.terms()):
        return ClaimOutlook(result, futility=TIMES, most_seeds=most_seeds)
    # Before anything can be said about a claim, each of its rows needs a value, and each kind of model a spread.
    first = {**dict.fromkeys(result.missing, 0), **dict.fromkeys(result.without_spread if most_seeds > 1 else (), 1)}
    if first:
        return ClaimOutlook(result, first, dict.fromkeys(first, 1.0), chance=1.0, most_seeds=most_seeds)
    if not result.contrasts:
        return ClaimOutlook(result, futility=result.reason, most_seeds=most_seeds)
    estimator = Estimator(claim, exhibit, series, scale)
    quantiles = _quantile(level), _quantile(1 - (1 - level) / len(claim.contrasts))
    undecided = [one for one in result.contrasts if one.status is ClaimStatus.UNDECIDED]
    contrasts = [_OpenContrast(one, estimator.noise(one.contrast), *quantiles) for one in undecided]
    return _of_contrasts(result, [one for one in contrasts if 0 < one.variance < inf], most_seeds)


def expected_runs(found: Iterable[ClaimOutlook]) -> dict[str, int]:
    """Return the number of further seeds that each row is expected to need, the largest of its claims."""
    expected: dict[str, int] = {}
    for one in found:
        for row, seed in one.next_seeds.items():
            wanted = sum(one.further(seed)) // 2 if one.seeds else 1
            expected[row] = max(expected.get(row, 1), wanted)
    return expected


def _of_contrasts(result: ClaimResult, contrasts: Sequence[_OpenContrast], most_seeds: int) -> ClaimOutlook:
    """Return the outlook of a claim with undecided contrasts that have noise."""
    gains: dict[str, float] = {}
    following: dict[str, int] = {}
    for one in contrasts:
        for part in one.noise:
            for row in part.rows if part.seeds < most_seeds else ():
                following[row] = min(following.get(row, part.next_seed), part.next_seed)
                gain = part.variance / part.seeds / one.variance / (part.seeds + 1)
                gains[row] = gains.get(row, 0.0) + gain
    if not following:
        why = f"undecided with {most_seeds} seeds" if contrasts else "it turns on values without noise"
        return ClaimOutlook(result, futility=why, most_seeds=most_seeds)
    chances = [one.chances(most_seeds) for one in contrasts]
    holds = prod(inside for inside, _ in chances)
    chance = holds + 1 - prod(1 - outside for _, outside in chances)
    hardest = _hardest(contrasts)
    if chance < FUTILE:
        why = f"a chance below {100 * FUTILE:.0f} % to be decided by {most_seeds} seeds"
        return ClaimOutlook(result, turns_on=hardest.found, chance=chance, futility=why, most_seeds=most_seeds)
    # With one seed, the quartiles reach from three seeds to forty whatever the truth is.
    seeds = _range(hardest) if hardest.seeds > 1 else None
    return ClaimOutlook(result, following, gains, hardest.found, seeds, min(chance, 1.0), most_seeds=most_seeds)


def _hardest(contrasts: Sequence[_OpenContrast]) -> _OpenContrast:
    """Return the contrast that decides: the quickest of those that may fail, else the slowest of those that may hold.

    One contrast outside of its bounds is enough for a claim to fail.
    """
    outside = [one for one in contrasts if not one.is_inside]
    if outside:
        return min(outside, key=_OpenContrast.for_even_odds)
    return max(contrasts, key=_OpenContrast.for_even_odds)


def _range(contrast: _OpenContrast) -> tuple[int, int]:
    """Return the seeds for even odds if the truth is at the quartiles of the estimate, at most `MANY`."""
    ends = (contrast.for_even_odds(QUARTILE), contrast.for_even_odds(-QUARTILE))
    first, last = (max(ceil(min(end, MANY)), contrast.seeds + 1) for end in ends)
    return first, last


def _below(distribution: NormalDist, value: float) -> float:
    return distribution.cdf(value) if abs(value) < inf else float(value > 0)


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)
