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
    """All that is known of who killed whom: in full of ``rounds`` of the ``of_rounds`` that count. Every two people are
    in it twice, once from each side. ``with_endstats``: of how many rounds there are any; ``unowned``: of how many of
    these nobody can tell whose lines are whose."""

    met: Sequence[Met]
    rounds: int
    of_rounds: int
    with_endstats: int
    unowned: int


_MET = """
    with pair as (
        select guid, opponent_guid, kills, deaths from valid_round_duel
        where session_key = %(key)s and (%(match)s::text is null or match_key = %(match)s)
    ), named as materialized (
        select guid, person, called from session_name where session_key = %(key)s
    )
    select p.person, o.person as other, max(p.called) as player, max(o.called) as opponent,
           sum(d.kills)::integer as kills, sum(d.deaths)::integer as deaths
    from pair d join named p on p.guid = d.guid join named o on o.guid = d.opponent_guid
    where p.person <> o.person
    group by p.person, o.person order by p.person, o.person"""


# Who is told of has lines of his own, else a part of the file is missing; where it can't be told who he is, it is
# enough that his own line says so.
_ROUNDS = """
    with line as materialized (
        select round_key, player, guid, opponent, opponent_guid from valid_round_versus
        where session_key = %(key)s and (%(match)s::text is null or match_key = %(match)s)
    ), told as (
        select round_key, bool_or(guid is null) as unowned,
               bool_and(guid is not null and case
                   when opponent_guid is not null then (round_key, opponent_guid) in (
                       select round_key, guid from line where guid is not null)
                   else (round_key, opponent, guid) in (
                       select round_key, player, opponent_guid from line
                       where guid is not null and player is not null and opponent_guid is not null)
               end) as in_full
        from line group by round_key
    )
    select count(*) as of_rounds, count(e.round_key) as with_endstats,
           count(*) filter (where told.in_full) as rounds, count(*) filter (where told.unowned) as unowned
    from valid_round v
    left join round_endstats e on e.round_key = v.round_key and e.link_class = 'exact_end'
    left join told on told.round_key = v.round_key
    where v.session_key = %(key)s and (%(match)s::text is null or v.match_key = %(match)s)"""


def hardest_duels(conn: Connection[DictRow], session_key: str) -> tuple[Duel, ...]:
    """Those with most kills of one side, the hardest first, among rounds whose endstats say whose line it is; as many
    as are worth telling. Of two people there is one, told from the side of who killed more."""
    return hardest(_met(conn, session_key, None))


def hardest(met: Sequence[Met]) -> tuple[Duel, ...]:
    """The same among those that are read already."""
    pairs: dict[frozenset[str], Duel] = {}
    for one in sorted(met, key=lambda one: (-one.kills, one.deaths, one.person, one.other)):
        if one.kills >= _WORTH_TELLING:
            pairs.setdefault(frozenset((one.person, one.other)), Duel(one.player, one.opponent, one.kills, one.deaths))
    return tuple(pairs.values())[:_MOST_TOLD]


def duels_of(conn: Connection[DictRow], session_key: str, match_key: str | None = None) -> Duels:
    """Who killed whom in a session, or in one match of it."""
    row = conn.execute(_ROUNDS, {"key": session_key, "match": match_key}).fetchone()
    assert row is not None
    return Duels(_met(conn, session_key, match_key), **row)


def _met(conn: Connection[DictRow], session_key: str, match_key: str | None) -> list[Met]:
    with conn.cursor(row_factory=rows_of(Met)) as cursor:
        return cursor.execute(_MET, {"key": session_key, "match": match_key}).fetchall()
