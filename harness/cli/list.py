"""`harness list`: papers and tables, and how much of each is measured."""

import click

from harness.cli.settings import Settings, json_option, print_json, scale_option


@click.command("list")
@scale_option
@json_option
@click.pass_obj
def list_command(settings: Settings, scale: str, as_json: bool) -> None:
    """Papers and tables, and how much of each is measured.

    \b
    Example:  python -m harness list --json
    """
    from tabulate import tabulate

    from harness.spec.cells import cells
    from harness.spec.registry import papers

    results = settings.results
    listed = []
    for paper in papers().values():
        for table in paper.tables:
            found = list(cells(paper, table, table.rows, paper.scale(scale), [0]))
            measured = sum(results.directory(c.run).record_path(c.evaluation).exists() for c in found)
            listed.append(
                {
                    "paper": paper.name,
                    "table": table.name,
                    "title": table.title,
                    "rows": len(table.rows),
                    "cells": len(found),
                    "measured": measured,
                }
            )
    if as_json:
        print_json(listed)
        return
    lines = [[f"{e['paper']}/{e['table']}", e["title"], e["rows"], f"{e['measured']} of {e['cells']}"] for e in listed]
    click.echo(tabulate(lines, ["table", "title", "rows", f"measured at scale {scale}"]))
