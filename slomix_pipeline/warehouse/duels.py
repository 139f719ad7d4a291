"""Who killed whom most, as the endstats of a session's rounds tell.

Does not belong here: a single round's awards and duels (``endstats``).
"""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.rows import rows_of

_WORTH_TELLING = 5  # kills


@dataclass(frozen=True)
class Duel:
    """``player`` killed ``opponent`` ``kills`` times and was killed by him ``deaths`` times."""

    player: str
    opponent: str
    kills: int
    deaths: int


def hardest_duel(conn: Connection[DictRow], session_key: str) -> Duel | None:
    """The one with most kills of one side, among rounds whose endstats say whose line it is; None when there is none
    worth telling."""
    with conn.cursor(row_factory=rows_of(Duel)) as cursor:
        return cursor.execute(
            """select p.called as player, o.called as opponent, kills, deaths
               from (select guid, opponent_guid, sum(kills)::integer as kills, sum(deaths)::integer as deaths
                     from valid_round_versus
                     where session_key = %(key)s and guid is not null and opponent_guid is not null
                     group by guid, opponent_guid) d
               join session_name p on p.session_key = %(key)s and p.guid = d.guid
               join session_name o on o.session_key = %(key)s and o.guid = d.opponent_guid
               where kills >= %(worth)s
               order by kills desc, deaths, d.guid, d.opponent_guid limit 1""",
            {"key": session_key, "worth": _WORTH_TELLING},
        ).fetchone()
