"""The command group and its error handling: one line on stderr and the documented exit code."""

from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from harness import INSTALL, __version__, environment
from harness.advice import repeat_options
from harness.cli import streams
from harness.cli.cancel import cancel_command
from harness.cli.compare import compare_command
from harness.cli.data import data_group
from harness.cli.doctor import doctor_command
from harness.cli.group import Commands
from harness.cli.list import list_command
from harness.cli.logs import logs_command
from harness.cli.paths import PathType
from harness.cli.plan import plan_command
from harness.cli.recheck import recheck_command
from harness.cli.report import report_command
from harness.cli.retry import retry_command
from harness.cli.run import run_command
from harness.cli.sample import sample_command
from harness.cli.settings import Settings
from harness.cli.show import show_command
from harness.cli.status import status_command
from harness.cli.verify import verify_command
from harness.cli.worker import preflight_command, worker_command
from harness.cli.worker_task import worker_task_command
from harness.errors import HarnessError
from harness.exit_codes import ExitCode

WRITING = ("run", "retry", "cancel", "sample", "worker", "worker-task", "worker-preflight")
"""Commands that change runs."""


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="harness")
@click.option(
    "--results",
    type=PathType(readable=False),
    default=lambda: environment.path(environment.RESULTS) or Path("results"),
    help="Results directory (or HARNESS_RESULTS).  [default: results]",
)
@click.option(
    "--data",
    type=PathType(readable=False),
    default=lambda: environment.path(environment.DATA) or Path("data"),
    help="Folder of prepared datasets (or HARNESS_DATA).  [default: data]",
)
@click.option("--quiet", "-q", is_flag=True, help="Print results and errors only.")
@click.option("--no-color", is_flag=True, help="Print without colours (or set NO_COLOR).")
@click.pass_context
def cli(ctx: click.Context, results: Path, data: Path, quiet: bool, no_color: bool) -> None:
    """Rerun the tables and figures of a paper and compare measured with reported values.

    \b
    Examples:
      python -m harness list                     papers, tables and figures, and what is measured
      python -m harness run table6               train and evaluate every row, at laptop scale
      python -m harness report table6            paper and measured values side by side, in every format
      python -m harness plan table6 --scale paper    the cost of the paper's own scale
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
    if ctx.invoked_subcommand in WRITING:
        environment.check()
        _refuse_bundle(results)
    repeat_options(_given(ctx))
    ctx.obj = Settings(results_root=results, data_root=data, quiet=quiet, color=not no_color)


for command in (
    list_command,
    show_command,
    plan_command,
    run_command,
    status_command,
    logs_command,
    cancel_command,
    retry_command,
    report_command,
    compare_command,
    verify_command,
    recheck_command,
    sample_command,
    data_group,
    doctor_command,
    worker_command,
    worker_task_command,
    preflight_command,
):
    cli.add_command(command)


def _given(ctx: click.Context) -> list[str]:
    """Return the folders given on the command line, as options."""
    given = [name for name in ("results", "data") if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    return [word for name in given for word in (f"--{name}", str(ctx.params[name]))]


def _refuse_bundle(results: Path) -> None:
    """Raise an error for a bundle: it has no weights, so its runs cannot be continued."""
    from harness.bundle.manifest import MANIFEST

    if (results / MANIFEST).is_file():
        raise click.UsageError(f"{results} is a bundle, which has no weights to continue from: give other --results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (docs/results.md)."""
    streams.protect()
    with streams.printing():
        try:
            return _call(arguments)
        finally:
            repeat_options(())


def _call(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(args=arguments, prog_name="harness", standalone_mode=False)
        streams.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        return _echo(error.format_message(), error.exit_code)
    except HarnessError as error:
        return _echo(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _echo("interrupted; the same command continues from here", ExitCode.INTERRUPTED)
    except ModuleNotFoundError as error:
        if (error.name or "harness").partition(".")[0] == "harness":
            raise
        return _echo(f"the package '{error.name}' is not installed: {INSTALL}", 1)
    except OSError as error:
        return _echo(f"{error.filename or 'file'}: {error.strerror or error}", 1)


def _echo(message: str, code: int) -> int:
    click.echo(f"harness: {' '.join(message.split())}", err=True)
    return code
