"""`harness plan`: what a selection of tables and figures would run, and what that costs."""

import click

from harness.cli.settings import Settings, find_with_readings, json_option, print_json, selection_options


@click.command("plan")
@selection_options
@json_option
@click.pass_obj
def plan_command(
    settings: Settings,
    exhibits: tuple[str, ...],
    scale: str,
    seeds: int,
    rows: str | None,
    also: tuple[str, ...],
    as_json: bool,
) -> None:
    """The distinct runs behind some tables and figures: who shares them, what they cost, what is done already.

    \b
    Examples:
      python -m harness plan table6
      python -m harness plan table6 --scale paper --json
    """
    from harness.launch.plan import make_plan

    plan = make_plan(find_with_readings(exhibits, also), scale, seeds, rows, settings.results)
    document = plan.to_json()
    if as_json:
        print_json(document)
    else:
        click.echo(describe(document))


def describe(document: dict) -> str:  # type: ignore[type-arg]
    """Return the plan's JSON document as a readable table."""
    from tabulate import tabulate

    lines = [
        [
            run["name"],
            run["id"],
            f"{run['parameters']:,}",
            f"{run['iterations']:,}",
            f"{run['train_flops']:.2e}",
            _hours(run),
            run["state"],
            ", ".join(name.partition("/")[2] for name in run["tables"]),
        ]
        for run in document["runs"]
    ]
    headings = ["run", "id", "parameters", "iterations", "FLOPs", "paper's GPU-hours", "state", "tables"]
    align = ("left", "left", "right", "right", "right", "left", "left", "left")
    totals = document["totals"]
    summary = (
        f"{totals['runs']} distinct runs at scale {document['scale']}, {totals['done']} done: {describe_costs(totals)}"
    )
    return f"{tabulate(lines, headings, disable_numparse=True, colalign=align)}\n\n{summary}"


def describe_costs(costs: dict) -> str:  # type: ignore[type-arg]
    """Return what runs come to, in a few words."""
    hours = f", {costs['reported_gpu_hours']:,} GPU-hours of the paper's" if costs["reported_gpu_hours"] else ""
    return f"{costs['train_flops']:.2e} FLOPs{hours}, up to {costs['disk_bytes'] / 2**20:,.0f} MiB of disk"


def _hours(run: dict) -> str:  # type: ignore[type-arg]
    return f"{run['reported_gpu_hours']} ({run['gpu_hours_source']})" if run["reported_gpu_hours"] else "-"
