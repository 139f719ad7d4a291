"""Seasons as they stand: which there were, who leads in one, who collected which awards in it.

Belongs here: asking the boards and the endstats about the sessions of one quarter. Does not belong here: what a season
is (``rules.seasons``), what a board is (``rules.boards``, ``boards``).

Nothing of a season is kept when it ends: it is what its rounds give now. What was corrected later is listed with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.awards import AwardGiven, Collected, collected
from slomix_pipeline.rules.boards import Board, BoardName, threshold
from slomix_pipeline.rules.seasons import LEAST_SESSIONS, Season, season_of
from slomix_pipeline.warehouse.boards import BoardRow, boards_rows
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class SeasonPlayed:
    """A season in which something was played. ``matches``: decided ones."""

    season: Season
    sessions: int
    matches: int


@dataclass(frozen=True)
class SeasonAwards:
    """Who collected which awards; ``rounds``: of how many of the season's ``of_rounds`` that count there are any."""

    awards: tuple[Collected, ...]
    rounds: int
    of_rounds: int


def seasons_played(conn: Connection[DictRow], zone: tzinfo) -> list[SeasonPlayed]:
    """All seasons with a session, newest first."""
    counted: dict[Season, list[int]] = {}
    for row in conn.execute(  # by months, of which a season has some whole ones
        """select min(s.started_at) as started_at, count(*) as sessions, coalesce(sum(m.matches), 0)::bigint as matches
           from session s
           left join (select session_key, count(winner) as matches from match group by session_key) m
                using (session_key)
           group by date_trunc('month', s.started_at at time zone %s)""",
        [str(zone)],
    ):
        sums = counted.setdefault(season_of(row["started_at"], zone), [0, 0])
        sums[0] += row["sessions"]
        sums[1] += row["matches"]
    return [SeasonPlayed(season, *counted[season]) for season in sorted(counted, reverse=True)]


def regulars(conn: Connection[DictRow], season: Season, zone: tzinfo) -> set[str]:
    """Who played enough sessions of a season to be a champion of it."""
    rows = conn.execute(
        """select p.person
           from player_session_fact f
           join board_person p using (guid)
           where f.scope = any (array(select session_key from session
                                      where started_at >= %(since)s and started_at < %(until)s))
           group by p.person having count(distinct f.scope) >= %(least)s""",
        {"since": season.start(zone), "until": season.end(zone), "least": LEAST_SESSIONS},
    )
    return {row["person"] for row in rows}


def season_boards(
    conn: Connection[DictRow], boards: Iterable[Board], season: Season, zone: tzinfo, among: set[str]
) -> dict[BoardName, list[BoardRow]]:
    """Who stands on boards of one season, first place first: with what every board asks for, of those ``among`` whom
    champions are (``regulars``). Who has the same number shares a place."""
    needed = {board: threshold(board) for board in boards}
    found = boards_rows(conn, needed, since=season.start(zone), until=season.end(zone))
    return {name: ranked(row for row in rows if row.guid in among) for name, rows in found.items()}


def ranked(rows: Iterable[BoardRow]) -> list[BoardRow]:
    """The rows of a board, best first, with a rank of their own."""
    found: list[BoardRow] = []
    for place, row in enumerate(rows, start=1):
        shared = found and found[-1].value == row.value
        found.append(replace(row, rank=found[-1].rank if shared else place))
    return found


def season_awards(conn: Connection[DictRow], season: Season, zone: tzinfo) -> SeasonAwards:
    """The awards of a season. They are counted, never their values added; one of a round counts once for a person,
    whatever GUIDs he played under."""
    sessions = _sessions(conn, season, zone)
    with conn.cursor(row_factory=rows_of(AwardGiven)) as cursor:
        given = cursor.execute(
            """select award, p.person as guid, p.name, sum(times)::bigint as times
               from (select award, person, count(*) as times
                     from (select round_key from valid_round where session_key = any(%s) offset 0) v
                     cross join lateral (   -- once for each person; round by round, as each has few
                         select distinct a.award, coalesce(d.person_guid, a.guid) as person
                         from award a left join person_decided d using (guid)
                         where a.round_key = v.round_key and a.award is not null
                     ) given
                     group by award, person) counted
               left join board_person p on p.guid = counted.person
               group by award, p.person, p.name""",
            [sessions],
        ).fetchall()
    row = conn.execute(
        """select count(*) as of_rounds, count(e.round_key) as rounds
           from valid_round v
           left join round_endstats e on e.round_key = v.round_key and e.link_class = 'exact_end'
           where v.session_key = any(%s)""",
        [sessions],
    ).fetchone()
    assert row is not None
    return SeasonAwards(collected(given), row["rounds"], row["of_rounds"])


def _sessions(conn: Connection[DictRow], season: Season, zone: tzinfo) -> list[str]:
    rows = conn.execute(
        "select session_key from session where started_at >= %s and started_at < %s",
        [season.start(zone), season.end(zone)],
    )
    return [row["session_key"] for row in rows]
