"""Several options of a command as one argument."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


def option_group(name: str, kind: type[Any], *options: Callable[[Any], Any]) -> Decorator[Any]:
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
