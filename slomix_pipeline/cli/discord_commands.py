"""``slomix discord``: arguments and exit codes.

Does not belong here: what a command does (``actions.registering``).
"""

import click

from slomix_pipeline.cli.terminal import Commands, clear_errors, out, print_json, read_settings


@click.group(cls=Commands)
def discord() -> None:
    """Slash commands on Discord."""


@discord.command()
@click.option("--dry-run", is_flag=True, help="Print what Discord would be told, and tell it nothing.")
def register(dry_run: bool) -> None:
    """Tell Discord which commands there are, once and after every update that says so; needs
    SLOMIX_DISCORD_BOT_TOKEN."""
    with clear_errors():
        if dry_run:
            from slomix_pipeline.site.interactions.commands import registration

            print_json(registration())
            return
        from slomix_pipeline.actions import registering

        out.print(registering.register(read_settings()), soft_wrap=True)
