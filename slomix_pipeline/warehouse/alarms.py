"""What is wrong as the database knows it, and the alarms that were raised for it.

Belongs here: the table ``alarm``, and one query for all that somebody who runs the server should hear of.
Does not belong here: what is done about it (``rules.alarms``), runs that failed, which Dagster knows
(``sensors.alarms``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.alarms import LATELY, SILENT_FOR, AlarmCause, Episode, Symptom
from slomix_pipeline.warehouse.check_results import ABOUT_MESSAGES
from slomix_pipeline.warehouse.rows import rows_of

# Files, rounds and sessions of the game server itself: an import says what is wrong with its files where it is typed,
# and what was found of long ago is nobody's alarm.
_SYMPTOMS = """
    select 'quarantined' as cause, case when %(several)s then f.server || ': ' else '' end || f.name as subject,
           coalesce(f.reason, '') as detail, f.finished_at as since, 1::bigint as count
    from file f
    where f.status = 'quarantined' and f.by_sensor and f.finished_at > %(since)s
    union all
    select case c.severity when 'ERROR' then 'failed_checks' else 'warning_checks' end, c.check_name,
           'last of ' || (array_agg(c.partition_key order by c.checked_at desc, c.partition_key))[1],
           max(c.checked_at), count(*)
    from check_result c
    join partition_played p using (partition_key)
    where not c.passed and c.checked_at > %(since)s and p.played_at > %(since)s at time zone 'UTC'
      and c.check_name <> all(%(about_messages)s)
    group by c.severity, c.check_name
    union all
    select 'refused_webhooks',
           case p.kind when 'timing' then 'dev channel' when 'session' then 'summaries' when 'asked' then 'boards'
                       else 'results' end,
           coalesce((array_agg(p.error order by p.since desc))[1], ''), max(p.since), count(*)
    from refused_message p
    where p.since > %(since)s
    group by 2
    union all
    select 'messages', m.thing, m.trouble || coalesce(': ' || m.detail, ''), m.since, 1
    from message_trouble m
    where m.kind <> 'alarm' and m.since > %(since)s
      and m.thing not in (select thing from refused_message)
    union all
    select 'silent_sessions', s.session_key,
           s.matches || ' matches, ' || s.matches - s.not_counted || ' of them with a result', s.ended_at, 1
    from session_score s
    where coalesce(%(told)s -> s.server, %(told)s -> '')::boolean and s.ended_at between %(since)s and %(over_before)s
      -- Some of it came while it could be announced.
      and exists (select from session_round r join parsed_round p using (round_key) join file f using (server, name)
                  where r.session_key = s.session_key and f.by_sensor and f.arrived_at < p.stamp + %(max_age)s
                        and p.stamp > silent_before())
      and not exists (select from post p
                      where p.kind <> 'timing'
                        and (p.partition_key = s.session_key
                             or p.partition_key in (select round_key from session_round r
                                                    where r.session_key = s.session_key)))"""


def symptoms(
    conn: Connection[DictRow],
    now: datetime,
    *,
    over_after: timedelta,
    max_age: timedelta,
    told: Mapping[str, bool],
    several: bool,
) -> list[Symptom]:
    """Everything that is wrong lately, the newest first.

    ``over_after``: quiet time after which a session is told; ``max_age``: of rounds that are announced; ``told``:
    of which game servers anybody is told results, ``""`` of all others; ``several``: there are several game servers, so
    files are named with theirs.
    """
    with conn.cursor(row_factory=rows_of(Symptom)) as cursor:
        return cursor.execute(
            f"select * from ({_SYMPTOMS}) found order by since desc, subject",
            {
                "since": now - LATELY,
                "over_before": now - over_after - SILENT_FOR,
                "max_age": max_age,
                "told": Jsonb(dict(told)),
                "several": several,
                "about_messages": ABOUT_MESSAGES,
            },
        ).fetchall()


def latest_episodes(conn: Connection[DictRow]) -> dict[AlarmCause, Episode]:
    """The latest alarm of each cause that ever had one."""
    with conn.cursor(row_factory=rows_of(Episode)) as cursor:
        rows = cursor.execute(
            """select distinct on (cause) id, cause, opened_at, closed_at, told_at, said
               from alarm order by cause, id desc"""
        ).fetchall()
    return {row.cause: row for row in rows}


def open_episode(conn: Connection[DictRow], cause: AlarmCause, now: datetime) -> Episode:
    """A new alarm."""
    row = conn.execute("insert into alarm (cause, opened_at) values (%s, %s) returning id", [cause, now]).fetchone()
    assert row is not None
    return Episode(int(row["id"]), cause, now, None, None, None)


def note_closed(conn: Connection[DictRow], episode: Episode, closed_at: datetime | None) -> None:
    """Notes that an alarm is over; None: it goes on."""
    conn.execute("update alarm set closed_at = %s where id = %s", [closed_at, episode.id])


def note_told(conn: Connection[DictRow], episode: Episode, headline: str | None, now: datetime) -> None:
    """Notes that the message of an alarm says what is to be said."""
    conn.execute("update alarm set told_at = %s, said = %s where id = %s", [now, headline, episode.id])
