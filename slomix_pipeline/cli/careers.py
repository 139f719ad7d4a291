"""The commands about players and maps over years: ``board``, ``player``, ``compare``, ``records``, ``map``.

Belongs here: arguments and exit codes. Does not belong here: the numbers (``warehouse``), the tables (``reports``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from slomix_pipeline.cli.terminal import clear_errors, database_of, err, not_here, out, print_json, read_settings
from slomix_pipeline.rules import boards
from slomix_pipeline.rules.boards import BOARDS, BoardName, threshold

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
MAP = click.option("--map", "on_map", metavar="MAP", help="Only of this map; a part of its name is enough.")
SINCE = click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only sessions since this day.")
MIN_ROUNDS = click.option(
    "--min-rounds",
    default=boards.MIN_ROUNDS,
    show_default=True,
    type=click.IntRange(min=1),
    help="Who played fewer is left out.",
)


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice([name.value for name in BoardName]))
@MAP
@SINCE
@MIN_ROUNDS
@_JSON
def board(name: str, on_map: str | None, since: datetime | None, min_rounds: int, as_json: bool) -> None:
    """Rank players by NAME: kills, kd, dpm, accuracy, headshot_percent, efficiency, rounds, revives_given, gibs,
    objectives or multikills."""
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse.boards import board_rows
        from slomix_pipeline.warehouse.maps import find_map

        settings = read_settings()
        own = BOARDS[BoardName(name)]
        needed = threshold(own, min_rounds)
        begin = since and since.replace(tzinfo=settings.zone)
        with database_of(settings).snapshot() as conn, one_is_meant():
            map_name = on_map and find_map(conn, on_map)
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

        with database_of(read_settings()).snapshot() as conn, one_is_meant():
            seen = careers.career(conn, careers.find_player(conn, who))
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
        from slomix_pipeline.warehouse import careers, standings

        with database_of(read_settings()).snapshot() as conn, one_is_meant():
            first, second = (careers.career(conn, careers.find_player(conn, who)) for who in (one, other))
            met = standings.meetings(conn, first.guid, second.guid)
        if as_json:
            print_json(career_words.as_json({"players": [first, second], "meetings": met}))
        else:
            career_tables.print_compare(out, first, second, met)


@click.command()
@MAP
@_JSON
def records(on_map: str | None, as_json: bool) -> None:
    """Show the records, each with the round and the file it is from."""
    with clear_errors():
        from slomix_pipeline.reports import career_tables, career_words
        from slomix_pipeline.warehouse.maps import find_map
        from slomix_pipeline.warehouse.records import records as all_records

        with database_of(read_settings()).snapshot() as conn, one_is_meant():
            map_name = on_map and find_map(conn, on_map)
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
        from slomix_pipeline.warehouse.maps import find_map, map_seen

        with database_of(read_settings()).snapshot() as conn, one_is_meant():
            seen = map_seen(conn, find_map(conn, name))
        if as_json:
            print_json(career_words.as_json(seen))
        else:
            career_tables.print_map(out, seen)


COMMANDS = (board, player, compare, records, map_)


@contextmanager
def one_is_meant() -> Iterator[None]:
    """Ends with exit code 2 when a name means nobody or nothing, or several; these are listed."""
    from slomix_pipeline.warehouse.careers import NotOnePlayer
    from slomix_pipeline.warehouse.maps import NotOneMap

    try:
        yield
    except (NotOnePlayer, NotOneMap) as error:
        from slomix_pipeline.actions.asking import hits

        for hit in hits(error):
            err.print(f"  {hit}", soft_wrap=True)
        not_here(error)
