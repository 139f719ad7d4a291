"""Seasons as they stand: which there were, who leads in one, who collected which awards in it.

Belongs here: asking the boards and the endstats about the sessions of one quarter. Does not belong here: what a season
is (``rules.seasons``), what a board is (``rules.boards``, ``boards``).

Nothing of a season is kept when it ends: it is what its rounds give now. What was corrected later is listed with it.
"""

from dataclasses import dataclass, replace
from datetime import tzinfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.awards import AwardGiven, Collected, collected
from slomix_pipeline.rules.boards import Board, threshold
from slomix_pipeline.rules.seasons import LEAST_SESSIONS, Season, season_of
from slomix_pipeline.warehouse.boards import BoardRow, board_rows
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
    for row in conn.execute(
        """select s.started_at, coalesce(m.matches, 0) as matches
           from session s
           left join (select session_key, count(winner) as matches from match group by session_key) m
                using (session_key)"""
    ):
        sums = counted.setdefault(season_of(row["started_at"], zone), [0, 0])
        sums[0] += 1
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


def season_board(
    conn: Connection[DictRow], board: Board, season: Season, zone: tzinfo, among: set[str]
) -> list[BoardRow]:
    """Who stands on a board of one season, first place first: with what every board asks for, of those ``among`` whom
    champions are (``regulars``)."""
    since, until = season.start(zone), season.end(zone)
    rows = [row for row in board_rows(conn, board, threshold(board), since=since, until=until) if row.guid in among]
    return [replace(row, rank=rank) for rank, row in enumerate(rows, start=1)]


def season_awards(conn: Connection[DictRow], season: Season, zone: tzinfo) -> SeasonAwards:
    """The awards of a season. They are counted, never their values added."""
    rounds = _rounds(conn, season, zone)
    with conn.cursor(row_factory=rows_of(AwardGiven)) as cursor:
        given = cursor.execute(
            """select a.award, p.person as guid, p.name, sum(a.times)::bigint as times
               from (select award, guid, count(*) as times
                     from (select distinct award, guid, round_key from award
                           where round_key = any(%s) and award is not null) each_once
                     group by award, guid) a
               left join board_person p using (guid)
               group by a.award, p.person, p.name""",
            [rounds],
        ).fetchall()
    row = conn.execute(
        "select count(*) as rounds from round_endstats where round_key = any(%s) and link_class = 'exact_end'", [rounds]
    ).fetchone()
    assert row is not None
    return SeasonAwards(collected(given), row["rounds"], len(rounds))


def _rounds(conn: Connection[DictRow], season: Season, zone: tzinfo) -> list[str]:
    """The rounds of a season that count."""
    sessions = [
        row["session_key"]
        for row in conn.execute(
            "select session_key from session where started_at >= %s and started_at < %s",
            [season.start(zone), season.end(zone)],
        )
    ]
    rows = conn.execute("select round_key from valid_round where session_key = any(%s)", [sessions])
    return [row["round_key"] for row in rows]
