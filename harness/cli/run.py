"""`harness run`: trains and evaluates whatever is missing."""

import shlex
from typing import TYPE_CHECKING

import click

from harness.advice import command
from harness.cli.deciding import DecideOptions, decide_claims, decide_options, target_of
from harness.cli.executors import ExecutorOptions, executor_options, share_of
from harness.cli.options import ExecutionOptions, Selection, execution_options, json_option, selection_options
from harness.cli.settings import Settings, selected_plan

if TYPE_CHECKING:
    from harness.launch.plan import Plan


@click.command("run")
@selection_options
@click.option("--share", metavar="I/N", callback=share_of, help="Only share I (from 0) of the runs, for N array tasks "
              "with the same command (slurm/array.sbatch).")  # fmt: skip
@decide_options
@executor_options
@execution_options
@click.option(
    "--rehearse",
    is_flag=True,
    help="Only try every run in miniature with the same executor, to find problems and the cost.",
)
@click.option("--stale", is_flag=True, help="Rerun runs that were measured with code other than the installed one; "
              "old results move to RESULTS/superseded.")  # fmt: skip
@json_option
@click.option("--dry-run", "-n", is_flag=True, help="Print the plan without running anything.")
@click.pass_obj
def run_command(
    settings: Settings,
    selection: Selection,
    share: tuple[int, int] | None,
    deciding: DecideOptions,
    executor: ExecutorOptions,
    execution: ExecutionOptions,
    rehearse: bool,
    stale: bool,
    as_json: bool,
    dry_run: bool,
) -> int:
    """Train and evaluate every row of some tables and figures. Finished runs are kept, stopped runs are resumed.

    Cancelled runs are skipped. Several ranks per run: docs/distributed.md. Jobs on a cluster: docs/slurm.md.

    \b
    Examples:
      python -m harness run table6
      python -m harness run table6 --seeds 3 --workers 4
      python -m harness run table6 --rows 'GenViT*' --dry-run
      python -m harness run table6 --decide
      python -m harness run table6 --decide --most-seeds 5 --budget 2
      python -m harness run table6 --scale paper --also samples=50000
      python -m harness run table6 --executor torchrun --nproc-per-node 4 --max-restarts 3
      python -m harness run table6 --stale
      python -m harness run all --scale paper --executor slurm --profile a100
      python -m harness run all --scale paper --executor slurm --profile a100 --rehearse
    """
    from harness.cli.costs import forecast_for
    from harness.cli.executing import execute, exit_code, print_cancelled
    from harness.cli.outlook_text import outlook_of
    from harness.cli.plan import describe, describe_costs
    from harness.cli.rehearsing import rehearse as rehearse_plan
    from harness.cli.slurm import describe_arrays, request_of, submit_runs
    from harness.cli.stale import describe_stale, print_stale, supersede_stale
    from harness.errors import SpecError
    from harness.launch.needs import refuse_unfit_loader
    from harness.launch.plan import costs
    from harness.sequential.rounds import preview
    from harness.store.tidying import tidy

    executor.check()
    deciding.check()
    if deciding.decide:
        refused = {"--share": share, "--rehearse": rehearse, "--stale": stale, "--json": as_json}
        if given := [name for name, value in refused.items() if value]:
            raise SpecError(f"{given[0]} is not for --decide, which plans its runs round by round")
        decision, how = deciding.decision(selection), execution.execution()
        report = _report_command(selection)
        if dry_run:
            step = preview(decision, settings.results, target_of(executor))
            click.echo("\n".join(outlook_of(step, settings.results, target_of(executor))))
            if step.plan:
                click.echo(f"\n{describe(forecast_for(settings, step.plan, executor))}")
            return 0
        return decide_claims(settings, decision, executor, how, report)
    plan = selected_plan(settings, selection)
    if share is not None:
        plan = plan.share(*share)
    how = execution.execution()
    refuse_unfit_loader(how, plan.runs)
    if as_json and not rehearse:
        raise SpecError("--json is for --rehearse: 'plan', 'status' and 'report' have their own --json")
    if rehearse and stale:
        raise SpecError("--stale is not for --rehearse, which tries every run, whatever code measured it")
    if rehearse:
        return rehearse_plan(settings, plan, executor, how, as_json)
    planned = plan.with_stale_superseded(settings.results) if stale else plan
    expected = forecast_for(settings, planned, executor)
    if dry_run:
        click.echo("\n".join([describe(expected), *(describe_stale(plan) if stale else [])]))
        if executor.executor == "slurm":
            click.echo("\n".join(describe_arrays(settings, planned.unfinished(), executor, how)))
        return 0
    if stale:
        supersede_stale(settings, plan)
    else:
        print_stale(settings, plan)
    if share is None and selection.seeds > 1:
        _record_added_seeds(settings, selection, plan)
    todo, cancelled = plan.unfinished(), plan.cancelled()
    for finished in plan.done():
        tidy(finished.directory)
    report = _report_command(selection)
    print_cancelled(settings, cancelled)
    done = len(plan.runs) - len(todo) - len(cancelled)
    if not todo:
        which = f"all {len(plan.runs)}" if not cancelled else f"{done} of {len(plan.runs)}"
        settings.echo(f"nothing to do: {which} runs are done at scale {selection.scale}\n{report}")
        return 0 if done else 1
    runs = "1 run" if len(todo) == 1 else f"{len(todo)} runs"
    settings.echo(f"{runs} to do at scale {selection.scale}: {describe_costs(costs(todo))}")
    for line in expected.lines():
        settings.echo(line)
    if executor.executor == "slurm":
        return submit_runs(settings, todo, executor, request_of(settings, executor, how, vars(selection)), report)
    state = execute(settings, todo, len(plan.runs), executor, how)
    done += len(state.done)
    settings.echo(f"{done} of {len(plan.runs)} runs are done at scale {selection.scale}\n{report}")
    return exit_code(state, done)


def _report_command(selection: Selection) -> str:
    """Return the command that reports what was selected."""
    asked = "".join(f" --also {reading}" for reading in selection.also)
    asked += "".join(f" --rows {shlex.quote(pattern)}" for pattern in selection.rows)
    return command(f"report {' '.join(selection.exhibits)} --scale {selection.scale}{asked}")


def _record_added_seeds(settings: Settings, selection: Selection, plan: "Plan") -> None:
    """Record seeds that are added to measured rows, and say what they mean for the claims."""
    from harness.report.results.levels import level_for
    from harness.sequential.by_hand import adds_seeds, record_added

    if adds_seeds(plan, settings.results):
        exhibits = sorted({name for planned in plan.runs for name in planned.exhibits})
        papers = sorted({name.partition("/")[0] for name in exhibits})
        record_added(papers, exhibits, plan, selection.seeds, settings.results)
        level = f"{100 * level_for(selection.seeds):.4g} %"
        settings.echo(f"seeds are added to measured rows: claims are decided by intervals of {level} from now on")
