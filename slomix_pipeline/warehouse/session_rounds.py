"""The rounds of a session with every player's numbers, and the files that are lost within it: for the export.

Belongs here: reading them. Does not belong here: how they are worded (``reports.export``), totals (``reading``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.values import Status, stopwatch_seconds
from slomix_pipeline.warehouse import results
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class PlayerOfRound:
    """A player's own numbers of a round; None is unknown. ``team``: None while open."""

    round_key: str
    guid: str
    name: str
    side: int | None
    team: Team | None
    kills: int | None
    deaths: int | None
    damage_given: int | None
    damage_received: int | None
    headshots: int | None
    hits: int | None
    shots: int | None
    gibs: int | None
    self_kills: int | None
    seconds_played: int | None
    dpm: float | None
    accuracy: float | None
    revives_given: int | None
    xp: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class RoundOfSession:
    """A placed round; what is told of its length is None before it is timed. ``stopwatch_seconds``: what the stopwatch
    shows, None where no time stands; it and ``players`` are of other queries."""

    round_key: str
    number: int
    status: Status
    valid: bool
    reason: str | None
    invalid_reason: str | None
    flags: tuple[str, ...]
    map: str
    stamp: datetime
    duration_seconds: float | None
    duration_source: LengthFrom | None
    timing_status: TimingStatus | None
    surrender_side: int | None
    stopwatch_seconds: int | None = None
    players: tuple[PlayerOfRound, ...] = ()


@dataclass(frozen=True)
class LostFile:
    """A stats file that can't be read. ``timezone``: of its stamp, where it was given for this file; else the
    setting."""

    round_key: str
    name: str
    reason: str | None
    timezone: str | None


def session_rounds(conn: Connection[DictRow], session_key: str) -> list[RoundOfSession]:
    """The rounds of a session in order."""
    with conn.cursor(row_factory=rows_of(RoundOfSession)) as cursor:
        rounds = cursor.execute(
            """select round_key, r.number, r.status, r.valid, r.reason, r.invalid_reason, r.flags, p.map, p.stamp,
                      t.duration_seconds, t.duration_source, t.timing_status, t.surrender_side
               from session_round s join round r using (round_key) join parsed_round p using (round_key)
               left join round_timing t using (round_key)
               where s.session_key = %s order by s.position""",
            [session_key],
        ).fetchall()
    keys = [row.round_key for row in rounds]
    players = _players(conn, session_key, keys)
    headers = results.true_headers(conn, results.places(conn, keys))
    return [
        replace(
            row,
            stopwatch_seconds=stopwatch_seconds(headers[row.round_key]),
            players=tuple(players.get(row.round_key, ())),
        )
        for row in rounds
    ]


def _players(conn: Connection[DictRow], session_key: str, keys: Sequence[str]) -> dict[str, list[PlayerOfRound]]:
    """The players of each round, team by team, most kills first. Asked by the rounds' keys: those of a join do not
    reach the indexes below what pages read."""
    players: dict[str, list[PlayerOfRound]] = {}
    with conn.cursor(row_factory=rows_of(PlayerOfRound)) as cursor:
        for row in cursor.execute(
            """select m.round_key, m.guid, m.name, m.side, sp.team, m.kills, m.deaths, m.damage_given,
                      m.damage_received, m.headshots, m.hits, m.shots, m.gibs, m.self_kills, m.seconds_played, m.dpm,
                      m.accuracy, m.revives_given, m.xp, m.flags
               from round_player_metric m
               left join session_player sp on sp.session_key = %(session)s and sp.guid = m.guid
               where m.round_key = any(%(rounds)s)
               order by m.round_key, sp.team nulls last, m.kills desc nulls last, m.guid""",
            {"session": session_key, "rounds": list(keys)},
        ):
            players.setdefault(row.round_key, []).append(row)
    return players


def quarantined_within(conn: Connection[DictRow], session_key: str) -> list[LostFile]:
    """Quarantined stats files without a readable version whose stamps lie within those of a session's rounds."""
    with conn.cursor(row_factory=rows_of(LostFile)) as cursor:
        return cursor.execute(
            """select f.partition_key as round_key, f.name, f.reason, f.timezone
               from (select p.server, min(p.stamp_local) as first, max(p.stamp_local) as last
                     from session_round join parsed_round p using (round_key)
                     where session_key = %s group by p.server) played
               join file f on f.server = played.server and f.named_stamp between played.first and played.last
               where f.kind = 'stats' and f.status = 'quarantined'
                 and not exists (select from parsed_round p where p.round_key = f.partition_key)
               order by f.name""",
            [session_key],
        ).fetchall()


def lost_file(conn: Connection[DictRow], round_key: str) -> LostFile | None:
    """The quarantined stats file of a round without a readable version; None: it is none."""
    with conn.cursor(row_factory=rows_of(LostFile)) as cursor:
        return cursor.execute(
            """select f.partition_key as round_key, f.name, f.reason, f.timezone from file f
               where f.kind = 'stats' and f.status = 'quarantined' and f.partition_key = %s
                 and f.named_stamp is not null
                 and not exists (select from parsed_round p where p.round_key = f.partition_key)""",
            [round_key],
        ).fetchone()
