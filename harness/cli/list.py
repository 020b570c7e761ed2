"""`harness list`: lists papers, tables and figures, and how much of each is measured."""

from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click

from harness.advice import command
from harness.cli.options import json_option, scale_option
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.reference_times import ReferenceTimes
    from harness.registry.cells import Cell
    from harness.registry.paper import Paper
    from harness.store.results import Results

TITLE_WIDTH = 48


@click.command("list")
@scale_option
@json_option
@click.pass_obj
def list_command(settings: Settings, scale: str, as_json: bool) -> None:
    """List papers, tables and figures, and their measured cells.

    \b
    Example:  python -m harness list --json
    """
    from tabulate import tabulate

    from harness.cli.reference_times import ReferenceTimes
    from harness.cli.result_source import shown_reference
    from harness.errors import SpecError
    from harness.registry.papers import broken, broken_papers, find_paper, papers
    from harness.store.usage import about

    if not papers() and not broken_papers():
        find_paper("")
    reference, times = shown_reference(settings, scale), ReferenceTimes(settings, scale)
    unusable, listed = list(broken_papers()), list[dict[str, Any]]()
    for paper in papers().values():
        try:
            listed += _exhibits(settings, paper, scale, reference, times)
        except SpecError as error:
            unusable.append(broken(paper, error))
    for paper_that_fails in unusable:
        click.echo(str(paper_that_fails), err=True)
    if as_json:
        print_json(listed)
        return
    lines = [
        [
            f"{entry['paper']}/{entry.get('table') or entry['figure']}",
            shorten(entry["title"], TITLE_WIDTH, placeholder=" ..."),
            entry["rows"],
            f"{entry['measured']} of {entry['cells']}" + (" (optional)" if entry["optional"] else ""),
            *([f"{entry['reference']} of {entry['cells']}"] if reference else []),
            about(entry["seconds_left"]) if entry["seconds_left"] is not None else "",
        ]
        for entry in listed
    ]
    if reference and not settings.quiet:
        click.echo(_by_reference(settings, reference, times.devices), err=True)
    measured = [f"measured at scale {scale}", *(["reference"] if reference else [])]
    click.echo(tabulate(lines, ["exhibit", "title", "rows", *measured, "time left"]))


def _by_reference(settings: Settings, reference: "Results", devices: "Sequence[str]") -> str:
    where = f"the reference results in {reference.root}, measured on {', '.join(devices)}"
    return f"no runs in {settings.results_root} yet: times are by {where}; '{command('report')}' shows them"


def _exhibits(
    settings: Settings, paper: "Paper", scale: str, reference: "Results | None", times: "ReferenceTimes"
) -> list[dict[str, Any]]:
    """Return the exhibits of a paper with their measured cells and the time of what is left."""
    from harness.registry.cells import cells

    results, listed = settings.results, []
    for exhibit in paper.exhibits:
        found = list(cells(paper, exhibit, exhibit.rows, paper.scale(scale), [0]))
        measured = sum(_is_measured(results, cell) for cell in found)
        configured = sum(row.setting is not None for row in exhibit.rows)
        listed.append(
            {
                "paper": paper.name,
                exhibit.kind: exhibit.name,
                "title": exhibit.title,
                "rows": len(exhibit.rows),
                "cells": len(found) + configured,
                "measured": measured + configured,
                "optional": exhibit in paper.optional,
                "reference": sum(_is_measured(reference, cell) for cell in found) + configured if reference else None,
                "seconds_left": times.of(paper, exhibit).seconds,
            }
        )
    return listed


def _is_measured(results: "Results", cell: "Cell") -> bool:
    from harness.store.files import StoreError

    try:
        return results.reader.record(cell.run.id, cell.evaluation.id) is not None
    except StoreError:
        return False
