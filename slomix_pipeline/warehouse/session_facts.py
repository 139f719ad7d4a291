"""The facts of a session that its pictures show: the numbers of its report, and each player's own usual.

Does not belong here: the report's text (``reading`` has what it says), how the facts look (``charts``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.charts.facts import AttackFacts, MatchFacts, PlayerFacts, RoundFacts, SessionFacts
from slomix_pipeline.formats.keys import stem_of
from slomix_pipeline.rules.score_policies import Points, session_winner
from slomix_pipeline.rules.team_names import UNNAMED
from slomix_pipeline.rules.teams import other_team
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.reading import MatchSeen
from slomix_pipeline.warehouse.rows import rows_of

USUAL_FROM = 10  # rounds, as boards want of who is on them


@dataclass(frozen=True)
class _Usual:
    """A player's row of session_player_usual."""

    guid: str
    kd: float | None
    dpm: float | None


@dataclass(frozen=True)
class _RoundDpm:
    """A player's damage per minute in a round."""

    round_key: str
    guid: str
    dpm: float | None


def session_facts(conn: Connection[DictRow], session_key: str) -> SessionFacts | None:
    """The facts of a session; None when there is none of that key."""
    session = next(iter(reading.session_rows(conn, session_key)), None)
    if session is None:
        return None
    matches = reading.matches(conn, [session_key])
    usual = {row.guid: row for row in _usual(conn, session_key)}
    dpm: dict[str, dict[str, float | None]] = {}
    for row in _round_dpm(conn, [seen.key for match in matches for seen in match.rounds]):
        dpm.setdefault(row.guid, {})[row.round_key] = row.dpm
    played = {key for of_rounds in dpm.values() for key in of_rounds}
    counted = session.matches - session.not_counted
    return SessionFacts(
        day=date.fromisoformat(stem_of(session_key)[:10]),
        ended_at=session.ended_at,
        winner=session_winner(Points(session.points_a, session.points_b), counted, session.without_points),
        score_a=session.points_a,
        score_b=session.points_b,
        counted=counted,
        without_points=session.without_points,
        teams=matches[0].teams if matches else UNNAMED,
        matches=tuple(map(_match, matches)),
        rounds=tuple(
            RoundFacts(seen.key, at, number, match.map_name)
            for at, match in enumerate(matches, start=1)
            for number, seen in ((1, match.first), (2, match.second))
            if seen and seen.key in played
        ),
        players=tuple(
            PlayerFacts(
                player.name,
                player.team,
                player.kills,
                player.deaths,
                player.kd,
                player.dpm,
                player.damage_given,
                usual[player.guid].kd if player.guid in usual else None,
                usual[player.guid].dpm if player.guid in usual else None,
                dpm.get(player.guid, {}),
            )
            for player in reading.session_players(conn, session_key)
        ),
        usual_from=USUAL_FROM,
    )


def _usual(conn: Connection[DictRow], session_key: str) -> list[_Usual]:
    with conn.cursor(row_factory=rows_of(_Usual)) as cursor:
        return cursor.execute(
            "select guid, kd, dpm from session_player_usual where session_key = %s and rounds >= %s",
            [session_key, USUAL_FROM],
        ).fetchall()


def _round_dpm(conn: Connection[DictRow], round_keys: Sequence[str]) -> list[_RoundDpm]:
    with conn.cursor(row_factory=rows_of(_RoundDpm)) as cursor:
        return cursor.execute(
            "select scope as round_key, guid, dpm from player_metric where level = 'round' and scope = any(%s)",
            [list(round_keys)],
        ).fetchall()


def _match(match: MatchSeen) -> MatchFacts:
    first = match.attackers_first
    attackers = ((first, match.first), (None if first is None else other_team(first), match.second))
    return MatchFacts(
        map_name=match.map_name,
        winner=match.winner,
        broken_off=match.status is Status.ABORTED,
        attacks=tuple(
            AttackFacts(team, seen.attack_end, seen.attack_lasted, seen.header.limit_seconds)
            for team, seen in attackers
            if seen
        ),
        score_a=match.score_a,
        score_b=match.score_b,
    )
