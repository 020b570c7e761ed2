"""`run --decide` and `plan --decide`: seeds are added in rounds, only where claims are undecided."""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import click

from harness.cli.executors import ExecutorOptions
from harness.cli.options import Selection, option_group
from harness.cli.settings import Settings

if TYPE_CHECKING:
    from harness.config.execution import Execution
    from harness.launch.estimate.target import Target
    from harness.store.decisions import Decision

MOST_SEEDS, MOST_LOOKS = 10, 20
"""As in `harness.report.results`, which is slow to import."""


@dataclass
class DecideOptions:
    """Whether seeds are added until claims are decided, up to which number, and for how many hours."""

    decide: bool = False
    most_seeds: int | None = None
    budget: float | None = None

    def check(self) -> None:
        """Raise `SpecError` for an option without `--decide`."""
        from harness.errors import SpecError

        for name, value in (("--most-seeds", self.most_seeds), ("--budget", self.budget)):
            if value is not None and not self.decide:
                raise SpecError(f"{name} is for --decide, which adds seeds until claims are decided")

    def decision(self, selection: Selection) -> "Decision":
        """Return the decision on the claims of a selection.

        Raises `SpecError` for an unknown name, and for more seeds at first than at most.
        """
        from harness.cli.settings import find_for_rows
        from harness.errors import SpecError
        from harness.registry.selection import select_rows
        from harness.store.decisions import Decision

        most = self.most_seeds or MOST_SEEDS
        if selection.seeds > most:
            raise SpecError(f"--seeds {selection.seeds} with --most-seeds {most}: give at most as many at first")
        found = find_for_rows(selection.exhibits, selection.also, selection.rows)
        chosen = [(paper, exhibit) for paper, exhibit, _ in select_rows(found, selection.rows)]
        for paper, _ in chosen:
            paper.scale(selection.scale)
        return Decision(
            papers=tuple(dict.fromkeys(paper.name for paper, _ in chosen)),
            scale=selection.scale,
            exhibits=tuple(f"{paper.name}/{exhibit.name}" for paper, exhibit in chosen),
            rows=selection.rows,
            also=selection.also,
            seeds=selection.seeds,
            most_seeds=most,
            budget=self.budget,
        )


def _finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    if value is not None and not isfinite(value):
        raise click.BadParameter(f"{value} is not a number of hours: leave --budget out for no limit")
    return value


decide_options = option_group(
    "deciding",
    DecideOptions,
    click.option("--decide", is_flag=True, help="Seeds in rounds, only where claims are undecided."),
    click.option("--most-seeds", type=click.IntRange(1, MOST_LOOKS), metavar="K",
                 help=f"--decide: the most seeds of a row, by which intervals widen.  [default: {MOST_SEEDS}]"),
    click.option("--budget", type=click.FloatRange(0), metavar="HOURS", callback=_finite,
                 help="--decide: device hours that seeds after the first round may take.  [default: no limit]"),
)  # fmt: skip


def decide_claims(
    settings: Settings,
    decision: "Decision",
    executor: ExecutorOptions,
    execution: "Execution",
    report: str,
) -> int:
    """Work on the rounds of a decision until no seed is added, and return the exit code.

    With `--executor slurm`, submit the next round; its follow-up job goes on, or with `--wait` this command.
    """
    from harness.cli.costs import forecast_for
    from harness.cli.executing import execute, exit_code
    from harness.cli.outlook_text import conclusion, heading
    from harness.cli.slurm import request_of_rounds, submit_runs
    from harness.launch.needs import refuse_unfit_loader
    from harness.sequential.rounds import has_unended, next_step

    request = request_of_rounds(settings, executor, execution, decision) if executor.executor == "slurm" else None
    failed = False
    while True:
        step = next_step(decision, settings.results, target_of(executor))
        if step.plan is None:
            break
        refuse_unfit_loader(execution, step.plan.runs)
        todo = step.plan.unfinished()
        settings.echo("\n".join([heading(step), *forecast_for(settings, step.plan, executor).lines()]))
        if request:
            code = submit_runs(settings, todo, executor, request, report)
            if code or not executor.wait:
                return code
            continue
        state = execute(settings, todo, len(step.plan.runs), executor, execution)
        failed = failed or bool(exit_code(state, len(step.plan.runs) - len(todo) + len(state.done)))
        if state.failed and (executor.fail_fast or has_unended(planned.directory for planned in state.failed.values())):
            break
    if step.look is not None:
        settings.echo("\n".join(conclusion(step, step.look)))
    settings.echo(report)
    return 1 if failed else 0


def target_of(executor: ExecutorOptions) -> "Target":
    """Return where the runs of a round are executed, for their cost."""
    from harness.launch.estimate.target import Target
    from harness.launch.machine import default_workers

    if executor.executor == "slurm":
        return Target(1, on_gpu=True)
    return Target.here(executor.workers or default_workers(), {})
