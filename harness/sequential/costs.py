"""The cost of further seeds, and those that a budget allows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.launch.estimate.forecast import forecast
from harness.launch.estimate.target import Target
from harness.launch.plan import plan_of
from harness.registry.cells import cells
from harness.sequential.look import Look, selected
from harness.store.decisions import Decision, RowSeed
from harness.store.results import Results
from harness.store.usage import SECONDS_PER_HOUR


@dataclass(frozen=True)
class RunCost:
    """The run of a seed of a row, and the device hours that it is expected to take, None if unknown."""

    run: str
    hours: float | None


@dataclass(frozen=True)
class Prospect:
    """The number of further runs and their device hours, each from and to."""

    runs: tuple[int, int]
    hours: tuple[float, float]


def costs_of(decision: Decision, added: Iterable[RowSeed], results: Results, target: Target) -> dict[RowSeed, RunCost]:
    """Return the cost of each seed. Rows that share a run share its cost."""
    rows = {
        (f"{paper.name}/{exhibit.name}", row.key): (paper, exhibit, row)
        for paper, exhibit, chosen in selected(decision)
        for row in chosen
    }
    wanted = {one: rows[one.exhibit, one.row] for one in added}
    plan = plan_of(
        decision.scale,
        ((paper, exhibit, [row], [one.seed]) for one, (paper, exhibit, row) in wanted.items()),
        results,
    )
    estimates = forecast(plan, results, target).estimates
    found = {}
    for one, (paper, exhibit, row) in wanted.items():
        run = next(cells(paper, exhibit, [row], paper.scale(decision.scale), [one.seed])).run.id
        seconds = estimates[run].seconds
        found[one] = RunCost(run, None if seconds is None else seconds / SECONDS_PER_HOUR)
    return found


def affordable(
    decision: Decision, gains: Mapping[RowSeed, float], spent: float, results: Results, target: Target
) -> tuple[RowSeed, ...]:
    """Return the seeds that the rest of the budget allows: all, or those that remove the most variance for an hour.

    `spent` are the device hours of earlier rounds. Runs of unknown cost are beyond any budget.
    """
    if decision.budget is None or not gains:
        return tuple(gains)
    costs = costs_of(decision, gains, results, target)
    worth: dict[str, float] = defaultdict(float)
    for one, cost in costs.items():
        worth[cost.run] += gains[one]
    hours = {cost.run: cost.hours for cost in costs.values() if cost.hours is not None}
    left, chosen = decision.budget - spent, set()
    for run in sorted(hours, key=lambda run: -worth[run] / max(hours[run], 1e-9)):
        if hours[run] <= left:
            left -= hours[run]
            chosen.add(run)
    return tuple(one for one in gains if costs[one].run in chosen)


def prospects(decision: Decision, seen: Look, results: Results, target: Target) -> tuple[list[Prospect], Prospect]:
    """Return what each claim that seeds may decide is expected to take, and what all take together.

    A claim of one seed takes at least the next round, and its end is that of the most seeds.
    """
    costs = costs_of(decision, seen.added, results, target)
    of_claims, together = [], dict[str, tuple[int, int]]()
    for report, outlook in seen.helped:
        runs: dict[str, tuple[int, int]] = {}
        for row, seed in outlook.next_seeds.items():
            runs[costs[RowSeed(exhibit=report.name, row=row, seed=seed)].run] = outlook.further(seed)
        of_claims.append(_prospect(runs, costs))
        for run, (first, last) in runs.items():
            least, most = together.get(run, (0, 0))
            together[run] = max(first, least), max(last, most)
    return of_claims, _prospect(together, costs)


def _prospect(runs: Mapping[str, tuple[int, int]], costs: Mapping[RowSeed, RunCost]) -> Prospect:
    hours = {cost.run: cost.hours or 0.0 for cost in costs.values()}
    first, last = (sum(ends) for ends in zip(*runs.values(), strict=True)) if runs else (0, 0)
    least, most = (sum(hours[run] * ends[end] for run, ends in runs.items()) for end in (0, 1))
    return Prospect((first, last), (least, most))
