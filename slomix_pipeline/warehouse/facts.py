"""What every player did in rounds that count, kept ready for whoever adds it up.

Belongs here: rewriting the tables ``player_*_fact``, and those of the book of records.
Does not belong here: what their rows are (the view that each is filled from), reading them (the views over them).
"""

from collections.abc import Sequence
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import DictRow

_DUELS = (
    "delete from player_duel_fact where session_key = any(%s)",
    "insert into player_duel_fact select * from duel_session_sum where session_key = any(%s)",
)
# In this order: what stands below is made of what stands above.
_REWRITING = (
    """delete from player_round_fact
       where round_key in (select round_key from session_round where session_key = any(%s))""",
    "insert into player_round_fact select * from valid_round_player where session_key = any(%s)",
    "delete from session_map where session_key = any(%s)",
    "insert into session_map select * from session_map_played where session_key = any(%s)",
    "delete from player_session_fact where scope = any(%s)",
    "insert into player_session_fact select * from player_round_sum where level = 'career_session' and scope = any(%s)",
    "delete from player_weapon_fact where session_key = any(%s)",
    "insert into player_weapon_fact select * from weapon_session_sum where session_key = any(%s)",
    "delete from player_match_fact where session_key = any(%s)",
    "insert into player_match_fact select * from player_match_sum where session_key = any(%s)",
    "delete from player_night_fact where session_key = any(%s)",
    "insert into player_night_fact select * from player_night_sum where session_key = any(%s)",
    "delete from player_met_fact where session_key = any(%s)",
    "insert into player_met_fact select * from player_met_sum where session_key = any(%s)",
    *_DUELS,
    "delete from alias_fact where session_key = any(%s)",
    "insert into alias_fact select * from alias_session_sum where session_key = any(%s)",
    """delete from round_in_book
       where round_key in (select round_key from session_round where session_key = any(%s))""",
    "insert into round_in_book select * from round_checked where session_key = any(%s)",
    "delete from map_attack where session_key = any(%s)",
    "insert into map_attack select * from match_attack where session_key = any(%s)",
    "delete from book_night where session_key = any(%s)",
    "insert into book_night select * from session_best where session_key = any(%s)",
)


# Each table with the view that it is filled from, and which of their columns is the session's key.
KEPT: Sequence[tuple[LiteralString, LiteralString, LiteralString]] = (
    ("player_round_fact", "valid_round_player", "session_key"),
    ("session_map", "session_map_played", "session_key"),
    ("player_session_fact", "(select * from player_round_sum where level = 'career_session')", "scope"),
    ("player_weapon_fact", "weapon_session_sum", "session_key"),
    ("player_match_fact", "player_match_sum", "session_key"),
    ("player_night_fact", "player_night_sum", "session_key"),
    ("player_met_fact", "player_met_sum", "session_key"),
    ("player_duel_fact", "duel_session_sum", "session_key"),
    ("alias_fact", "alias_session_sum", "session_key"),
    ("round_in_book", "round_checked", "session_key"),
    ("map_attack", "match_attack", "session_key"),
    ("book_night", "session_best", "session_key"),
)


def differing_facts(
    conn: Connection[DictRow], kept: tuple[LiteralString, LiteralString, LiteralString], session_keys: Sequence[str]
) -> dict[str, int]:
    """The sessions in which a table holds other rows than its view gives now: how many rows only one of them has."""
    table, view, key = kept
    rows = conn.execute(
        f"""with stored as materialized (select * from {table} where {key} = any(%(keys)s)),
                 given as materialized (select * from {view} g where {key} = any(%(keys)s))
            select {key} as session_key, count(*) as rows
            from ((table stored except all table given) union all (table given except all table stored)) d
            group by 1""",
        {"keys": list(session_keys)},
    )
    return {row["session_key"]: row["rows"] for row in rows}


def rewrite_facts(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    """Writes the rows of sessions as their rounds, teams and places are now. Belongs into the transaction that scores
    their matches: that is the last to change what counts, whatever came before it."""
    for statement in _REWRITING:
        conn.execute(statement, [list(session_keys)])


def rewrite_duels(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    """The same of who killed whom alone, when it becomes known: endstats may come after the result."""
    for statement in _DUELS:
        conn.execute(statement, [list(session_keys)])
