"""`harness list`: lists papers, tables and figures, and how much of each is measured."""

from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option, scale_option
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from harness.registry.cells import Cell
    from harness.registry.paper import Paper
    from harness.store.results import Results

TITLE_WIDTH = 72


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

    from harness.errors import SpecError
    from harness.registry.papers import broken, broken_papers, find_paper, papers

    if not papers() and not broken_papers():
        find_paper("")
    unusable, listed = list(broken_papers()), list[dict[str, Any]]()
    for paper in papers().values():
        try:
            listed += _exhibits(settings, paper, scale)
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
        ]
        for entry in listed
    ]
    click.echo(tabulate(lines, ["exhibit", "title", "rows", f"measured at scale {scale}"]))


def _exhibits(settings: Settings, paper: "Paper", scale: str) -> list[dict[str, Any]]:
    """Return the exhibits of a paper with their measured cells."""
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
            }
        )
    return listed


def _is_measured(results: "Results", cell: "Cell") -> bool:
    from harness.store.files import StoreError

    try:
        return results.reader.record(cell.run.id, cell.evaluation.id) is not None
    except StoreError:
        return False
