"""The command line of a lab. Errors are printed on one line, followed by the last lines of a failed daemon's log."""

import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from harness import __version__
from harness.errors import HarnessError
from harness.exit_codes import ExitCode
from harness.lab.configuration import Shape
from harness.lab.errors import LabError, LabRunningError
from harness.lab.folder import Folder, default_folder
from harness.lab.lab import Lab, stop

F = TypeVar("F", bound=Callable[..., Any])


def folder_option(command: F) -> F:
    """Add `--folder`."""
    return click.option(
        "--folder",
        type=click.Path(path_type=Path),
        default=default_folder,
        help="Folder of the lab (or HARNESS_LAB).  [default: ~/.local/state/harness/lab]",
    )(command)


@click.group(
    invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="harness.lab")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A real SLURM on this machine: several nodes, preempting partitions, accounting.

    \b
    Examples:
      python -m harness.lab start                  four nodes, with accounting
      eval "$(python -m harness.lab env)"          sinfo, sbatch, squeue, ... now mean the lab
      sbatch --wrap hostname
      python -m harness.lab stop
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@cli.command()
@folder_option
@click.option("--nodes", type=click.IntRange(1, 64), default=4, show_default=True, help="Nodes node1 to nodeN.")
@click.option("--cpus-per-node", type=click.IntRange(1, 256), default=8, show_default=True, help="Simulated CPUs.")
@click.option("--gpus-per-node", type=click.IntRange(0, 16), default=0, show_default=True, help="Simulated GPUs.")
@click.option("--accounting/--no-accounting", default=True, show_default=True, help="slurmdbd and MariaDB, for sacct.")
@click.option(
    "--auth", type=click.Choice(["munge", "none"]), help="[default: munge with accounting, none without]", default=None
)
@click.option(
    "--max-array-size", type=click.IntRange(2, 4_000_001), default=1001, show_default=True, help="MaxArraySize."
)
@click.option(
    "--grace", type=click.IntRange(0, 3600), default=5, show_default=True, help="Seconds for a preempted job to exit."
)
@click.option("--port", type=click.IntRange(1024, 65_000), help="First of nodes + 2 ports.  [default: free ones]")
def start(folder: Path, port: int | None, accounting: bool, auth: str | None, grace: int, **shape: int) -> int:
    """Start a lab and wait until all nodes are idle.

    \b
    Examples:
      python -m harness.lab start
      python -m harness.lab start --no-accounting             in a fifth of a second; no sacct
      python -m harness.lab start --nodes 8 --gpus-per-node 4
      python -m harness.lab start --folder /tmp/second        beside the first
    """
    auth = auth or ("munge" if accounting else "none")
    wanted = Shape.model_validate({**shape, "accounting": accounting, "auth": auth, "grace_seconds": grace})
    try:
        lab = Lab.start(folder, wanted, port)
    except LabRunningError as error:
        there = Lab.at(folder)
        if there is None:
            raise
        if dead := [name for name, pid in there.daemons_alive().items() if pid is None]:
            raise LabError(f"{error}, without {', '.join(dead)}: restart {' '.join(dead)}, or stop it first") from None
        click.echo(f"# {error}; stop it first to change it")
        click.echo(_export(there))
        return 0
    click.echo(f"# {len(lab.configuration.node_names)} nodes are idle in the lab in {lab.folder}")
    click.echo(_export(lab))
    return 0


@cli.command("stop")
@folder_option
def stop_command(folder: Path) -> None:
    """Stop the lab and all processes of its jobs; its logs are kept.

    \b
    Example:
      python -m harness.lab stop
    """
    if not folder.is_dir():
        click.echo(f"no lab in {folder}")
        return
    stop(Folder(folder))
    click.echo(f"stopped; logs are in {folder}/log")


@cli.command()
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def status(folder: Path, as_json: bool) -> int:
    """Show daemons and nodes; exit with 1 if there is no lab or a daemon is dead.

    \b
    Example:
      python -m harness.lab status
    """
    lab = Lab.at(folder)
    pids = lab.daemons_alive() if lab else {}
    nodes = lab.node_states() if lab and pids["slurmctld"] else {}
    if as_json:
        conf = str(lab.folder.slurm_conf) if lab else None
        click.echo(json.dumps({"slurm_conf": conf, "daemons": pids, "nodes": nodes}, indent=2))
    elif lab is None:
        click.echo(f"no lab in {folder}")
    else:
        click.echo(_export(lab))
        for name, pid in pids.items():
            click.echo(f"{name:<10} {f'pid {pid}' if pid else 'dead':<12} {nodes.get(name, '')}".rstrip())
    return 0 if lab and all(pids.values()) else 1


@cli.command()
@folder_option
def env(folder: Path) -> None:
    """Print the shell line that points SLURM's commands to the lab.

    \b
    Example:
      eval "$(python -m harness.lab env)"
    """
    click.echo(_export(_there(folder)))


@cli.command()
@folder_option
@click.argument("names", nargs=-1, required=True, metavar="NODE|DAEMON...")
def kill(folder: Path, names: Sequence[str]) -> None:
    """Kill daemons with SIGKILL; killing a node also kills its jobs' processes.

    \b
    Examples:
      python -m harness.lab kill node2
      python -m harness.lab kill slurmdbd
    """
    lab = _there(folder)
    for name in names:
        lab.kill(name)


@cli.command()
@folder_option
@click.argument("names", nargs=-1, required=True, metavar="NODE|DAEMON...")
def restart(folder: Path, names: Sequence[str]) -> None:
    """Restart dead daemons.

    \b
    Example:
      python -m harness.lab restart node2 slurmdbd
    """
    lab = _there(folder)
    for name in names:
        lab.restart(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1, 2 for a usage error, 130 if interrupted."""
    try:
        code = cli.main(args=arguments, prog_name="python -m harness.lab", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        return _echo(error.format_message(), error.exit_code)
    except HarnessError as error:
        return _echo(str(error), error.exit_code, getattr(error, "log", ""))
    except (KeyboardInterrupt, click.Abort):
        return _echo("interrupted", ExitCode.INTERRUPTED)
    except OSError as error:
        return _echo(f"{error.filename or 'file'}: {error.strerror or error}", 1)


def _there(folder: Path) -> Lab:
    if lab := Lab.at(folder):
        return lab
    raise LabError(f"no lab in {folder}: start one")


def _export(lab: Lab) -> str:
    return f"export SLURM_CONF={shlex.quote(str(lab.folder.slurm_conf))}"


def _echo(message: str, code: int, log: str = "") -> int:
    print(f"lab: {' '.join(message.split())}", file=sys.stderr)
    for line in log.splitlines():
        print(f"  {line}", file=sys.stderr)
    return code
