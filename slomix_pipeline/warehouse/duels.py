"""Who killed whom how often, as the endstats of a session's rounds tell.

Does not belong here: a single round's awards and duels (``endstats``).
"""

from collections.abc import Sequence
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


@dataclass(frozen=True)
class Met(Duel):
    """A duel, told from the side of one of the two; ``person`` and ``other`` are their GUIDs."""

    person: str
    other: str


@dataclass(frozen=True)
class Duels:
    """All that is known of who killed whom: of ``rounds`` of the ``of_rounds`` that count. Every two people are in it
    twice, once from each side, where the lines of both are there."""

    met: Sequence[Met]
    rounds: int
    of_rounds: int


_MET = """
    select p.person, o.person as other, max(p.called) as player, max(o.called) as opponent,
           sum(d.kills)::integer as kills, sum(d.deaths)::integer as deaths
    from valid_round_versus d
    join session_name p on p.session_key = d.session_key and p.guid = d.guid
    join session_name o on o.session_key = d.session_key and o.guid = d.opponent_guid
    where d.session_key = %(key)s and (%(match)s::text is null or d.match_key = %(match)s) and p.person <> o.person
    group by p.person, o.person"""


def hardest_duels(conn: Connection[DictRow], session_key: str) -> tuple[Duel, ...]:
    """Those with most kills of one side, the hardest first, among rounds whose endstats say whose line it is; as many
    as are worth telling. Of two people there is one, told from the side of who killed more."""
    with conn.cursor(row_factory=rows_of(Duel)) as cursor:
        found = cursor.execute(
            f"""select player, opponent, kills, deaths
                from (select distinct on (least(person, other), greatest(person, other)) *
                      from ({_MET}) of_each
                      order by least(person, other), greatest(person, other), kills desc, person) pairs
                where kills >= %(worth)s
                order by kills desc, deaths, person, other limit %(most)s""",
            {"key": session_key, "match": None, "worth": _WORTH_TELLING, "most": _MOST_TOLD},
        ).fetchall()
    return tuple(found)


def duels_of(conn: Connection[DictRow], session_key: str, match_key: str | None = None) -> Duels:
    """Who killed whom in a session, or in one match of it."""
    asked = {"key": session_key, "match": match_key}
    with conn.cursor(row_factory=rows_of(Met)) as cursor:
        met = cursor.execute(f"{_MET} order by p.person, o.person", asked).fetchall()
    row = conn.execute(
        """select count(*) as of_rounds,
                  count(*) filter (where exists (select from versus d where d.round_key = v.round_key
                                                 and d.guid is not null and d.opponent_guid is not null)) as rounds
           from valid_round v
           where session_key = %(key)s and (%(match)s::text is null or match_key = %(match)s)""",
        asked,
    ).fetchone()
    assert row is not None
    return Duels(met, row["rounds"], row["of_rounds"])
