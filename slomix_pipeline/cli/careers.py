"""The commands about players and maps over years: ``board``, ``player``, ``compare``, ``records``, ``map``.

Belongs here: arguments and exit codes. Does not belong here: the numbers (``warehouse``), the tables (``reports``).
"""

from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

import click

from slomix_pipeline.cli.terminal import clear_errors, database_of, err, not_here, out, print_json, read_settings
from slomix_pipeline.rules.boards import BOARDS, MIN_ROUNDS, BoardName, threshold

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import DictRow

    from slomix_pipeline.warehouse.careers import NotOnePlayer, PlayerFound

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_MAP = click.option("--map", "on_map", metavar="MAP", help="Only of this map; a part of its name is enough.")


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice([name.value for name in BoardName]))
@_MAP
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only sessions since this day.")
@click.option(
    "--min-rounds",
    default=MIN_ROUNDS,
    show_default=True,
    type=click.IntRange(min=1),
    help="Who played fewer is left out.",
)
@_JSON
def board(name: str, on_map: str | None, since: datetime | None, min_rounds: int, as_json: bool) -> None:
    """Rank players by NAME: kills, kd, dpm, accuracy, headshot_percent, efficiency, rounds, revives_given, gibs,
    objectives or multikills."""
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse.boards import board_rows

        settings = read_settings()
        own = BOARDS[BoardName(name)]
        needed = threshold(own, min_rounds)
        begin = since and since.replace(tzinfo=settings.zone)
        with database_of(settings).snapshot() as conn:
            map_name = on_map and _map_meant(conn, on_map)
            rows = board_rows(conn, own, needed, map_name=map_name, since=begin)
        if as_json:
            print_json(career_words.as_json(rows))
        else:
            career_tables.print_board(out, own, needed, rows, map_name, begin)


@click.command()
@click.argument("who")
@_JSON
def player(who: str, as_json: bool) -> None:
    """Show the career of WHO: a GUID, or a name he ever used, or a part of one.

    Exit code 2 when nobody or several are meant; these are listed.
    """
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse import careers

        with database_of(read_settings()).snapshot() as conn:
            seen = careers.career(conn, _player_meant(conn, who))
        if as_json:
            print_json(career_words.as_json(seen))
        else:
            career_tables.print_career(out, seen)


@click.command()
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@_JSON
def compare(one: str, other: str, as_json: bool) -> None:
    """Show the careers of the players A and B side by side, and how often they won together and against each other.

    Exit code 2 when nobody or several are meant; these are listed.
    """
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse import careers

        with database_of(read_settings()).snapshot() as conn:
            first, second = (careers.career(conn, _player_meant(conn, who)) for who in (one, other))
            met = careers.meetings(conn, first.guid, second.guid)
        if as_json:
            print_json(career_words.as_json({"players": [first, second], "meetings": met}))
        else:
            career_tables.print_compare(out, first, second, met)


@click.command()
@_MAP
@_JSON
def records(on_map: str | None, as_json: bool) -> None:
    """Show the records, each with the round and the file it is from."""
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse.records import records as all_records

        with database_of(read_settings()).snapshot() as conn:
            map_name = on_map and _map_meant(conn, on_map)
            found = all_records(conn, map_name)
        if as_json:
            print_json(career_words.as_json(found))
        else:
            career_tables.print_records(out, found, map_name)


@click.command(name="map")
@click.argument("name")
@_JSON
def map_(name: str, as_json: bool) -> None:
    """Show a map: how fast its attacks are, how often it is held, its records. A part of its NAME is enough."""
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse.maps import map_seen

        with database_of(read_settings()).snapshot() as conn:
            seen = map_seen(conn, _map_meant(conn, name))
        if as_json:
            print_json(career_words.as_json(seen))
        else:
            career_tables.print_map(out, seen)


COMMANDS = (board, player, compare, records, map_)


def _player_meant(conn: "Connection[DictRow]", who: str) -> "PlayerFound":
    from slomix_pipeline.warehouse.careers import NotOnePlayer, find_player

    try:
        return find_player(conn, who)
    except NotOnePlayer as error:
        _list_players(error)


def _list_players(error: "NotOnePlayer") -> NoReturn:
    from slomix_pipeline.reports.career_tables import print_found

    print_found(err, error.found)
    not_here(error)


def _map_meant(conn: "Connection[DictRow]", name: str) -> str:
    from slomix_pipeline.warehouse.maps import NotOneMap, find_map

    try:
        return find_map(conn, name)
    except NotOneMap as error:
        for found in error.found:
            err.print(f"  {found}", soft_wrap=True)
        not_here(error)
