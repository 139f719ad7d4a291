"""What the rules make of rounds: placing, own numbers, timing, sessions, teams.

Belongs here: writing those tables for whole sessions, and reading what the next stage needs.
Does not belong here: the rules themselves, matches (``matches``), reading for people (``reading``).
Callers hold the server's lock: within it a session is rewritten as a whole.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.overrides import CUT, OverrideKind, of_kind
from slomix_pipeline.rules.pairing import Placed, SecondRoundSeen
from slomix_pipeline.rules.policy import COUNTERS
from slomix_pipeline.rules.rounds import SessionRounds
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions
from slomix_pipeline.rules.stamps import stamp_in_utc
from slomix_pipeline.rules.timing import RoundTiming
from slomix_pipeline.rules.values import Status, with_true_limit
from slomix_pipeline.warehouse import overrides, parsed, teams

_ANY_ZONE = timedelta(days=1)  # no wall clock is farther from UTC


def touched_sessions(
    conn: Connection[DictRow],
    server: str,
    keys: Iterable[str],
    gap: timedelta,
    *,
    placed: bool,
    planned: Collection[str] | None = None,
) -> list[list[Stamped]]:
    """The sessions, by stamps and decisions, that hold any of these rounds, or rounds they were stored with before.

    ``placed``: only of rounds that were placed already; another run may have parsed one and not come further yet.
    ``planned``: whole sessions, by their rounds: no others are looked at than these and what falls into them.
    """
    wanted = set(keys)
    decided = of_kind(overrides.in_force(conn, server), OverrideKind.SESSION)
    begins = {key: override.value == CUT for key, override in decided.items()}
    rows = conn.execute(
        """select p.round_key, p.stamp from parsed_round p left join round r using (round_key)
           where p.server = %(server)s and (r.round_key is not null or not %(placed)s)
             and (%(near)s::text[] is null or p.stamp between
                  (select min(stamp) - %(gap)s from parsed_round where round_key = any(%(near)s))
                  and (select max(stamp) + %(gap)s from parsed_round where round_key = any(%(near)s)))""",
        {
            "server": server,
            "placed": placed,
            # Sessions that somebody joined may lie apart.
            "near": None if planned is None or not all(begins.values()) else list(planned),
            "gap": gap,
        },
    )
    sessions = group_into_sessions((Stamped(row["round_key"], row["stamp"]) for row in rows), gap, begins)
    wanted |= _stored_together(conn, wanted)
    found = [session for session in sessions if any(entry.key in wanted for entry in session)]
    # A session that loses rounds to one of these is another now too.
    left = _stored_together(conn, [entry.key for session in found for entry in session])
    return [session for session in sessions if session in found or any(entry.key in left for entry in session)]


def _stored_together(conn: Connection[DictRow], keys: Iterable[str]) -> set[str]:
    """The rounds of all stored sessions that hold any of these."""
    rows = conn.execute(
        """select round_key from session_round where session_key in
             (select session_key from session_round where round_key = any(%s))""",
        [list(keys)],
    )
    return {row["round_key"] for row in rows}


def second_rounds_seen(
    conn: Connection[DictRow], server: str, session: Sequence[Stamped], zone: tzinfo
) -> list[SecondRoundSeen]:
    """The round-2 endstats files known for the days of a session: they witness that a round 2 was played.

    ``zone``: of the stamps of files that name none of their own.
    """
    first, last = (at.astimezone(UTC).replace(tzinfo=None) for at in (session[0].stamp, session[-1].stamp))
    rows = conn.execute(
        """select named_map, named_stamp, timezone from file
           where server = %s and kind = 'endstats' and named_number = 2 and named_stamp between %s and %s""",
        [server, first - _ANY_ZONE, last + _ANY_ZONE],
    )
    return [
        SecondRoundSeen(row["named_map"], stamp_in_utc(row["named_stamp"], own_zone).at)
        for row in rows
        for own_zone in [ZoneInfo(row["timezone"]) if row["timezone"] else zone]
    ]


def store_rounds(conn: Connection[DictRow], found: SessionRounds, rules: str) -> None:
    """Writes what became of a session's rounds and every player's own numbers, in place of what was there.

    ``rules``: by which rules and settings they were worked out.
    """
    placed, players = found.placed, found.players
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into round (round_key, match_key, partner_key, number, status, reason, unscored_reason,
                   invalid_reason, flags, placed_with, rules)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (round_key) do update
               set (match_key, partner_key, number, status, reason, unscored_reason, invalid_reason, flags, placed_with,
                    rules, rules_at)
                 = (excluded.match_key, excluded.partner_key, excluded.number, excluded.status, excluded.reason,
                    excluded.unscored_reason, excluded.invalid_reason, excluded.flags, excluded.placed_with,
                    excluded.rules, now())""",
            [
                (
                    p.key,
                    p.match_key,
                    p.partner,
                    p.number,
                    p.status,
                    p.reason,
                    *found.validities[p.key],
                    list(p.flags),
                    found.links[p.key].record_key,
                    rules,
                )
                for p in placed.values()
            ],
        )
        cursor.execute("delete from round_player where round_key = any(%s)", [list(placed)])
        columns = ", ".join(COUNTERS)
        with cursor.copy(
            f"""copy round_player (round_key, guid, name, side, kills, deaths, headshots, hits, shots, seconds_played,
                    seconds_dead, seconds_dead_raw, alive_percent, flags, {columns}) from stdin"""
        ) as copy:
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
                            list(p.flags),
                            *(p.counters[name] for name in COUNTERS),
                        )
                    )
        with cursor.copy("copy round_weapon from stdin") as copy:
            for key, people in players.items():
                for p in people:
                    for weapon, c in (p.weapons or {}).items():
                        copy.write_row((key, p.guid, weapon, c.hits, c.shots, c.kills, c.deaths, c.headshots))


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

    A round that had one of these records before, because the record said something else then, is left without.
    """
    conn.execute(
        """update round_timing set record_key = null, link_class = 'none', timed_at = 'epoch'
           where record_key = any(%s) and round_key <> all(%s)""",
        [[t.link.record_key for t in timings.values() if t.link.record_key], list(timings)],
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into round_timing (round_key, duration_seconds, duration_source, surrender_side,
                   timing_status, record_key, candidate_key, link_class, link_reason)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (round_key) do update
               set (duration_seconds, duration_source, surrender_side, timing_status, record_key, candidate_key,
                    link_class, link_reason, timed_at)
                 = (excluded.duration_seconds, excluded.duration_source, excluded.surrender_side,
                    excluded.timing_status, excluded.record_key, excluded.candidate_key, excluded.link_class,
                    excluded.link_reason, now())""",
            [
                (
                    key,
                    *timing.duration,
                    timing.surrender_side,
                    timing.status,
                    timing.link.record_key,
                    timing.link.candidate_key,
                    timing.link.link_class,
                    timing.link.reason,
                )
                for key, timing in timings.items()
            ],
        )


def store_session(conn: Connection[DictRow], server: str, session: Sequence[Stamped]) -> str:
    """Writes a session with its rounds in order; sessions it swallowed disappear. Returns its key.

    A session that a round left has no teams and no result until its rounds are worked out again.
    """
    first = conn.execute(
        """select session_if_first, stamp - make_interval(secs => coalesce(duration_seconds, 0)) as started_at
           from parsed_round left join round_timing using (round_key) where round_key = %s""",
        [session[0].key],
    ).fetchone()
    assert first is not None
    key = str(first["session_if_first"])
    conn.execute(
        """insert into session (session_key, server, started_at, ended_at) values (%s, %s, %s, %s)
           on conflict (session_key) do update
           set started_at = excluded.started_at, ended_at = excluded.ended_at""",
        [key, server, first["started_at"], session[-1].stamp],
    )
    for left in _sessions_left(conn, key, session):
        teams.remove_teams(conn, [left])
        conn.execute("delete from match where session_key = %s", [left])
    with conn.cursor() as cursor:
        cursor.executemany(
            """insert into session_round (round_key, session_key, position) values (%s, %s, %s)
               on conflict (round_key) do update
               set session_key = excluded.session_key, position = excluded.position""",
            [(entry.key, key, position) for position, entry in enumerate(session, start=1)],
        )
    conn.execute(
        """delete from session s where server = %s
           and not exists (select from session_round r where r.session_key = s.session_key)""",
        [server],
    )
    return key


def _sessions_left(conn: Connection[DictRow], key: str, session: Sequence[Stamped]) -> list[str]:
    """The stored sessions, other than ``key``, that some of these rounds are in so far."""
    rows = conn.execute(
        "select distinct session_key from session_round where round_key = any(%s) and session_key <> %s",
        [[entry.key for entry in session], key],
    )
    return [row["session_key"] for row in rows]


def unscored_sessions(conn: Connection[DictRow], server: str, *, among: Collection[str] | None = None) -> list[str]:
    """The sessions of a server with a round in no match: never scored, or not since a round left them; all, or those
    of which such a round is ``among`` these."""
    rows = conn.execute(
        """select distinct session_key
           from session join session_round using (session_key) join round r using (round_key)
           where server = %(server)s and not exists (select from match m where m.match_key = r.match_key)
             and (%(among)s::text[] is null or round_key = any(%(among)s))""",
        {"server": server, "among": None if among is None else list(among)},
    )
    return [row["session_key"] for row in rows]


def rounds_in(conn: Connection[DictRow], session_keys: Sequence[str]) -> list[str]:
    """The rounds of stored sessions."""
    rows = conn.execute("select round_key from session_round where session_key = any(%s)", [session_keys])
    return [row["round_key"] for row in rows]


def sessions_of(conn: Connection[DictRow], round_keys: Iterable[str]) -> list[str]:
    """The sessions that hold rounds, by key."""
    rows = conn.execute(
        "select distinct session_key from session_round where round_key = any(%s) order by 1", [list(round_keys)]
    )
    return [row["session_key"] for row in rows]
