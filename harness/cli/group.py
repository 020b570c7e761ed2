"""Command groups, such as `harness` and `harness data`."""

import click

from harness.errors import unknown


class Commands(click.Group):
    """A group that lists its commands in order of registration and suggests the nearest name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of registration."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; an unknown name raises an error with the nearest one."""
        if args and self.get_command(ctx, args[0]) is None:
            raise unknown("command", args[0], (name for name, one in self.commands.items() if not one.hidden))
        return super().resolve_command(ctx, args)
