"""The rounds of a decision: the seeds that every look adds, recorded before their runs start."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from filelock import FileLock

from harness.launch.estimate.target import Target
from harness.launch.plan import Plan, plan_of
from harness.registry.exhibit import Exhibit
from harness.registry.paper import Paper
from harness.registry.row import Row
from harness.sequential.costs import affordable
from harness.sequential.look import Look, look, selected
from harness.store.decisions import Decision, Round, RowSeed, load, path_of
from harness.store.files import make_folder
from harness.store.results import Results
from harness.store.run_directory import RunDirectory, RunState
from harness.store.usage import Usage, usage_of

ENDED = (RunState.DONE, RunState.FAILED, RunState.CANCELLED, RunState.UNREADABLE)


@dataclass(frozen=True)
class Step:
    """The round to work on, with the look that led to it.

    `plan` is None if no seeds are added: everything is decided, futile or, if `over_budget`, too expensive. `look`
    is None for the first round, and for a round that was begun before.
    """

    decision: Decision
    plan: Plan | None
    look: Look | None = None
    over_budget: bool = False

    @property
    def number(self) -> int:
        """The number of the round, from 1."""
        return len(self.decision.rounds)


def next_step(decision: Decision, results: Results, target: Target) -> Step:
    """Return the last round if it is not over, else a new one.

    The round is recorded, and so is the decision if there is none. All that ask at the same time get the same round.
    `target` is where runs are executed, for their cost.
    """
    path = path_of(results.root, decision.id)
    make_folder(path.parent)
    with FileLock(path.parent / ".lock"):
        step = preview(decision, results, target)
        if step.plan is not None or not path.exists():  # a look at claims counts, even one that adds no seed
            step.decision.save(path)
        return step


def preview(decision: Decision, results: Results, target: Target) -> Step:
    """Return the round that `next_step` would return, without recording it.

    Raises `StoreError`, naming the file, if the record of the decision is damaged.
    """
    stored = recorded(decision, results)
    if stored.rounds and not _is_over(plan := _plan(stored, stored.rounds[-1].added, results)):
        return Step(stored, plan)
    return _following(stored, results, target)


def recorded(decision: Decision, results: Results) -> Decision:
    """Return a decision with the rounds that are recorded in a results directory."""
    try:
        return load(results.root, decision.id)
    except FileNotFoundError:
        return decision


def _following(decision: Decision, results: Results, target: Target) -> Step:
    """Return the step after the last round, which is over."""
    if not decision.rounds:
        first = tuple(_first(decision))
        begun, plan = _with_round(decision, first), _plan(decision, first, results)
        return _following(begun, results, target) if _is_over(plan) else Step(begun, plan)
    seen = look(decision, results)
    added = affordable(decision, seen.added, _spent(decision, results), results, target)
    plan = _plan(decision, added, results)
    # Where all runs of a new round have ended, their records do not count, and every further round would be the same.
    if not added or _is_over(plan):
        return Step(decision, None, seen, over_budget=bool(seen.added) and not added)
    return Step(_with_round(decision, added), plan, seen)


def _first(decision: Decision) -> Iterator[RowSeed]:
    """Yield the seeds of the first round: the first ones of every row."""
    for paper, exhibit, rows in selected(decision):
        for row in rows:
            for seed in range(decision.seeds if row.run else 0):
                yield RowSeed(exhibit=f"{paper.name}/{exhibit.name}", row=row.key, seed=seed)


def _with_round(decision: Decision, added: tuple[RowSeed, ...]) -> Decision:
    return decision.model_copy(update={"rounds": (*decision.rounds, Round(added=added))})


def _spent(decision: Decision, results: Results) -> float:
    """Return the device hours of the runs that were added after the first round."""
    added = [one for each in decision.rounds[1:] for one in each.added]
    used = Usage.sum(usage_of(planned.directory) for planned in _plan(decision, added, results).runs)
    return used.gpu_hours + used.core_hours


def _plan(decision: Decision, added: Iterable[RowSeed], results: Results) -> Plan:
    return plan_of(decision.scale, _rows(decision, list(added)), results)


def _rows(decision: Decision, added: Sequence[RowSeed]) -> Iterator[tuple[Paper, Exhibit, Sequence[Row], list[int]]]:
    for paper, exhibit, rows in selected(decision):
        for row in rows:
            name = f"{paper.name}/{exhibit.name}"
            if seeds := sorted(one.seed for one in added if (one.exhibit, one.row) == (name, row.key)):
                yield paper, exhibit, [row], seeds


def _is_over(plan: Plan) -> bool:
    """Return whether all runs of a round have ended, well or badly."""
    return all(planned.state in ENDED for planned in plan.runs)


def has_unended(runs: Iterable[RunDirectory]) -> bool:
    """Return whether a run has no record of its end, as where its worker was killed: its round is not over."""
    return any(run.state() not in ENDED for run in runs)
