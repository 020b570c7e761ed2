"""Checks what claims presuppose on the measured runs: how far they levelled off, their values, their operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from harness.config.run import WATCHED
from harness.registry.cells import PAPER_PROTOCOL
from harness.registry.claims import Claim
from harness.registry.exhibit import Exhibit
from harness.registry.metrics import Metric
from harness.registry.paper import Paper
from harness.registry.presuppositions import ComparableOperations, InRange, LevelledOff, Presupposition
from harness.registry.scale import Scale
from harness.report.results.series import Series, SeriesKey
from harness.store.files import StoreError
from harness.store.results import Results

Ends = tuple[float, float]
"""A value at the beginning and at the end of the last part of a training."""


@dataclass(frozen=True)
class Finding:
    """A presupposition of a claim as measured; `met` is None if it cannot be checked yet.

    `measured` has the mean over seeds of each row for an `InRange`, None if it is not measured. For a `LevelledOff` it
    has the two ends of a curve, which is that of the training loss if `by_loss`. For `ComparableOperations` it has the
    ratio of operations at this scale and at paper scale.
    """

    need: Presupposition
    met: bool | None
    measured: tuple[float | None, ...] = ()
    by_loss: bool = False


class Presuppositions:
    """Checks the presuppositions of an exhibit's claims at a scale. `series` are the measured values of its rows."""

    def __init__(
        self, paper: Paper, exhibit: Exhibit, scale: Scale, series: Mapping[SeriesKey, Series], results: Results
    ) -> None:
        self._paper, self._exhibit, self._scale, self._series = paper, exhibit, scale, series
        self._reader = results.reader

    def findings(self, claim: Claim) -> tuple[Finding, ...]:
        """Return the presuppositions of a claim as measured; none at a comparable scale, which meets them all."""
        if self._scale.comparable:
            return ()
        return tuple(map(self._check, claim.presuppositions))

    def _check(self, need: Presupposition) -> Finding:
        if isinstance(need, InRange):
            return self._in_range(need)
        if isinstance(need, LevelledOff):
            return self._levelled_off(need)
        return self._operations(need)

    def _in_range(self, need: InRange) -> Finding:
        found = [self._series.get((row, need.metric.key, PAPER_PROTOCOL)) for row in need.rows]
        means = [one.mean if one else None for one in found]
        outside = any(mean is not None and not need.low <= mean <= need.high for mean in means)
        return Finding(need, False if outside else None if None in means else True, tuple(means))

    def _levelled_off(self, need: LevelledOff) -> Finding:
        runs = self._runs(need.row)
        relative = need.metric.noise == "relative"
        for ends in (self._by_evaluations(need), self._on_curve(f"{WATCHED}_{need.metric.quantity}", need.since)):
            if found := _mean_ends(ends, runs):
                return Finding(need, _change(found, relative) <= need.within, found)
        if need.loss and (found := _mean_ends(self._on_curve(need.loss, need.since), runs)):
            return Finding(need, _change(found, relative=True) <= need.loss_within, found, by_loss=True)
        return Finding(need, None)

    def _operations(self, need: ComparableOperations) -> Finding:
        runs = [run for row in need.rows if (run := self._exhibit.row(row).run)]
        flops = [[run.train_flops for run in found] for found in (runs, map(self._scale.shrink, runs))]
        if not all(map(all, flops)):
            return Finding(need, None)
        paper, here = (one / other for one, other in flops)
        met = 1 / need.factor <= here / paper <= need.factor
        return Finding(need, met, (here, paper))

    def _runs(self, row: str) -> dict[int, str]:
        """Return the measured runs of a row by seed."""
        found = [one for (key, _, reading), one in self._series.items() if (key, reading) == (row, PAPER_PROTOCOL)]
        return {seed: run for one in found for seed, run in zip(one.seeds, one.runs, strict=True)}

    def _on_curve(self, name: str, since: float) -> Callable[[str], Ends | None]:
        """Return a function that finds the ends of a run's curve: the point nearest to the share `since`, the last."""

        def ends(run: str) -> Ends | None:
            points = [point for point in self._reader.curve(run) if name in point]
            if len(points) < 2:
                return None
            share = since * points[-1]["step"]
            begin = min(points[:-1], key=lambda point: abs(point["step"] - share))
            return begin[name], points[-1][name]

        return ends

    def _by_evaluations(self, need: LevelledOff) -> Callable[[str], Ends | None]:
        """Return a function that finds the metric after the share `since` of a run's training, and after all of it."""
        row = self._exhibit.row(need.row)
        own = self._paper.evaluation(need.metric, row.run, self._scale, row.protocol) if row.run else None
        if own is None:
            return lambda run: None
        return partial(self._evaluated, [own.but(after=share).id for share in (need.since, 1.0)], need.metric)

    def _evaluated(self, evaluations: Sequence[str], metric: Metric, run: str) -> Ends | None:
        found = [self._reader.quantities(run, evaluation).get(metric.quantity) for evaluation in evaluations]
        begin, end = (quantity[0] if quantity else None for quantity in found)
        return None if begin is None or end is None else (begin, end)


def _mean_ends(ends: Callable[[str], Ends | None], runs: Mapping[int, str]) -> Ends | None:
    """Return the means over the seeds that have both ends, None if none has; unreadable runs count as not measured."""
    found = []
    for run in runs.values():
        try:
            found.append(ends(run))
        except StoreError:
            continue
    known = [one for one in found if one is not None]
    if not known:
        return None
    return sum(begin for begin, _ in known) / len(known), sum(end for _, end in known) / len(known)


def _change(ends: Ends, relative: bool) -> float:
    """Return the size of the change, as a fraction of the first value if it is relative."""
    begin, end = ends
    return abs(end - begin) / (abs(begin) or 1.0) if relative else abs(end - begin)
