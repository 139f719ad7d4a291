"""The command ``post``: what is told on demand, and what a person decides about a message in doubt.

Belongs here: arguments and exit codes. Does not belong here: what a command does (``actions.asking``,
``actions.posting``), what the terminal shows of the same (``careers``).
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from slomix_pipeline.cli.careers import MAP, MIN_ROUNDS, SINCE, one_is_meant
from slomix_pipeline.cli.terminal import (
    Commands,
    clear_errors,
    database_of,
    not_here,
    out,
    progress_bar,
    read_settings,
)
from slomix_pipeline.rules.boards import BoardName

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import DictRow

    from slomix_pipeline.rules.asked import Asked


@click.group(cls=Commands, invoke_without_command=True, subcommand_metavar="[COMMAND [ARGS]...]")
@click.option("--retry", metavar="THING", help="Send it again: somebody looked, and it is not there.")
@click.option("--told", metavar="THING", help="Note that it is there: somebody saw it in the channel.")
@click.option("--message", metavar="ID", help="With --told: its message id, so that it can be corrected later.")
@click.pass_context
def post(context: click.Context, retry: str | None, told: str | None, message: str | None) -> None:
    """Post a board, a player and so on in the channel; or, with --retry or --told, resolve a message that is in doubt,
    refused or was never told.

    THING is its name as slomix audit, slomix sessions and the checks have it, such as
    result:main:2026-02-02-213333-supply-round-2. Exit code 2 when the ledger has no such thing, 1 when there is nothing
    to resolve, Discord refused it, or it may be there again.

    A command posts what the command of the same name prints, once, as things stand then. It says what became of it:
    posted, or why it waits and is delivered later, both with exit code 0; 1 when that is not known. Exit code 2 when
    nobody or several are meant by a name: these are listed, and nothing is posted.
    """
    thing = retry or told
    if context.invoked_subcommand is not None:
        if thing is not None or message is not None:
            raise click.UsageError("--retry, --told and --message go without a command")
        return
    if thing is None or (retry and told):
        raise click.UsageError("give a command, or either --retry THING or --told THING")
    if message is not None and (retry or re.fullmatch(r"[0-9]{1,20}", message) is None):
        raise click.UsageError("--message goes with --told and is a number: copy the message's id in Discord")
    with clear_errors():
        from slomix_pipeline.actions import posting
        from slomix_pipeline.discord.channels import channels_in_use

        settings = read_settings()
        here = settings, database_of(settings), lambda: channels_in_use(settings)
        with progress_bar() as progress:
            try:
                if told:
                    text = posting.note_told(*here, told, message, progress)
                else:
                    text = posting.send_again(*here, thing, progress)
            except posting.UnknownThing as error:
                not_here(error)
        out.print(text, soft_wrap=True)


@post.command(name="board")
@click.argument("name", metavar="NAME", type=click.Choice([name.value for name in BoardName]))
@MAP
@SINCE
@MIN_ROUNDS
def post_board(name: str, on_map: str | None, since: datetime | None, min_rounds: int) -> None:
    """Post the board NAME: see slomix board."""
    from slomix_pipeline.actions import asking

    day: date | None = since and since.date()
    _post(lambda conn: asking.board_asked(conn, BoardName(name), on_map, day, min_rounds))


@post.command(name="player")
@click.argument("who")
def post_player(who: str) -> None:
    """Post the career of WHO: see slomix player."""
    from slomix_pipeline.actions import asking

    _post(lambda conn: asking.player_asked(conn, who))


@post.command(name="compare")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
def post_compare(one: str, other: str) -> None:
    """Post the careers of A and B side by side: see slomix compare."""
    from slomix_pipeline.actions import asking

    _post(lambda conn: asking.compare_asked(conn, one, other))


@post.command(name="records")
@MAP
def post_records(on_map: str | None) -> None:
    """Post the records: see slomix records."""
    from slomix_pipeline.actions import asking

    _post(lambda conn: asking.records_asked(conn, on_map))


@post.command(name="map")
@click.argument("name")
def post_map(name: str) -> None:
    """Post the map NAME: see slomix map."""
    from slomix_pipeline.actions import asking

    _post(lambda conn: asking.map_asked(conn, name))


def _post(resolve: "Callable[[Connection[DictRow]], Asked]") -> None:
    """Asks for what ``resolve`` makes of what was typed, and says what became of it."""
    with clear_errors():
        from slomix_pipeline.actions import asking
        from slomix_pipeline.discord.channels import channels_in_use
        from slomix_pipeline.gameserver.choose import NoGameServer
        from slomix_pipeline.rules.asked import Asking
        from slomix_pipeline.stages.common import Tools

        settings = read_settings()
        database = database_of(settings)
        with database.snapshot() as conn, one_is_meant():
            asked = resolve(conn)
        with channels_in_use(settings) as channels:
            key = asking.key_now(asked, datetime.now(UTC))
            for text in asking.post(Tools(database, settings, NoGameServer(), channels), [Asking(key, asked)]):
                out.print(text, soft_wrap=True)
