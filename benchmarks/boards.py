"""What boards, careers and evenings take to read from a long history, by the tables that are kept and without them.

Imports the stats files of 20,000 rounds made by the simulator, or the folder given, and asks each question many times
on one kept connection, of other players, maps and sessions each time. "anew" is the same sums straight over the rounds,
adding up the weapons of every row, as all of it was before anything was kept. Prints one table: milliseconds of CPU,
of PostgreSQL and of reading the answer together, so that a busy machine tells the same as a quiet one. Below it what
the commands about boards and players ask.

    .venv/bin/python benchmarks/boards.py [folder]
"""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path

from bulk import MANY_ROUNDS, imported, simulated, size
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.rules.boards import BOARDS, threshold
from slomix_pipeline.warehouse import careers, map_history, maps, record_stories, records, seasons
from slomix_pipeline.warehouse.boards import board_rows
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fallen_records import fallen_records

TIMES, TIMES_ANEW, FEW = 100, 10, 4  # the last of what reads all of history, in seconds
FIRST = 6  # not counted: PostgreSQL plans anew and reads from disk then

_BOARD = """name, rounds, kills, deaths, damage_given, revives_given, kd, dpm, denied_per_minute, accuracy,
            headshot_percent, survival_percent"""
# What is asked: the query, and what it is asked of, one after the other; and the aim, in ms.
QUESTIONS = {
    "career board, 12 columns": (
        f"select {_BOARD} from player_metric where level = 'career' order by dpm desc",
        "",
        40,
    ),
    "career board, all columns": ("select * from player_metric where level = 'career'", "", None),
    "board of one map": (
        f"select {_BOARD} from player_metric where level = 'map' and scope = %s order by dpm desc",
        "select distinct map from valid_round",
        None,
    ),
    "career of one player": (
        "select * from player_metric where level = 'career' and guid = %s",
        "select distinct guid from session_player",
        10,
    ),
    "table of one session": (
        "select * from session_player_metric where session_key = %s",
        "select session_key from session order by md5(session_key)",
        30,
    ),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        folder = Path(sys.argv[1]) if sys.argv[1:] else simulated(scratch / "files", MANY_ROUNDS) / "gamestats"
        with imported(folder, scratch / "home", stats_only=not sys.argv[1:]) as (found, _, database):
            database.learn_sizes()
            print(f"{found.rounds:,} rounds; ours {size(database, 'public') / found.rounds / 1e3:.1f} MB per 1,000\n")
            measure(database)


def measure(database: Database) -> None:
    print(f"{'':<34}{'p50':>8}{'p95':>8}{'aim':>8}{'anew p50':>12}{'p95':>8}", flush=True)
    with database.connect() as kept, database.connect() as anew:
        sum_anew(anew)
        for question, (query, of_what, aim) in QUESTIONS.items():
            things = names(kept, of_what) if of_what else []
            ours, theirs = (
                asked(conn, times, lambda thing, conn=conn, query=query: all_rows(conn, query, thing), things)
                for conn, times in ((kept, TIMES), (anew, TIMES_ANEW))
            )
            show(question, ours, aim, f"{p50(theirs):>12.1f}{p95(theirs):>8.1f}")
        anew.rollback()
        measure_commands(kept)


def measure_commands(conn: Connection[DictRow]) -> None:
    played, guids, sessions = (
        names(conn, f"select distinct {column} from player_round_fact order by 1")
        for column in ("map", "guid", "session_key")
    )
    for board in BOARDS.values():
        needed = threshold(board)
        show(f"board {board.name}", asked(conn, TIMES, lambda _, b=board, n=needed: board_rows(conn, b, n), []), 40)
        of_map = asked(conn, TIMES, lambda name, b=board, n=needed: board_rows(conn, b, n, map_name=name), played)
        show(f"board {board.name} of a map", of_map, 40)
    find = careers.find_player
    show("player", asked(conn, FEW, lambda guid: careers.career(conn, find(conn, str(guid))), guids), None)
    show("records", asked(conn, FEW, lambda _: records.records(conn), []), None)
    found, who = records.records(conn), records.named(conn)
    show("what stands around them", asked(conn, FEW, lambda _: record_stories.stories(conn, found, who), []), None)
    show("and around attacks", asked(conn, FEW, lambda _: record_stories.attack_stories(conn, found), []), None)
    show("longest hold", asked(conn, FEW, lambda _: record_stories.longest_hold(conn), []), None)
    show(
        "longest run of sessions won",
        asked(conn, FEW, lambda _: record_stories.longest_run(conn, who, lambda _: False), []),
        None,
    )
    show(
        "who is good on a map", asked(conn, FEW, lambda name: map_history.players_on(conn, str(name), 20), played), None
    )
    quarters = [own.season for own in seasons.seasons_played(conn, UTC)]
    among = {quarter.id: seasons.regulars(conn, quarter, UTC) for quarter in quarters}

    def champions(name: str | None) -> None:
        quarter = next(own for own in quarters if own.id == name)
        for board in BOARDS.values():
            seasons.season_board(conn, board, quarter, UTC, among[quarter.id])

    show("all boards of a season", asked(conn, FEW, champions, [own.id for own in quarters]), None)
    show("map", asked(conn, FEW, lambda name: maps.map_seen(conn, str(name)), played), None)
    show("milestones of a session", asked(conn, FEW, lambda key: careers.unlocked_in(conn, str(key)), sessions), None)
    show("the records that fell in it", asked(conn, FEW, lambda key: fallen_records(conn, str(key)), sessions), None)
    show("its personal bests", asked(conn, FEW, lambda key: records.personal_bests_of(conn, str(key)), sessions), None)


def show(question: str, took: Sequence[float], aim: int | None, beside: str = "") -> None:
    print(f"{question:<34}{p50(took):>8.1f}{p95(took):>8.1f}{aim or '':>8}{beside}", flush=True)


def names(conn: Connection[DictRow], query: str) -> list[str]:
    return [next(iter(row.values())) for row in conn.execute(query.encode())]


def all_rows(conn: Connection[DictRow], query: str, thing: str | None) -> list[DictRow]:
    return conn.execute(query.encode(), [] if thing is None else [thing]).fetchall()


def sum_anew(conn: Connection[DictRow]) -> None:
    """Gives a connection views of its own that read the rounds in place of what is kept, until it is rolled back."""
    text = (bundled_folder("sql") / "views" / "04_totals.sql").read_text("utf-8")
    text = text.replace("player_round_fact", "valid_round_player").replace("where level <> 'career'", "")
    conn.execute("create schema anew")
    conn.execute("set local search_path = anew, public")
    for view in ("player_fact_level", "player_round_sum", "player_sum", "player_metric", "session_player_metric"):
        found = re.search(rf"create view {view} as.*?;\n", text, re.DOTALL)
        assert found is not None, view
        made = "create view player_sum as select * from player_round_sum" if view == "player_sum" else found[0]
        conn.execute(made.encode())


def asked(
    conn: Connection[DictRow], times: int, ask: Callable[[str | None], object], things: Sequence[str]
) -> list[float]:
    """The milliseconds that each asking takes, of one thing after the other."""
    took = []
    for number in range(times + FIRST):
        began = cpu_seconds(conn)
        ask(things[number % len(things)] if things else None)
        took.append((cpu_seconds(conn) - began) * 1000)
    return took[FIRST:]


def cpu_seconds(conn: Connection[DictRow]) -> float:
    """What PostgreSQL's process behind a connection and this one have computed so far; the former by Linux alone."""
    nanoseconds = int(Path(f"/proc/{conn.info.backend_pid}/schedstat").read_text().split()[0])
    return nanoseconds / 1e9 + time.process_time()


def p50(took: Sequence[float]) -> float:
    return statistics.median(took)


def p95(took: Sequence[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


if __name__ == "__main__":
    main()
