"""`harness data`: lists, prepares and verifies datasets."""

import click

from harness.cli.data.list import list_command
from harness.cli.data.prepare import prepare_command
from harness.cli.data.verify import verify_command
from harness.cli.group import Commands


@click.group("data", cls=Commands, invoke_without_command=True)
@click.pass_context
def data_group(ctx: click.Context) -> None:
    """List, prepare and verify datasets.

    \b
    Examples:
      python -m harness data list
      python -m harness data prepare cifar10 --from ~/Downloads
      python -m harness data verify
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in (list_command, prepare_command, verify_command):
    data_group.add_command(command)
