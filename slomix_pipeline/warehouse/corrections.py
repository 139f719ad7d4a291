"""What was told of results, and what turned out otherwise: in the database.

Belongs here: ``published_result`` and ``correction``. What counts as a difference is a rule (``rules.corrections``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.corrections import Newer, Published, cause_text, difference
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.things import NOT_THERE, Thing, ThingKind
from slomix_pipeline.rules.values import attack_succeeded
from slomix_pipeline.warehouse.hiding import hiding
from slomix_pipeline.warehouse.reading import MatchSeen, RoundSeen
from slomix_pipeline.warehouse.rows import rows_of


def result_of(match: MatchSeen) -> Published:
    """The result of a match as it stands now."""
    teams = {team: tuple(sorted(p.guid for p in match.players if p.team == team)) for team in Team}
    times = tuple(_time(seen) for seen in match.rounds)
    return Published(match.winner, match.policy, times, teams[Team.A], teams[Team.B])


def _time(seen: RoundSeen) -> str:
    completed, seconds = attack_succeeded(seen.header), seen.attack_seconds
    if completed is None or (completed and seconds is None):
        return "?"
    return format_time(seconds or 0) if completed else "held"


def note_difference(conn: Connection[DictRow], match: MatchSeen) -> str | None:
    """Compares a match with what was last told of its result and stores what differs, once.

    Returns the latest correction of it as one line with its cause; None when nothing was ever corrected, or when all
    is as it was told first.
    """
    thing = _thing(match)
    told = conn.execute(
        """select r.facts, r.told_at from published_result r
           join post p using (thing)
           where thing = %s and p.state <> all(%s)""",
        [thing, list(NOT_THERE)],
    ).fetchone()
    if told is None:
        return None
    names = {team: name.shown for team, name in match.teams.items()}
    first, now = Published.from_json(told["facts"]), result_of(match)
    latest = conn.execute(
        "select before, after, cause, found_at from correction where thing = %s order by id desc limit 1", [thing]
    ).fetchone()
    before, since = (Published.from_json(latest["after"]), latest["found_at"]) if latest else (first, told["told_at"])
    notice = difference(before, now, names)
    if notice is not None:
        cause = _cause(conn, match, since)
        conn.execute(
            "insert into correction (thing, before, after, notice, cause) values (%s, %s, %s, %s, %s)",
            [thing, Jsonb(before.as_json()), Jsonb(now.as_json()), notice, cause],
        )
    elif latest is not None:  # in the letters of now
        notice, cause = difference(Published.from_json(latest["before"]), now, names), latest["cause"]
    if notice is None or difference(first, now, names) is None:
        return None
    return f"{notice} ({hiding(conn).text(cause)})"


def remember(conn: Connection[DictRow], thing: str, result: Published) -> None:
    """Keeps what is about to be told of a result; what its message said first stays, corrections follow it."""
    conn.execute(
        """insert into published_result (thing, facts) values (%s, %s)
           on conflict (thing) do update set facts = excluded.facts, told_at = now()""",
        [thing, Jsonb(result.as_json())],
    )


def _thing(match: MatchSeen) -> str | None:
    """The result of a match as the ledger of messages names it."""
    return None if match.second is None else Thing(ThingKind.RESULT, match.second.key).name


def _cause(conn: Connection[DictRow], match: MatchSeen, since: datetime) -> str:
    """What is newer than what was told: a decision about it, a file of the match or of its session, else the rules."""
    found = conn.execute(
        """select newer, who, why from (
               select 1 as rank, coalesce(revoked_at, made_at) as at,
                      case when revoked_at is null then %(decided)s else %(taken_back)s end as newer,
                      coalesce(revoked_by, made_by) as who, coalesce(revoked_reason, reason) as why
               from override join session_round using (round_key)
               where session_key = %(session)s and greatest(made_at, revoked_at) > %(since)s
                 and (kind in ('team', 'session') or round_key = any(%(rounds)s))
               union all
               select case when round_key = any(%(rounds)s) then 2 else 3 end, c.stored_at,
                      case when round_key = any(%(rounds)s) then %(own_file)s else %(other_file)s end, null, null
               from session_round
               join parsed_round p using (round_key)
               join file_content c using (sha256)
               where session_key = %(session)s and c.stored_at > %(since)s
           ) causes order by rank, at desc limit 1""",
        {
            "session": match.session_key,
            "rounds": [seen.key for seen in match.rounds],
            "since": since,
            "decided": Newer.DECIDED,
            "taken_back": Newer.TAKEN_BACK,
            "own_file": Newer.OWN_FILE,
            "other_file": Newer.OTHER_FILE,
        },
    ).fetchone()
    if found is None:
        return cause_text(Newer.RULES)
    return cause_text(Newer(found["newer"]), found["who"], found["why"])


@dataclass(frozen=True)
class Correction:
    """What turned out otherwise after it was told, in words."""

    thing: str
    notice: str
    cause: str
    found_at: datetime


def listed(conn: Connection[DictRow], session_key: str) -> list[Correction]:
    """The corrections of a session's results, oldest first; who is hidden is not named in them."""
    hidden = hiding(conn)
    with conn.cursor(row_factory=rows_of(Correction)) as cursor:
        found = cursor.execute(
            """select thing, c.notice, c.cause, c.found_at
               from correction c
               join post p using (thing)
               join session_round s on s.round_key = p.partition_key
               where s.session_key = %s order by c.id""",
            [session_key],
        ).fetchall()
    return [replace(row, cause=hidden.text(row.cause)) for row in found]


@dataclass(frozen=True)
class CorrectionListed:
    """A correction with the match that it is of, as that is now."""

    id: int
    notice: str
    cause: str
    found_at: datetime
    match_key: str
    map_name: str
    session_key: str


def newest(conn: Connection[DictRow], most: int, before: int | None = None) -> list[CorrectionListed]:
    """The latest corrections of all results, newest first. ``before``: the id of one, only older ones are given."""
    hidden = hiding(conn)
    with conn.cursor(row_factory=rows_of(CorrectionListed)) as cursor:
        found = cursor.execute(
            """select c.id, c.notice, c.cause, c.found_at, m.match_key, m.map as map_name, m.session_key
               from correction c
               join post p using (thing)
               join match m on m.r2_key = p.partition_key
               where %(before)s::bigint is null or c.id < %(before)s
               order by c.id desc limit %(most)s""",
            {"before": before, "most": most},
        ).fetchall()
    return [replace(row, cause=hidden.text(row.cause)) for row in found]


def of_sessions_begun(
    conn: Connection[DictRow], since: datetime, until: datetime, *, found_since: datetime
) -> list[CorrectionListed]:
    """The corrections that were found then or later, of results of sessions that began in a span; newest first."""
    hidden = hiding(conn)
    with conn.cursor(row_factory=rows_of(CorrectionListed)) as cursor:
        found = cursor.execute(
            """select c.id, c.notice, c.cause, c.found_at, m.match_key, m.map as map_name, m.session_key
               from correction c
               join post p using (thing)
               join match m on m.r2_key = p.partition_key
               join session s using (session_key)
               where s.started_at >= %s and s.started_at < %s and c.found_at >= %s
               order by c.id desc""",
            [since, until, found_since],
        ).fetchall()
    return [replace(row, cause=hidden.text(row.cause)) for row in found]


def latest_of(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, datetime]:
    """When a result of each session was corrected last, or its report became another one, of which nothing may have
    been told; by session, those of which neither ever was are missing."""
    rows = conn.execute(
        """select session_key, max(at) as at
           from (select s.session_key, c.found_at as at
                 from correction c
                 join post p using (thing)
                 join session_round s on s.round_key = p.partition_key
                 where s.session_key = any(%(keys)s)
                 union all
                 select session_key, changed_at from session_report
                 where session_key = any(%(keys)s) and changed_at is not null) corrected
           group by session_key""",
        {"keys": list(session_keys)},
    )
    return {row["session_key"]: row["at"] for row in rows}
