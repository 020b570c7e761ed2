"""`harness show`: shows a table or figure as printed in the paper."""

from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import json_option
from harness.cli.settings import Settings, print_json

if TYPE_CHECKING:
    from harness.registry.exhibit import Exhibit, Subtable
    from harness.registry.metrics import Metric
    from harness.registry.paper import Paper
    from harness.registry.row import Row


@click.command("show")
@click.argument("exhibit", metavar="TABLE|FIGURE")
@json_option
@click.pass_obj
def show_command(settings: Settings, exhibit: str, as_json: bool) -> None:
    """Show a table or figure as printed in the paper. Lists rows, reported values and their sources.

    \b
    Examples:
      python -m harness show table6
      python -m harness show hybvit/table6 --json
    """
    from harness.errors import SpecError
    from harness.registry.papers import find_exhibits

    found = find_exhibits([exhibit])
    if len(found) > 1:
        raise SpecError(f"'{exhibit}' matches {len(found)} exhibits: {', '.join(e.name for _, e in found)}")
    paper, spec = found[0]
    if as_json:
        print_json(_document(paper, spec))
        return
    click.echo(f"{spec.kind.capitalize()} {spec.number} of {paper.title}: {spec.title}\n")
    for block in spec.blocks():
        click.echo(f"{block.caption}\n" if block.caption else "", nl=False)
        click.echo(_grid(spec, block) + "\n")
    for claim in spec.claims:
        click.echo(f"{claim.where}: {claim.says}")


def _document(paper: "Paper", exhibit: "Exhibit") -> dict[str, Any]:
    from harness.report.writers.csv_json import as_printed

    return {
        "paper": paper.name,
        exhibit.kind: exhibit.name,
        "title": exhibit.title,
        "metrics": [metric.key for metric in exhibit.metrics],
        "rows": [
            {
                "section": row.section,
                "label": row.label,
                "source": row.source,
                "sources": {metric.key: exhibit.source(row, metric) for metric in exhibit.metrics},
                "reported": {metric.key: as_printed(exhibit.reported(row, metric)) for metric in exhibit.metrics},
                "reported_sd": {metric.key: exhibit.reported_sd(row, metric) for metric in exhibit.metrics},
                "reported_n": {metric.key: exhibit.reported_n(row, metric) for metric in exhibit.metrics},
                "run": row.run.id if row.run else None,
            }
            for row in exhibit.rows
        ],
    }


def _grid(exhibit: "Exhibit", block: "Subtable") -> str:
    from tabulate import tabulate

    sections = any(row.section for row in block.rows) and not block.caption
    lines = [
        [
            *([row.section] if sections else []),
            row.label,
            *(_printed(exhibit, row, metric) for metric in block.metrics),
            row.source,
            row.run.id if row.run else "-",
        ]
        for row in block.rows
    ]
    first = ["section", "row"] if sections else ["row"]
    metrics = [f"{metric.label} {metric.unit}".strip() for metric in block.metrics]
    headings = [*first, *metrics, "source", "run at paper scale"]
    return tabulate(lines, headings, disable_numparse=True, stralign="left")


def _printed(exhibit: "Exhibit", row: "Row", metric: "Metric") -> str:
    """Return a cell as the paper prints it, with its number of seeds and its source if it differs from its row's."""
    seeds, source = exhibit.reported_n(row, metric), exhibit.source(row, metric)
    said = [f"n = {seeds}"] if seeds else []
    said += [source] if source != row.source else []
    text = metric.reported(exhibit.reported(row, metric), exhibit.reported_sd(row, metric))
    return f"{text} ({', '.join(said)})" if said else text
