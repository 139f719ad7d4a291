"""Who killed whom most, as the endstats of a session's rounds tell.

Does not belong here: a single round's awards and duels (``endstats``).
"""

from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.rows import rows_of

_WORTH_TELLING = 5  # kills
_MOST_TOLD = 3


@dataclass(frozen=True)
class Duel:
    """``player`` killed ``opponent`` ``kills`` times and was killed by him ``deaths`` times."""

    player: str
    opponent: str
    kills: int
    deaths: int


def hardest_duels(conn: Connection[DictRow], session_key: str) -> tuple[Duel, ...]:
    """Those with most kills of one side, the hardest first, among rounds whose endstats say whose line it is; as many
    as are worth telling. Of two people there is one, told from the side of who killed more."""
    with conn.cursor(row_factory=rows_of(Duel)) as cursor:
        found = cursor.execute(
            """select player, opponent, kills, deaths
               from (select distinct on (least(person, other), greatest(person, other)) *
                     from (select p.person, o.person as other, max(p.called) as player, max(o.called) as opponent,
                                  sum(d.kills)::integer as kills, sum(d.deaths)::integer as deaths
                           from valid_round_versus d
                           join session_name p on p.session_key = d.session_key and p.guid = d.guid
                           join session_name o on o.session_key = d.session_key and o.guid = d.opponent_guid
                           where d.session_key = %(key)s and p.person <> o.person
                           group by p.person, o.person) of_each
                     order by least(person, other), greatest(person, other), kills desc, person) pairs
               where kills >= %(worth)s
               order by kills desc, deaths, person, other limit %(most)s""",
            {"key": session_key, "worth": _WORTH_TELLING, "most": _MOST_TOLD},
        ).fetchall()
    return tuple(found)
