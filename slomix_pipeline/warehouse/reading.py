"""Sessions, matches and rounds as people read them: for posts, reports, lists and exports.

Belongs here: reading results across tables. Every total comes from the views in ``sql/views``.
Does not belong here: how it is worded (``discord.messages``) or printed (``cli``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.comebacks import MapsWon, comebacks
from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.scoring import Clock, Source, Winner, attack_time
from slomix_pipeline.rules.team_names import UNNAMED, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.rules.timing import AttackEnd, LengthFrom, TimingStatus, attack_end, attackers_gave_up
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import results, teams
from slomix_pipeline.warehouse.fastest_attacks import FastestAttack, fastest_attacks
from slomix_pipeline.warehouse.hiding import hiding
from slomix_pipeline.warehouse.predictions import HalfTimeSaid, said_at_half_time
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class RoundSeen:
    """One round of a match as people see it."""

    key: str
    header: Header
    """Of a round 2 with the limit that it was played for."""
    ended_at: datetime
    duration_seconds: float | None
    duration_source: LengthFrom | None
    timing_status: TimingStatus
    record_key: str | None
    surrender_side: int | None
    by_sensor: bool
    left_out: str | None
    """Why its numbers are in no total although its result counts; None when they are."""
    reason: str | None = None
    """Why it has its place, where there is something to say."""
    flags: tuple[str, ...] = ()

    @property
    def lasted(self) -> float | None:
        """Seconds of the round; None where all that is known is its limit."""
        return None if self.duration_source == LengthFrom.LIMIT else self.duration_seconds

    @property
    def attack_seconds(self) -> int | None:
        """The time of its attack: the stopwatch's, or how long the round was where no time stands there."""
        return attack_time(self.header, Clock(self.surrender_side, self.lasted))

    @property
    def attack_end(self) -> AttackEnd:
        """How its attack ended."""
        return attack_end(self.header, self.gave_up, self.lasted)

    @property
    def attack_lasted(self) -> float | None:
        """Seconds that its attack went on: the time it took, or how long it was held off; None is unknown."""
        match self.attack_end:
            case AttackEnd.COMPLETED:
                return self.attack_seconds
            case AttackEnd.HELD:
                return self.header.limit_seconds
            case AttackEnd.UNKNOWN:
                return None
        return self.lasted

    @property
    def gave_up(self) -> bool | None:
        """Whether the attackers ended it early."""
        return attackers_gave_up(self.header, self.surrender_side)


@dataclass(frozen=True)
class PlayerTotals:
    """A player's numbers of a match or of a session, as the views give them; None is unknown. ``name``: the one to
    show; ``team``: None while open; ``impact``: 1.0 is a fair share; ``of_the_time``: the share of what was played that
    he was there for, 0 to 1; ``objectives``: stolen, returned, planted and defused; ``denied_playtime``: seconds."""

    guid: str
    name: str
    team: Team | None
    kills: int | None
    deaths: int | None
    kd: float | None
    dpm: float | None
    damage_given: int | None
    damage_received: int | None
    accuracy: float | None
    headshot_percent: float | None
    impact: float | None
    of_the_time: float | None
    seconds_played: int | None
    revives_given: int | None
    objectives: int | None
    denied_playtime: int | None


_TOTALS = """team, kills, deaths, kd, dpm, damage_given, damage_received, accuracy,
             headshot_percent, impact, of_the_time, seconds_played, revives_given, denied_playtime,
             objectives_stolen + objectives_returned + dynamites_planted + dynamites_defused as objectives"""


@dataclass(frozen=True)
class _OfAMatch(PlayerTotals):
    match_key: str


@dataclass(frozen=True)
class SessionScore:
    """A session with its score: a row of session_score, see there. ``policy`` is None before its first match is
    scored."""

    session_key: str
    server: str
    started_at: datetime
    ended_at: datetime
    rounds: int
    matches: int
    won_a: int
    won_b: int
    draws: int
    not_counted: int
    policy: str | None
    points_a: int
    points_b: int
    without_points: int


@dataclass(frozen=True)
class MatchSeen:
    """One match: its rounds, result and the session's score after it. ``players``: most impact first;
    ``without_identity``: names of who is in its numbers and in no total; ``teams``: what A and B are called;
    ``without_points``: decided matches so far of which nobody knows the points: the score is too low by them;
    ``record``: its attack that was the fastest on its map so far; ``substitutions``: in words; ``caught_up_from``: maps
    won by A and by B when the winner was furthest behind, where it caught up now; ``half_time``: what was said of the
    time that its first round left to beat; ``disputed``: headers and times name different winners."""

    key: str
    session_key: str
    position: int
    map_name: str
    status: Status
    winner: Winner | None
    source: Source | None
    reason: str
    attackers_first: Team | None
    policy: str
    first: RoundSeen | None
    second: RoundSeen | None
    players: tuple[PlayerTotals, ...]
    score_a: int
    score_b: int
    draws: int
    without_points: int = 0
    teams: Mapping[str, TeamName] = field(default_factory=lambda: UNNAMED)
    without_identity: tuple[str, ...] = ()
    substitutions: tuple[str, ...] = ()
    caught_up_from: MapsWon | None = None
    record: FastestAttack | None = None
    half_time: HalfTimeSaid | None = None
    disputed: bool = False

    @property
    def rounds(self) -> list[RoundSeen]:
        """Those of its two rounds that are there, in order."""
        return [seen for seen in (self.first, self.second) if seen]


_SCORES: LiteralString = """
    select session_key, server, started_at, ended_at, rounds, matches, won_a, won_b, draws, not_counted, policy,
           points_a, points_b, without_points
    from session_score"""


def session_rows(conn: Connection[DictRow], session_key: str | None = None) -> list[SessionScore]:
    """Sessions with their score, oldest first; all, or one."""
    if session_key is not None:
        return session_rows_of(conn, [session_key])
    with conn.cursor(row_factory=rows_of(SessionScore)) as cursor:
        return cursor.execute(f"{_SCORES} order by started_at, session_key").fetchall()


def session_rows_of(conn: Connection[DictRow], session_keys: Sequence[str]) -> list[SessionScore]:
    """These sessions with their score, oldest first."""
    with conn.cursor(row_factory=rows_of(SessionScore)) as cursor:
        return cursor.execute(
            f"{_SCORES} where session_key = any(%s) order by started_at, session_key", [list(session_keys)]
        ).fetchall()


def resolve_session(conn: Connection[DictRow], name: str) -> str | None:
    """The session behind a key or ``latest``; a key that was merged away leads to the session that swallowed it."""
    found = conn.execute(
        """select session_key from (
               select session_key, 0 as rank, ended_at from session where session_key = %(name)s
               union all
               select session_key, 1, ended_at from session_round join parsed_round using (round_key)
                      join session using (session_key, server)
               where session_if_first = %(name)s
               union all
               select session_key, 2, ended_at from session where %(name)s = 'latest'
           ) candidates order by rank, ended_at desc, session_key limit 1""",
        {"name": name},
    ).fetchone()
    return None if found is None else str(found["session_key"])


def swallowed_sessions(conn: Connection[DictRow], session_key: str) -> list[str]:
    """Keys under which something was said and that this session has swallowed since."""
    rows = conn.execute(
        """select partition_key from post
           where kind = %s and part = 1 and partition_key <> %s
             and not exists (select from session s where s.session_key = partition_key)""",
        [ThingKind.SESSION, session_key],
    ).fetchall()
    keys = [row["partition_key"] for row in rows]
    return [key for key in keys if resolve_session(conn, key) == session_key]


def session_players(conn: Connection[DictRow], session_key: str) -> list[PlayerTotals]:
    """Totals of a session's players over its valid rounds, team by team, most impact first."""
    with conn.cursor(row_factory=rows_of(PlayerTotals)) as cursor:
        return cursor.execute(
            f"""select guid, called as name, {_TOTALS}
                from session_player_metric join session_name using (session_key, guid)
                left join (select guid, impact, of_the_time from player_impact
                           where level = 'session' and scope = %(key)s) i using (guid)
                where session_key = %(key)s
                order by team nulls last, impact desc nulls last, kills desc nulls last, guid""",
            {"key": session_key},
        ).fetchall()


@dataclass(frozen=True)
class RosterEntry:
    """Somebody who played in a session. ``name``: his in the game; ``shown``: the one to show; ``team``: None while
    open."""

    guid: str
    name: str
    shown: str
    team: Team | None


def rosters(conn: Connection[DictRow], session_key: str) -> list[RosterEntry]:
    """Everybody who played in a session."""
    with conn.cursor(row_factory=rows_of(RosterEntry)) as cursor:
        return cursor.execute(
            """select guid, name, called as shown, team
               from session_player join session_name using (session_key, guid)
               where session_key = %s order by team nulls last, name, guid""",
            [session_key],
        ).fetchall()


def matches(
    conn: Connection[DictRow],
    session_keys: Iterable[str],
    *,
    records: bool = True,
    players_of: Collection[str] | None = None,
) -> list[MatchSeen]:
    """The matches of sessions in play order. ``records``: whether to look for theirs, in all that was ever played on
    their maps; ``players_of``: of which alone the players are read."""
    rows = conn.execute(
        """select m.*,
                  coalesce(sum(points_a) over so_far, 0)::integer as score_a,
                  coalesce(sum(points_b) over so_far, 0)::integer as score_b,
                  count(*) filter (where winner = %(draw)s) over so_far as draws,
                  count(*) filter (where winner is not null and points_a is null) over so_far as without_points
           from match m where session_key = any(%(keys)s)
           window so_far as (partition by session_key order by position)
           order by session_key, position""",
        {"keys": list(session_keys), "draw": Winner.DRAW},
    ).fetchall()
    rounds = rounds_seen(conn, [key for row in rows for key in (row["r1_key"], row["r2_key"]) if key])
    sessions = {row["session_key"] for row in rows}
    names = teams.team_names(conn, sessions)
    changes = teams.substitutions(conn, sessions)
    hidden = hiding(conn)
    caught_up = comebacks_among(rows)
    fastest = fastest_attacks(conn, [row["match_key"] for row in rows]) if records else {}
    said = said_at_half_time(conn, {own.key: own.attack_seconds for row in rows if (own := rounds.get(row["r1_key"]))})
    players = _match_players(conn, [r["match_key"] for r in rows] if players_of is None else list(players_of))
    nobodies = {
        row["match_key"]: tuple(dict.fromkeys(hidden.name(name) for name in row["names"]))
        for row in conn.execute(
            """select match_key, array_agg(distinct name order by name) as names
               from round join round_player p using (round_key)
               where p.round_key = any(array(select r.round_key from round r where r.match_key = any(%s) and r.valid))
                 and %s = any(p.flags)
               group by match_key""",
            [[row["match_key"] for row in rows], NO_IDENTITY],
        )
    }
    return [
        MatchSeen(
            key=row["match_key"],
            session_key=row["session_key"],
            position=row["position"],
            map_name=row["map"],
            status=Status(row["status"]),
            winner=row["winner"] and Winner(row["winner"]),
            source=row["source"] and Source(row["source"]),
            reason=hidden.text(row["reason"]),
            attackers_first=row["attackers_first"] and Team(row["attackers_first"]),
            policy=row["policy"],
            first=rounds.get(row["r1_key"]),
            second=rounds.get(row["r2_key"]),
            players=tuple(players.get(row["match_key"], ())),
            score_a=row["score_a"],
            score_b=row["score_b"],
            draws=row["draws"],
            without_points=row["without_points"],
            teams=names[row["session_key"]],
            without_identity=nobodies.get(row["match_key"], ()),
            substitutions=tuple(text for key in (row["r1_key"], row["r2_key"]) for text in changes.get(key, ())),
            caught_up_from=caught_up.get(row["match_key"]),
            record=fastest.get(row["match_key"]),
            half_time=said.get(row["r1_key"]),
            disputed=bool(row["disputed"]),
        )
        for row in rows
    ]


def comebacks_among(rows: Sequence[Mapping[str, Any]]) -> dict[str, MapsWon]:
    """From what winners came back, by match. ``rows``: matches by session in play order."""
    found: dict[str, MapsWon] = {}
    for _, session in groupby(rows, key=lambda row: row["session_key"]):
        of_session = list(session)
        came_from = comebacks(row["winner"] for row in of_session)
        found |= {row["match_key"]: score for row, score in zip(of_session, came_from, strict=True) if score}
    return found


def _match_players(conn: Connection[DictRow], match_keys: Sequence[str]) -> dict[str, list[PlayerTotals]]:
    """The players of matches with their numbers, most impact first."""
    players: dict[str, list[PlayerTotals]] = {}
    if not match_keys:
        return players
    with conn.cursor(row_factory=rows_of(_OfAMatch)) as cursor:
        for row in cursor.execute(
            f"""select match_key, guid, coalesce(shown, name) as name, {_TOTALS}
                from match_player_metric left join person_decided using (guid)
                left join (select scope as match_key, guid, impact, of_the_time from player_impact
                           where level = 'match' and scope = any(%(keys)s)) i using (match_key, guid)
                where match_key = any(%(keys)s)
                order by impact desc nulls last, kills desc nulls last, guid""",
            {"keys": list(match_keys)},
        ):
            players.setdefault(row.match_key, []).append(row)
    return players


def rounds_seen(conn: Connection[DictRow], keys: Sequence[str]) -> dict[str, RoundSeen]:
    """Timed rounds as people see them, by key."""
    headers = results.true_headers(conn, results.places(conn, keys))
    hidden = hiding(conn)
    rows = conn.execute(
        """select p.*, t.*, f.by_sensor, r.reason, r.flags,
                  case when r.unscored_reason is null then r.invalid_reason end as left_out
           from parsed_round p join round r using (round_key) join round_timing t using (round_key)
           join file f using (server, name) where p.round_key = any(%s)""",
        [list(keys)],
    )
    return {
        row["round_key"]: RoundSeen(
            row["round_key"],
            headers[row["round_key"]],
            row["stamp"],
            row["duration_seconds"],
            row["duration_source"] and LengthFrom(row["duration_source"]),
            TimingStatus(row["timing_status"]),
            row["record_key"],
            row["surrender_side"],
            row["by_sensor"],
            hidden.text_if_any(row["left_out"]),
            hidden.text_if_any(row["reason"]),
            tuple(row["flags"]),
        )
        for row in rows
    }


def timing_coverage(rounds: Sequence[RoundSeen]) -> str:
    """How many of the rounds have a linked timing record: ``21/22``."""
    return f"{sum(seen.record_key is not None for seen in rounds)}/{len(rounds)}"
