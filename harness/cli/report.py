"""`harness report`: paper and measured side by side, on the terminal and in files."""

import click

from harness.cli.settings import Settings, json_option, print_json, scale_option

FORMATS = ("latex", "markdown", "csv", "json")


@click.command("report")
@click.argument("tables", nargs=-1, metavar="[TABLE...]")
@scale_option
@click.option("--format", "formats", default=",".join(FORMATS), help=f"Files to write, of: {','.join(FORMATS)}.")
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw the figures too.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a cell FAILs.")
@json_option
@click.pass_obj
def report_command(
    settings: Settings,
    tables: tuple[str, ...],
    scale: str,
    formats: str,
    figures: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Paper and measured values side by side, verdicts, claims, figures. Partial results are normal.

    \b
    Examples:
      python -m harness report table6
      python -m harness report table6 --format latex
      python -m harness report --json
    """
    from harness.report.build import build
    from harness.report.data import FORMAT, to_json
    from harness.report.figures import write_figures
    from harness.report.files import write
    from harness.report.plain import terminal
    from harness.spec.errors import unknown
    from harness.spec.registry import find_tables

    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for name in wanted:
        if name not in FORMATS:
            raise unknown("format", name, FORMATS)
    results = settings.results
    reports = [build(p, table, p.scale(scale), results) for p, table in find_tables(tables or ["all"])]
    if as_json:
        print_json({"format": FORMAT, "tables": [to_json(report) for report in reports]})
    else:
        for report in reports:
            click.echo(terminal(report))
            written = write(report, wanted, results)
            if figures:
                written += write_figures(report, results)
            settings.say(f"wrote {', '.join(path.name for path in written)}\nto {written[0].parent}")
    return 1 if strict and any(report.failures for report in reports) else 0
