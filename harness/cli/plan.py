"""`harness plan`: shows the runs behind some tables and figures, and their cost."""

from typing import TYPE_CHECKING

import click

from harness.cli.deciding import DecideOptions, decide_options, target_of
from harness.cli.executors import ExecutorOptions
from harness.cli.options import Selection, json_option, selection_options
from harness.cli.settings import Settings, print_json, selected_plan

if TYPE_CHECKING:
    from harness.launch.estimate.forecast import Forecast
    from harness.launch.estimate.run_estimates import Estimate


@click.command("plan")
@selection_options
@click.option("--workers", type=click.IntRange(1), help="Runs in parallel.  [default: as 'run' on this machine]")
@click.option("--profile", metavar="NAME", help="Show the arrays of 'run --executor slurm --profile NAME' too.")
@decide_options
@json_option
@click.pass_obj
def plan_command(
    settings: Settings,
    selection: Selection,
    deciding: DecideOptions,
    workers: int | None,
    profile: str | None,
    as_json: bool,
) -> None:
    """Show the runs behind tables and figures, and their cost. Lists each distinct run once, with its state.

    --decide shows what undecided claims turn on, and the seeds, runs and hours that 'run --decide' would take.

    \b
    Examples:
      python -m harness plan table6
      python -m harness plan table6 --decide
      python -m harness plan table6 --scale paper --json
      python -m harness plan all --scale paper --profile a100
    """
    from harness.cli.costs import arrays_of, forecast_here, forecast_on_cluster
    from harness.cli.outlook_text import document, outlook_of
    from harness.cli.result_source import shown_reference
    from harness.errors import SpecError
    from harness.launch.estimate.forecast import with_costs
    from harness.sequential.rounds import preview

    deciding.check()
    if deciding.decide:
        if profile:
            raise SpecError("--profile is not for --decide, which plans its runs round by round")
        decision, target = deciding.decision(selection), target_of(ExecutorOptions(workers=workers))
        results = shown_reference(settings, selection.scale) or settings.results
        if results.label and not settings.quiet:
            says = f"by the {results.label}, which 'run' does not use: it begins with round 1"
            click.echo(f"no runs in {settings.results_root} yet: {says}", err=True)
        step = preview(decision, results, target)
        if as_json:
            print_json(document(step, results, target))
        else:
            click.echo("\n".join(outlook_of(step, results, target)))
        return
    plan = selected_plan(settings, selection)
    arrays = arrays_of(settings, plan, profile) if profile else None
    expected = forecast_on_cluster(settings, plan, arrays) if arrays else forecast_here(settings, plan, workers)
    if as_json:
        print_json({**with_costs(plan.to_json(), expected), "arrays": arrays.to_json() if arrays else None})
    else:
        click.echo("\n".join([describe(expected), *(arrays.lines() if arrays else [])]))


def describe(expected: "Forecast") -> str:
    """Return a plan with its costs as a table."""
    from tabulate import tabulate

    from harness.store.code import describe_other_code

    document = expected.plan.to_json()
    reported = any(run["reported_gpu_hours"] for run in document["runs"])
    lines = [
        [
            run["name"],
            run["id"],
            f"{run['parameters']:,}",
            f"{run['iterations']:,}",
            f"{run['train_flops']:.2e}",
            *([_reported(run)] if reported else []),
            *_left(expected.estimates[run["id"]]),
            run["state"],
            ", ".join(name.partition("/")[2] for name in run["tables"]),
        ]
        for run in document["runs"]
    ]
    columns = ["run", "id", "parameters", "iterations", "FLOPs", *(["paper's GPU-hours"] if reported else [])]
    headings = [*columns, "hours left", "by", "state", "tables"]
    align = ["right" if name in ("parameters", "iterations", "FLOPs", "hours left") else "left" for name in headings]
    totals = document["totals"]
    summary = (
        f"{totals['runs']} distinct runs at scale {document['scale']}, {totals['done']} done: {describe_costs(totals)}"
    )
    table = tabulate(lines, headings, disable_numparse=True, colalign=align)
    other = describe_other_code({run["id"]: run["stale"] for run in document["runs"] if run["stale"]})
    stale = [f"{other}: rerun with --stale"] if other else []
    first = f"{totals['runs']} runs at scale {document['scale']}, {totals['done']} done: {_time(expected)}"
    return "\n".join([first, "", table, "", summary, *expected.lines(), *stale])


def _time(expected: "Forecast") -> str:
    """Return in a few words how long the unfinished runs take, and by what measurements."""
    from harness.store.usage import SECONDS_PER_HOUR, about

    if not expected.todo:
        return "nothing is left to do"
    if expected.longest is None:
        return "their time is unknown, since nothing like them is measured"
    unknown = len(expected.todo) - len(expected.known)
    without = f", and {unknown} of unknown length" if unknown else ""
    workers = expected.target.workers
    at_once = "one at a time" if workers == 1 else f"{workers} at a time"
    return f"{about(expected.wall_hours * SECONDS_PER_HOUR)} with {at_once}{without} ({expected.sources()})"


def describe_costs(costs: dict) -> str:  # type: ignore[type-arg]
    """Return the total cost of runs in a few words."""
    hours = f", {costs['reported_gpu_hours']:,} GPU-hours of the paper's" if costs["reported_gpu_hours"] else ""
    return f"{costs['train_flops']:.2e} FLOPs{hours}, up to {costs['disk_bytes'] / 2**20:,.0f} MiB of disk"


def _left(estimate: "Estimate") -> tuple[str, str]:
    """Return the hours left of a run, and the source of the estimate."""
    from harness.store.usage import hours

    if estimate.source == "done":
        return "", ""
    total = estimate.usage.gpu_hours + estimate.usage.core_hours
    return "?" if estimate.seconds is None else hours(total), estimate.says


def _reported(run: dict) -> str:  # type: ignore[type-arg]
    return f"{run['reported_gpu_hours']} ({run['gpu_hours_source']})" if run["reported_gpu_hours"] else "-"
