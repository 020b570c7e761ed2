"""Options that several commands share. Groups of options arrive as one object."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.advice import DEFAULT_SCALE

if TYPE_CHECKING:
    from harness.config.execution import Execution

F = TypeVar("F", bound=Callable[..., Any])

scale_option = click.option(
    "--scale", default=DEFAULT_SCALE, show_default=True, help="Scale: laptop, paper, paper-fp32, ..."
)
also_option = click.option(
    "--also",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Another protocol beside the paper's, such as samples=50000; separate several settings by commas.",
)
rows_option = click.option(
    "--rows",
    multiple=True,
    metavar="PATTERN",
    help="Only rows with a matching name, such as 'HybViT(dim=*)'; repeat it for more rows.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


@dataclass
class Selection:
    """Tables and figures, with the scale, seeds, rows and additional protocols of their runs."""

    exhibits: tuple[str, ...] = ()
    scale: str = DEFAULT_SCALE
    seeds: int = 1
    rows: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass
class ExecutionOptions:
    """How workers execute runs."""

    loader: str = "auto"
    compile: str = "auto"
    tensorboard: bool = False

    def execution(self) -> "Execution":
        """Return the settings of the workers."""
        from harness.config.execution import Execution

        return Execution(loader=self.loader, compile=self.compile, tensorboard=self.tensorboard)


@dataclass
class WorkerOptions(ExecutionOptions):
    """How one worker executes a run."""

    device: str | None = None
    restartable: bool = False


def option_group(name: str, kind: type[Any], *options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator that adds options to a command, which gets them as one object of `kind`, called `name`.

    `kind` is a mutable dataclass whose fields have the options' names and defaults.
    """

    def decorate(command: F) -> F:
        for add in reversed(options):
            add(command)
        for parameter in command.__click_params__[-len(options) :]:  # type: ignore[attr-defined]
            parameter.callback = _set_field(name, kind, parameter.name, parameter.callback)
            parameter.expose_value = False
        # Click passes the group under the name of one option; the callbacks of the others complete the same object.
        parameter.name, parameter.expose_value = name, True
        return command

    return decorate


def _set_field(group: str, kind: type[Any], field: str, check: Callable[..., Any] | None) -> Callable[..., Any]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        whole = context.meta.setdefault(f"harness.{group}", kind())
        setattr(whole, field, check(context, parameter, value) if check else value)
        return whole

    return callback


def _check_tensorboard(context: click.Context, option: click.Parameter, wanted: bool) -> bool:
    """Warn here if TensorBoard is not installed, since workers would only log it."""
    from importlib.util import find_spec

    if wanted and find_spec("tensorboard") is None:
        how = "python -m pip install -c constraints.txt -e '.[tensorboard]'"
        click.echo(f"no event files: TensorBoard is not installed: {how}", err=True)
    return wanted


def _one_of(name: str, allowed: tuple[str, ...], help: str) -> Callable[[F], F]:
    return click.option(name, type=click.Choice(allowed), default="auto", show_default=True, help=help)


EXECUTION = (
    click.option("--tensorboard", is_flag=True, callback=_check_tensorboard,
                 help="Also write event files, for 'tensorboard --logdir RESULTS/runs'."),
    _one_of("--loader", ("auto", "resident", "ffcv", "torch"), "Loader of the images (auto: the one that fits)."),
    _one_of("--compile", ("auto", "on", "off"), "Compile networks (auto: on a GPU)."),
)  # fmt: skip

selection_options = option_group(
    "selection",
    Selection,
    click.argument("exhibits", nargs=-1, required=True, metavar="TABLE|FIGURE..."),
    scale_option,
    click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds 0 to N-1 of every row."),
    rows_option,
    also_option,
)
execution_options = option_group("execution", ExecutionOptions, *EXECUTION)
worker_options = option_group(
    "options",
    WorkerOptions,
    click.option("--device", help="Torch device.  [default: cuda if there is one, else cpu]"),
    click.option("--restartable", is_flag=True, help="Exit with 0 unless a rank was lost, for launchers that restart "
                 "what exits otherwise."),
    *EXECUTION,
)  # fmt: skip
