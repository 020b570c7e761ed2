"""`harness list`: papers, tables and figures, and how much of each is measured."""

from textwrap import shorten
from typing import Any

import click

from harness.cli.settings import Settings, json_option, print_json, scale_option

TITLE_WIDTH = 72


@click.command("list")
@scale_option
@json_option
@click.pass_obj
def list_command(settings: Settings, scale: str, as_json: bool) -> None:
    """Papers, tables and figures, and how much of each is measured.

    \b
    Example:  python -m harness list --json
    """
    from tabulate import tabulate

    from harness.spec.cells import cells
    from harness.spec.registry import papers

    results = settings.results
    listed: list[dict[str, Any]] = []
    for paper in papers().values():
        for exhibit in paper.exhibits:
            found = list(cells(paper, exhibit, exhibit.rows, paper.scale(scale), [0]))
            measured = sum(results.directory(c.run).record_path(c.evaluation).exists() for c in found)
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
