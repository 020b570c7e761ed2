"""`harness doctor`: checks this machine, and prints the commands that fix problems."""

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from harness.cli.options import json_option, scale_option
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from harness.doctor.check import Check
    from harness.doctor.examine import Examination
    from harness.doctor.readiness import Readiness

WIDTH, INDENT = 80, 28


@click.command("doctor")
@click.argument("exhibits", nargs=-1, metavar="[TABLE|FIGURE|PAPER...]")
@scale_option
@json_option
@click.pass_obj
def doctor_command(settings: Settings, exhibits: tuple[str, ...], scale: str, as_json: bool) -> int:
    """Check what this machine can run and what is missing. Prints the commands that fix it.

    Checks everything for all scales, for the default paper unless others are named. The exit code is 1 if anything
    that the chosen scale needs is missing, else 0.

    \b
    Examples:
      python -m harness doctor
      python -m harness doctor --scale paper --json
      python -m harness doctor hybvit/table6 --scale paper
    """
    from harness.doctor.examine import examine
    from harness.launch.plan import make_plan
    from harness.registry.papers import find_exhibits
    from harness.registry.scale import PAPER_SCALE

    selection = find_exhibits(exhibits or ["all"])
    chosen_papers = {paper.name: paper for paper, _ in selection}.values()
    for paper in chosen_papers:
        paper.scale(scale)
    shared = set.intersection(*({s.name for s in (*paper.scales, PAPER_SCALE)} for paper in chosen_papers))
    plans = (make_plan(selection, name, 1, (), settings.results) for name in sorted({*shared, scale}))
    found = examine(plans, settings.results_root, settings.data_root)
    chosen = next(entry for entry in found.scales if entry.scale == scale)
    if as_json:
        print_json({"scale": scale, "ready": chosen.ready, **found.to_json()})
    else:
        click.echo("\n".join(_lines(found)))
    return 0 if chosen.ready else 1


def _lines(found: "Examination") -> Iterator[str]:
    yield from ("This machine", *_checks(found.machine))
    yield from ("", "Optional", *_checks(found.extras))
    yield from ("", "Datasets", *_checks(_datasets(found.datasets)))
    yield from ("", "What can run here")
    for entry in found.scales:
        yield from _fold(f"  {entry.scale} scale".ljust(INDENT), _describe_readiness(entry))


def _checks(checks: "Iterable[Check]") -> Iterator[str]:
    for check in checks:
        yield from _fold(f"  {check.state:<10}{check.name:<{INDENT - 12}}", check.says)
        for command in filter(None, check.mend.split(" && ")):
            yield f"{'':12}$ {command}"


def _fold(head: str, text: str) -> list[str]:
    return wrap(head + text, WIDTH, subsequent_indent=" " * INDENT, break_long_words=False, break_on_hyphens=False)


def _datasets(checks: "Iterable[Check]") -> "Iterator[Check]":
    """Add to real datasets the exhibits that need them; put intact stand-ins on one line."""
    from dataclasses import replace

    from harness.cli.ranges import ranges
    from harness.doctor.check import Check, CheckState

    stand_ins = 0
    for check in checks:
        if check.facts["embedded"] and check.state is CheckState.OK:
            stand_ins += 1
            continue
        runs, hours = check.facts["runs"], check.facts["reported_gpu_hours"]
        cost = f" ({hours:,} of the paper's GPU-hours)" if hours else ""
        use = f"{runs} run{'s' * (runs != 1)}{cost}" if runs else "evaluations only"
        yield replace(check, says=f"{check.says}; {use}: {'; '.join(ranges(check.facts['needed_by']))}")
    if stand_ins:
        yield Check("stand-ins", CheckState.OK, f"{stand_ins} of them, prepared or made on first use")


def _describe_readiness(entry: "Readiness") -> str:
    hours = f" ({entry.reported_gpu_hours:,} of the paper's GPU-hours)" if entry.reported_gpu_hours else ""
    runs = f"{entry.runs} runs{hours}, {entry.done} done"
    if entry.ready:
        return f"ready: {runs}"
    return (
        f"not ready: {runs}. Of the others {entry.can_start} can start, {entry.can_finish} can be measured completely. "
        f"Missing: {', '.join(entry.missing)}"
    )
