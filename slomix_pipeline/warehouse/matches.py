"""Matches in the database: what they are scored from, and their results with points.

Belongs here: ``match``, and reading the rounds of a session as halves of matches.
Does not belong here: who won and how many points that gives (``rules``), reading for people (``reading``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.score_policies import points
from slomix_pipeline.rules.scoring import Clock, Half, ScoredMatch, Winner
from slomix_pipeline.rules.timing import LengthFrom
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import parsed
from slomix_pipeline.warehouse.rows import rows_of

_COLUMNS: LiteralString = """match_key, session_key, position, map, status, r1_key, r2_key, winner, source, reason,
    confidence, by_header, by_time, attackers_side, attackers_first, r1_seconds, r1_completed, attackers_second,
    r2_seconds, r2_completed, policy, points_a, points_b"""


def halves_of(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, list[Half]]:
    """The rounds of sessions in order, as parts of matches, by session."""
    rows = conn.execute(
        """select s.session_key, r.*, p.map, sides.by_guid as sides,
                  case when t.duration_source <> %(limit)s then t.duration_seconds end as seconds,
                  case when record.exit_print is not null then record.surrender_side end as engine_surrender
           from session_round s
           join round r using (round_key)
           join parsed_round p using (round_key)
           left join round_timing t using (round_key)
           left join timing_record record using (record_key)
           cross join lateral (
               select coalesce(jsonb_object_agg(x.guid, x.side), '{}') as by_guid from round_player x
               where x.round_key = s.round_key and x.side is not null and not %(no_identity)s = any(x.flags)
           ) sides
           where s.session_key = any(%(sessions)s)
           order by s.session_key, s.position""",
        {"sessions": list(session_keys), "limit": LengthFrom.LIMIT, "no_identity": NO_IDENTITY},
    ).fetchall()
    headers = parsed.headers(conn, [row["round_key"] for row in rows])
    found: dict[str, list[Half]] = {key: [] for key in session_keys}
    for row in rows:
        half = Half(
            row["round_key"],
            row["partner_key"],
            row["match_key"],
            row["number"],
            Status(row["status"]),
            row["reason"],
            row["unscored_reason"],
            row["map"],
            headers[row["round_key"]],
            row["sides"],
            Clock(row["engine_surrender"], row["seconds"]),
        )
        found[row["session_key"]].append(half)
    return found


def store_matches(conn: Connection[DictRow], scored: Mapping[str, Sequence[ScoredMatch]], policy: str) -> None:
    """Writes the matches of sessions in play order, by session, with the points that they give under ``policy``."""
    keys = [match.first.match_key for matches in scored.values() for match in matches]
    conn.execute("delete from match where session_key = any(%s) or match_key = any(%s)", [list(scored), keys])
    with (
        conn.cursor() as cursor,
        cursor.copy(f"copy match ({_COLUMNS}) from stdin") as copy,
    ):
        for session_key, matches in scored.items():
            for position, m in enumerate(matches, start=1):
                copy.write_row(match_row(m, session_key, position, policy))


def match_row(m: ScoredMatch, session_key: str, position: int, policy: str) -> tuple[object, ...]:
    """A match as it is stored, in the order of ``_COLUMNS``."""
    return (
        m.first.match_key,
        session_key,
        position,
        m.first.map_name,
        m.first.status,
        m.first.key if m.first.number == 1 else None,
        m.second.key if m.second else m.first.key if m.first.number == 2 else None,
        m.result.winner,
        m.result.source,
        m.result.reason,
        m.result.confidence,
        m.result.by_header,
        m.result.by_time,
        m.result.attackers_side,
        *m.result.first,
        *m.result.second,
        policy,
        *(points(policy, m.result.winner, m.result.both_completed) or (None, None)),
    )


def stored_matches(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, tuple[object, ...]]:
    """The matches of sessions by key, each as ``match_row`` has it."""
    rows = conn.execute(f"select {_COLUMNS} from match where session_key = any(%s)", [session_keys])
    return {row["match_key"]: tuple(row.values()) for row in rows}


@dataclass(frozen=True)
class MatchScored:
    """A match with what any policy makes points of. ``points_*`` under its ``policy``: None when it is not counted, or
    when nobody knows them; ``both_completed``: None when that can't be told."""

    session_key: str
    position: int
    map: str
    winner: Winner | None
    policy: str
    points_a: int | None
    points_b: int | None
    both_completed: bool | None


def scored(conn: Connection[DictRow], session_key: str | None) -> list[MatchScored]:
    """All matches in order of play; of all sessions, or of one."""
    with conn.cursor(row_factory=rows_of(MatchScored)) as cursor:
        return cursor.execute(
            """select session_key, position, map, winner, policy, points_a, points_b,
                      r1_completed and r2_completed as both_completed
               from match join session using (session_key)
               where %(key)s::text is null or session_key = %(key)s
               order by started_at, session_key, position""",
            {"key": session_key},
        ).fetchall()
