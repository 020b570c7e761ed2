"""Seeds that a user adds by hand to measured rows. They count as another look at the claims."""

from collections.abc import Sequence

from harness.launch.plan import Plan
from harness.store.decisions import Decision, path_of
from harness.store.results import Results
from harness.store.run_directory import RunState


def adds_seeds(plan: Plan, results: Results) -> bool:
    """Return whether a plan has seeds that were never requested, of runs whose first seed is measured.

    Seeds that were requested together, and wait or were interrupted, were fixed beforehand.
    """
    new = (planned.run for planned in plan.runs if planned.run.config.seed and not planned.directory.config.exists())
    return any(results.directory(run.but(seed=0)).state() is RunState.DONE for run in new)


def record_added(papers: Sequence[str], exhibits: Sequence[str], plan: Plan, seeds: int, results: Results) -> None:
    """Record that claims are decided after a look at fewer seeds, so that reports widen their intervals."""
    added = Decision(papers=tuple(papers), scale=plan.scale, exhibits=tuple(exhibits), seeds=seeds, most_seeds=seeds)
    added.save(path_of(results.root, added.id))
