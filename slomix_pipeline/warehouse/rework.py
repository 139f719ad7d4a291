"""Which rounds have inputs newer than their result.

Belongs here: everything that makes a round stale, in one query. When it is asked for again: ``sensors.rework``.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.linking import CANDIDATE_WINDOW, LINK_WINDOW
from slomix_pipeline.rules.rounds import RULES_VERSION
from slomix_pipeline.rules.stamps import WITNESS_WITHIN
from slomix_pipeline.settings import Settings

# A record mostly comes before its own round does: only one that stays alone for so long is asked about.
_UNLINKED_PATIENCE = timedelta(minutes=5)
_AT_ONCE = 1000  # rounds; a change of the rules makes all of history stale


def rules_in_force(settings: Settings) -> str:
    """What a round is worked out by: the version of the rules, and the settings that they take."""
    window, gap = settings.pairing_window.total_seconds(), settings.session_gap.total_seconds()
    return (
        f"{RULES_VERSION}; pairing {window:g} s; session {gap:g} s; filler maps {' '.join(settings.filler_maps)}; "
        f"score {settings.scoring_policy}"
    )


def rounds_to_rename(conn: Connection[DictRow]) -> list[str]:
    """One round of every session whose teams were named before the known teams changed."""
    rows = conn.execute("select round_key from session_to_rename order by split_part(round_key, ':', 2), round_key")
    return [row["round_key"] for row in rows]


def stale_rounds(
    conn: Connection[DictRow],
    settings: Settings,
    *,
    started_at: datetime | None = None,
    among: Collection[str] | None = None,
) -> list[tuple[str, datetime]]:
    """Rounds whose inputs or rules are newer than their result, or of which something due is not told, with the time of
    the newest input, in order of play: the last thousand, as nobody waits for old ones, or all that are ``among``
    these.

    A message is asked for with growing pauses, and at once by a process that started (at ``started_at``) after the last
    time: its settings may be others.
    """
    rows = conn.execute(
        """select round_key, max(inputs_at) as inputs_at from (
               select p.round_key, p.parsed_at as inputs_at
               from parsed_round p
               left join round r using (round_key)
               left join round_timing t using (round_key)
               left join session_round s using (round_key)
               where r.rules_at is null or r.rules_at < p.parsed_at or t.round_key is null or s.round_key is null
                  or r.rules is distinct from %(rules)s
                  or r.placed_with is distinct from t.record_key   -- placed with another record than it is timed with
                  or not exists (select from match m where m.match_key = r.match_key)
                  or t.timed_at = 'epoch'   -- another round has its record now
               union all
               -- A run of it ended half-way: something that is made of it may be older than it is.
               select p.round_key, u.since
               from unfinished u
               join parsed_round p on p.round_key = u.partition_key and u.stage <> 'session_post'
               join file f using (server, name)
               where f.status = 'ingested'
               union all
               select p.round_key, f.finished_at
               from parsed_round p join file f using (server, name)
               where f.status = 'ingested' and f.sha256 <> p.sha256
               union all
               select p.round_key, w.stored_at
               from timing_record w
               join parsed_round p on p.server = w.server and map_key(p.map) = map_key(w.map)
                    and (p.label = w.label or w.aborted)   -- an aborted round's file may carry the other number
                    and w.ended_at between p.stamp - %(window)s and p.stamp + %(window)s
               join round_timing t using (round_key)
               where w.stored_at > t.timed_at
                  -- A record stored while the timing was being made was not seen by it.
                  or (t.record_key is distinct from w.record_key and w.stored_at > t.timed_at - interval '10 seconds')
               union all
               -- A record that was replaced, wherever its new version belongs.
               select t.round_key, w.stored_at
               from round_timing t join timing_record w on w.record_key in (t.record_key, t.candidate_key)
               where w.stored_at > t.timed_at
               union all
               -- A timing file that turned out to be unreadable: the round says so. (Names with a stamp are rare.)
               select p.round_key, f.finished_at
               from file f
               join parsed_round p on p.server = f.server
                    and p.stamp - to_timestamp(substring(f.name from '-R[0-9]-([0-9]{9,10})[.]json$')::bigint)
                        between - %(window)s::interval and %(window)s
               join round_timing t using (round_key)
               where f.kind = 'timing' and f.status = 'quarantined' and t.record_key is null
                 and f.finished_at > t.timed_at
               union all
               -- In the hour that a clock change repeats, a timing record tells which of the two it was.
               select p.round_key, w.stored_at
               from timing_record w
               join parsed_round p on p.server = w.server and map_key(p.map) = map_key(w.map) and p.label = w.label
               where p.stamp_ambiguous and w.stored_at > p.parsed_at
                 and w.ended_at between p.stamp - %(witness)s and p.stamp + interval '1 hour' + %(witness)s
               union all
               -- A record of which nobody said yet why no round has it: the nearest round's session will.
               (select distinct on (w.record_key) p.round_key, w.stored_at
                from timing_record w
                join parsed_round p on p.server = w.server
                     and p.stamp between w.ended_at - %(candidates)s and w.ended_at + %(candidates)s
                join file f on f.server = p.server and f.name = p.name and f.status <> 'quarantined'
                where w.unlinked_reason is null and w.stored_at < now() - %(patience)s
                  and not exists (select from round_timing t where t.record_key = w.record_key)
                order by w.record_key, abs(extract(epoch from p.stamp - w.ended_at)), p.round_key)
               union all
               select round_key, first_seen_at from unread_endstats
               union all
               select round_key, first_seen_at from late_witness
               union all
               -- A decision that was made or taken back since.
               select r.round_key, greatest(o.made_at, o.revoked_at)
               from override o join round r using (round_key)
               where greatest(o.made_at, o.revoked_at) > r.rules_at
               union all
               -- Known teams were named or forgotten since the session's were named: its first round will do that.
               select round_key, rules_at from session_to_rename
               union all
               -- What was told was not compared with the newest results: the run that made them ended early.
               select sr.round_key, s.scored_at
               from session s join session_round sr on sr.session_key = s.session_key and sr.position = 1
               where s.told_of is distinct from s.scored_at and %(results)s
                 and exists (select from post join session_round told on told.round_key = partition_key
                             where told.session_key = s.session_key and state in ('sent', 'told'))
               union all
               select partition_key, coalesce(asked_at, since) from undelivered
               where kind <> 'session'
                 and due_until > now()
                 and (ask_again_at <= now() or asked_at < %(started)s)
                 and case kind when 'timing' then %(dev)s else %(results)s end
           ) inputs
           where %(among)s::text[] is null or round_key = any(%(among)s)
           group by round_key order by split_part(round_key, ':', 2) desc, round_key desc
           limit case when %(among)s::text[] is null then %(at_once)s end""",
        {
            "at_once": _AT_ONCE,
            "among": None if among is None else list(among),
            "window": LINK_WINDOW,
            "candidates": CANDIDATE_WINDOW,
            "patience": _UNLINKED_PATIENCE,
            "witness": WITNESS_WITHIN,
            "rules": rules_in_force(settings),
            "results": settings.discord_webhook is not None,
            "dev": settings.discord_dev_webhook is not None,
            "started": started_at,
        },
    )
    return [(row["round_key"], row["inputs_at"]) for row in reversed(rows.fetchall())]
