"""What every player did in rounds that count, kept ready for whoever adds it up.

Belongs here: rewriting the table ``player_round_fact``.
Does not belong here: what its rows are (the view ``valid_round_player``), reading them (the views over them).
"""

from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import DictRow


def rewrite_facts(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    """Writes the rows of sessions as their rounds, teams and places are now. Belongs into the transaction that scores
    their matches: that is the last to change what counts, whatever came before it."""
    conn.execute(
        """delete from player_round_fact
           where round_key in (select round_key from session_round where session_key = any(%s))""",
        [list(session_keys)],
    )
    conn.execute(
        "insert into player_round_fact select * from valid_round_player where session_key = any(%s)",
        [list(session_keys)],
    )
