"""What a match's page tells beside its result: its rounds' awards, and other plays of its map.

Does not belong here: the match itself (``reading``), its evidence (``session_evidence``), the awards of a whole session
(``session_awards``), numbers of the map (``maps``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.warehouse import teams
from slomix_pipeline.warehouse.rows import rows_of

_PLAYS = 5  # on other evenings


@dataclass(frozen=True)
class AwardGiven:
    """An award of a round. ``name``: as the file has it; ``guid``: None where it can't be told who that was; ``scope``:
    what it covers."""

    number: int
    award: str
    name: str
    guid: str | None
    text: str
    scope: Literal["this_round", "both_rounds"]


@dataclass(frozen=True)
class Play:
    """Another match on a map. ``winner``: None for a draw or one that is not counted."""

    match_key: str
    started_at: datetime
    outcome: Winner | None
    winner: TeamName | None


def awards_given(conn: Connection[DictRow], match_key: str, wanted: Sequence[str]) -> list[AwardGiven]:
    """The ``wanted`` awards of the rounds of a match that count, in this order. Those of round 2 that cover both rounds
    hold what round 1's told before: nobody may add the two."""
    with conn.cursor(row_factory=rows_of(AwardGiven)) as cursor:
        return cursor.execute(
            """select a.number, a.award, a.player as name, a.guid, a.text, a.scope
               from valid_round_award a
               join unnest(%(wanted)s::text[]) with ordinality as wanted (award, place) using (award)
               where a.match_key = %(match)s order by a.number, wanted.place, a.position""",
            {"match": match_key, "wanted": list(wanted)},
        ).fetchall()


def plays_before(conn: Connection[DictRow], match_key: str) -> list[Play]:
    """The latest plays of a match's map on evenings before its own, the latest first."""
    rows = conn.execute(
        """select m.match_key, m.session_key, s.started_at, m.winner
           from match own join session this on this.session_key = own.session_key
           join match m on map_key(m.map) = map_key(own.map)
           join session s on s.session_key = m.session_key
           where own.match_key = %s and s.started_at < this.started_at
           order by s.started_at desc, m.session_key, m.position desc limit %s""",
        [match_key, _PLAYS],
    ).fetchall()
    names = teams.team_names(conn, {row["session_key"] for row in rows})
    return [
        Play(
            row["match_key"],
            row["started_at"],
            row["winner"] and Winner(row["winner"]),
            names[row["session_key"]][row["winner"]] if row["winner"] in tuple(Team) else None,
        )
        for row in rows
    ]
