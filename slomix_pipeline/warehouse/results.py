"""What the rules make of rounds: placing, own numbers, timing, sessions, teams.

Belongs here: writing those tables for whole sessions, and reading what the next stage needs.
Does not belong here: the rules themselves, matches (``matches``), reading for people (``reading``).
Callers hold the server's lock: within it a session is rewritten as a whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from operator import itemgetter
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.pairing import Placed, SecondRoundSeen
from slomix_pipeline.rules.policy import COUNTERS, WEAPON_COLUMNS
from slomix_pipeline.rules.rounds import SessionRounds
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.rules.timing import RoundTiming
from slomix_pipeline.rules.values import Status, with_true_limit
from slomix_pipeline.warehouse import parsed, teams
from slomix_pipeline.warehouse.spans import ANY_ZONE, as_arrays, joined, span_of, those_in

_in_columns = itemgetter(*COUNTERS)
_COPY_WEAPONS = f"copy round_weapon (round_key, guid, weapon, {', '.join(WEAPON_COLUMNS)}) from stdin"


def second_rounds_seen(
    conn: Connection[DictRow], server: str, sessions: Sequence[Sequence[Stamped]], zone: tzinfo
) -> list[list[SecondRoundSeen]]:
    """The round-2 endstats files known for the days of each session: they witness that a round 2 was played.

    ``zone``: of the stamps of files that name none of their own.
    """
    days = [span_of(session).widened(ANY_ZONE) for session in sessions]
    rows = conn.execute(
        """select f.named_map, f.named_stamp, f.timezone, f.modified_at
           from unnest(%(firsts)s::timestamptz[], %(lasts)s::timestamptz[]) as s (first, last)
           join file f on f.server = %(server)s and f.kind = 'endstats' and f.named_number = 2
             and f.named_stamp between (s.first at time zone 'UTC') and (s.last at time zone 'UTC')
           order by f.named_stamp, f.name""",
        {"server": server, **as_arrays(joined(days))},
    )
    seen = [
        (at.replace(tzinfo=UTC), SecondRoundSeen(row["named_map"], *stamp_in_utc(at, own_zone, (), row["modified_at"])))
        for row in rows
        for at, own_zone in [(row["named_stamp"], ZoneInfo(row["timezone"]) if row["timezone"] else zone)]
    ]
    return [[witness for _, witness in those_in(span, seen, itemgetter(0))] for span in days]


def store_rounds(conn: Connection[DictRow], sessions: Sequence[SessionRounds], rules: str) -> None:
    """Writes what became of sessions' rounds and every player's own numbers, in place of what was there.

    ``rules``: by which rules and settings they were worked out.
    """
    rows = [
        (
            p.key,
            p.match_key,
            p.partner,
            p.number,
            p.status,
            p.reason,
            *found.validities[p.key],
            _as_array(p.flags),
            found.links[p.key].record_key,
        )
        for found in sessions
        for p in found.placed.values()
    ]
    if not rows:
        return
    keys, *others = map(list, zip(*rows, strict=True))
    conn.execute(
        """insert into round (round_key, match_key, partner_key, number, status, reason, unscored_reason,
               invalid_reason, flags, placed_with, rules)
           select round_key, match_key, partner_key, number, status, reason, unscored_reason, invalid_reason,
                  flags::text[], placed_with, %s
           from unnest(%s::text[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::text[],
                       %s::text[], %s::text[], %s::text[])
                as given (round_key, match_key, partner_key, number, status, reason, unscored_reason, invalid_reason,
                          flags, placed_with)
           on conflict (round_key) do update
           set (match_key, partner_key, number, status, reason, unscored_reason, invalid_reason, flags, placed_with,
                rules, rules_at)
             = (excluded.match_key, excluded.partner_key, excluded.number, excluded.status, excluded.reason,
                excluded.unscored_reason, excluded.invalid_reason, excluded.flags, excluded.placed_with,
                excluded.rules, now())""",
        [rules, keys, *others],
    )
    conn.execute("delete from round_player where round_key = any(%s)", [keys])
    _note_worked(conn, keys)
    _copy_players(conn, {key: people for found in sessions for key, people in found.players.items()})


def _as_array(flags: Iterable[str]) -> str:
    """Flags as PostgreSQL writes an array of them: they are plain words."""
    return f"{{{','.join(flags)}}}"


def _copy_players(conn: Connection[DictRow], players: Mapping[str, Sequence[RoundPlayer]]) -> None:
    """Writes own numbers, by round key."""
    with (
        conn.cursor() as cursor,
        cursor.copy(
            f"""copy round_player (round_key, guid, name, side, kills, deaths, headshots, hits, shots, seconds_played,
                    seconds_dead, seconds_dead_raw, alive_percent, flags, {", ".join(COUNTERS)}) from stdin"""
        ) as copy,
    ):
        for key, people in players.items():
            for p in people:
                copy.write_row(
                    (
                        key,
                        p.guid,
                        p.name,
                        p.side,
                        p.kills,
                        p.deaths,
                        p.headshots,
                        p.hits,
                        p.shots,
                        p.seconds_played,
                        p.seconds_dead,
                        p.seconds_dead_raw,
                        p.alive_percent,
                        _as_array(p.flags),
                        *_in_columns(p.counters),
                    )
                )
    with conn.cursor() as cursor, cursor.copy(_COPY_WEAPONS) as copy:
        for key, people in players.items():
            for p in people:
                for weapon, counts in (p.weapons or {}).items():
                    copy.write_row((key, p.guid, weapon, *counts))


def _note_worked(conn: Connection[DictRow], round_keys: Collection[str]) -> None:
    """Notes that rounds of sessions were worked out: results and reports that are older are not of them."""
    conn.execute(
        """update session set worked_at = now()
           where session_key in (select session_key from session_round where round_key = any(%s))""",
        [list(round_keys)],
    )


def places(conn: Connection[DictRow], keys: Iterable[str]) -> dict[str, Placed]:
    """What became of rounds, by key."""
    rows = conn.execute(
        """select round_key, match_key, number, status, partner_key, reason, flags
           from round where round_key = any(%s)""",
        [list(keys)],
    )
    return {
        row["round_key"]: Placed(
            row["round_key"],
            row["match_key"],
            row["number"],
            Status(row["status"]),
            row["partner_key"],
            row["reason"],
            tuple(row["flags"]),
        )
        for row in rows
    }


def true_headers(conn: Connection[DictRow], placed: Mapping[str, Placed]) -> dict[str, Header]:
    """The headers of placed rounds, by key; of a round 2 with the limit that it was played for."""
    found = parsed.headers(conn, {*placed, *(place.partner for place in placed.values() if place.partner)})
    return {
        key: with_true_limit(found[key], found[place.partner]) if place.number == 2 and place.partner else found[key]
        for key, place in placed.items()
    }


def labels(conn: Connection[DictRow], keys: Iterable[str]) -> dict[str, int]:
    """The round numbers as labelled by the files, by key."""
    rows = conn.execute("select round_key, label from parsed_round where round_key = any(%s)", [list(keys)])
    return {row["round_key"]: row["label"] for row in rows}


def seconds_played(conn: Connection[DictRow], keys: Iterable[str]) -> dict[str, dict[str, int | None]]:
    """How long each player was there, by round key and GUID."""
    rows = conn.execute(
        """select round_key, jsonb_object_agg(guid, seconds_played) as seconds
           from round_player where round_key = any(%s) group by round_key""",
        [list(keys)],
    )
    return {row["round_key"]: row["seconds"] for row in rows}


def store_timing(conn: Connection[DictRow], timings: Mapping[str, RoundTiming]) -> None:
    """Writes how long rounds were, who gave up and which timing record each has.

    A round that had one of these records before, because the record said something else then, is left without; so is
    one of these rounds when a later one has its record too, as at a cut between them.
    """
    holders = {timing.link.record_key: key for key, timing in timings.items() if timing.link.record_key}
    conn.execute(
        """update round_timing set record_key = null, link_class = 'none', timed_at = 'epoch'
           where record_key = any(%s) and round_key <> all(%s)""",
        [list(holders), list(timings)],
    )
    rows = [
        (
            key,
            *timing.duration,
            timing.surrender_side,
            timing.status,
            timing.link.record_key,
            timing.link.candidate_key,
            timing.link.link_class,
            timing.link.reason,
            timing.link.record_key is not None and holders[timing.link.record_key] != key,
        )
        for key, timing in timings.items()
    ]
    if not rows:
        return
    conn.execute(
        """insert into round_timing (round_key, duration_seconds, duration_source, surrender_side,
               timing_status, record_key, candidate_key, link_class, link_reason, timed_at)
           select round_key, duration_seconds, duration_source, surrender_side, timing_status,
                  case when not taken then record_key end, candidate_key,
                  case when taken then 'none' else link_class end, link_reason,
                  case when taken then 'epoch' else now() end
           from unnest(%s::text[], %s::float8[], %s::text[], %s::smallint[], %s::text[], %s::text[], %s::text[],
                       %s::text[], %s::text[], %s::boolean[])
                as given (round_key, duration_seconds, duration_source, surrender_side, timing_status, record_key,
                          candidate_key, link_class, link_reason, taken)
           on conflict (round_key) do update
           set (duration_seconds, duration_source, surrender_side, timing_status, record_key, candidate_key,
                link_class, link_reason, timed_at)
             = (excluded.duration_seconds, excluded.duration_source, excluded.surrender_side,
                excluded.timing_status, excluded.record_key, excluded.candidate_key, excluded.link_class,
                excluded.link_reason, excluded.timed_at)""",
        list(map(list, zip(*rows, strict=True))),
    )
    _note_worked(conn, list(timings))


def store_sessions(conn: Connection[DictRow], server: str, sessions: Sequence[Sequence[Stamped]]) -> list[str]:
    """Writes sessions with their rounds in order; sessions they swallowed disappear. Returns their keys.

    A session that a round left has no teams and no result until its rounds are worked out again.
    """
    if not sessions:
        return []
    firsts = conn.execute(
        """select round_key, session_if_first,
                  stamp - make_interval(secs => coalesce(duration_seconds, 0)) as started_at
           from parsed_round left join round_timing using (round_key) where round_key = any(%s)""",
        [[session[0].key for session in sessions]],
    ).fetchall()
    begun = {row["round_key"]: row for row in firsts}
    keys = [str(begun[session[0].key]["session_if_first"]) for session in sessions]
    conn.execute(
        """insert into session (session_key, server, started_at, ended_at)
           select session_key, %s, started_at, ended_at
           from unnest(%s::text[], %s::timestamptz[], %s::timestamptz[]) as given (session_key, started_at, ended_at)
           on conflict (session_key) do update
           set started_at = excluded.started_at, ended_at = excluded.ended_at, worked_at = now()""",
        [
            server,
            keys,
            [begun[session[0].key]["started_at"] for session in sessions],
            [session[-1].stamp for session in sessions],
        ],
    )
    held = [
        (entry.key, key, position)
        for key, session in zip(keys, sessions, strict=True)
        for position, entry in enumerate(session, start=1)
    ]
    round_keys, session_keys, positions = map(list, zip(*held, strict=True))
    left = _sessions_left(conn, round_keys, session_keys)
    teams.remove_teams(conn, left)
    conn.execute("delete from match where session_key = any(%s)", [left])
    conn.execute("update session set worked_at = now() where session_key = any(%s)", [left])
    conn.execute(
        """insert into session_round (round_key, session_key, position)
           select * from unnest(%s::text[], %s::text[], %s::integer[])
           on conflict (round_key) do update
           set session_key = excluded.session_key, position = excluded.position""",
        [round_keys, session_keys, positions],
    )
    conn.execute(
        """delete from session s where session_key = any(%s)
           and not exists (select from session_round r where r.session_key = s.session_key)""",
        [left],
    )
    return keys


def _sessions_left(conn: Connection[DictRow], round_keys: list[str], session_keys: list[str]) -> list[str]:
    """The stored sessions that rounds are in so far and will not be: ``session_keys`` says where each belongs."""
    rows = conn.execute(
        """select distinct stored.session_key
           from unnest(%s::text[], %s::text[]) as given (round_key, session_key)
           join session_round stored using (round_key) where stored.session_key <> given.session_key""",
        [round_keys, session_keys],
    )
    return [row["session_key"] for row in rows]


def unscored_sessions(conn: Connection[DictRow], server: str, *, among: Collection[str] | None = None) -> list[str]:
    """The sessions of a server that were not scored since they were worked out last: never, or not since a round left
    them; all, or those of which a round is ``among`` these."""
    rows = conn.execute(
        """select session_key
           from session s
           where server = %(server)s and coalesce(scored_at, '-infinity') < worked_at
             and (%(among)s::text[] is null
                  or exists (select from session_round r
                             where r.session_key = s.session_key and round_key = any(%(among)s)))""",
        {"server": server, "among": None if among is None else list(among)},
    )
    return [row["session_key"] for row in rows]


def rounds_in(conn: Connection[DictRow], session_keys: Sequence[str]) -> list[str]:
    """The rounds of stored sessions."""
    rows = conn.execute("select round_key from session_round where session_key = any(%s)", [session_keys])
    return [row["round_key"] for row in rows]


def session_keys(conn: Connection[DictRow]) -> list[str]:
    """All sessions, in order."""
    return [row["session_key"] for row in conn.execute("select session_key from session order by session_key")]


def session_starts(conn: Connection[DictRow]) -> dict[str, datetime]:
    """When each session began, by key, in order of play."""
    rows = conn.execute("select session_key, started_at from session order by started_at, session_key")
    return {row["session_key"]: row["started_at"] for row in rows}


def keys_if_first(conn: Connection[DictRow], round_keys: Sequence[str]) -> dict[str, str]:
    """The keys of the sessions that rounds begin, or would begin, by round."""
    rows = conn.execute(
        "select round_key, session_if_first from parsed_round where round_key = any(%s)", [list(round_keys)]
    )
    return {row["round_key"]: row["session_if_first"] for row in rows}


def teams_stored(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, dict[str, str | None]]:
    """The team of everybody, by session and GUID; None while it is open."""
    rows = conn.execute(
        "select session_key, guid, team from session_player where session_key = any(%s)", [session_keys]
    )
    found: dict[str, dict[str, str | None]] = {}
    for row in rows:
        found.setdefault(row["session_key"], {})[row["guid"]] = row["team"]
    return found


def teams_named(conn: Connection[DictRow], session_keys: Sequence[str]) -> set[tuple[str, str]]:
    """The teams that have a name, each with its session."""
    rows = conn.execute("select session_key, team from session_team where session_key = any(%s)", [session_keys])
    return {(row["session_key"], row["team"]) for row in rows}


def without_rounds(conn: Connection[DictRow]) -> list[str]:
    """The sessions that no round is in."""
    rows = conn.execute(
        """select session_key from session s
           where not exists (select from session_round r where r.session_key = s.session_key) order by 1"""
    ).fetchall()
    return [row["session_key"] for row in rows]


def is_session(conn: Connection[DictRow], name: str) -> bool:
    """Whether a name is a session's key, which no round has: a round's goes on with its map."""
    return conn.execute("select from session where session_key = %s", [name]).fetchone() is not None


def sessions_of(conn: Connection[DictRow], round_keys: Iterable[str]) -> list[str]:
    """The sessions that hold rounds, by key."""
    rows = conn.execute(
        "select distinct session_key from session_round where round_key = any(%s) order by 1", [list(round_keys)]
    )
    return [row["session_key"] for row in rows]
