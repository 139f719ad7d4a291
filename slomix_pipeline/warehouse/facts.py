"""What every player did in rounds that count, kept ready for whoever adds it up.

Belongs here: rewriting the tables ``player_round_fact`` and ``player_session_fact``, and those of the book of records.
Does not belong here: what their rows are (the views that each is filled from), reading them (the views over them).
"""

from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import DictRow


def rewrite_facts(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    """Writes the rows of sessions as their rounds, teams and places are now. Belongs into the transaction that scores
    their matches: that is the last to change what counts, whatever came before it."""
    keys = [list(session_keys)]
    conn.execute(
        """delete from player_round_fact
           where round_key in (select round_key from session_round where session_key = any(%s))""",
        keys,
    )
    conn.execute("insert into player_round_fact select * from valid_round_player where session_key = any(%s)", keys)
    conn.execute("delete from session_map where session_key = any(%s)", keys)
    conn.execute("insert into session_map select * from session_map_played where session_key = any(%s)", keys)
    conn.execute("delete from player_session_fact where scope = any(%s)", keys)
    conn.execute(
        """insert into player_session_fact
           select * from player_round_sum where level = 'career_session' and scope = any(%s)""",
        keys,
    )
    conn.execute(
        """delete from round_in_book
           where round_key in (select round_key from session_round where session_key = any(%s))""",
        keys,
    )
    conn.execute("insert into round_in_book select * from round_checked where session_key = any(%s)", keys)
    conn.execute("delete from map_attack where session_key = any(%s)", keys)
    conn.execute("insert into map_attack select * from match_attack where session_key = any(%s)", keys)
    conn.execute("delete from book_night where session_key = any(%s)", keys)
    conn.execute("insert into book_night select * from session_best where session_key = any(%s)", keys)
