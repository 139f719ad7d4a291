"""How the chain stands, as the database knows it and as pages may read it.

Belongs here: one query. Does not belong here: what of it is late or wrong (``rules.stages``).
"""

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.alarms import LATELY
from slomix_pipeline.rules.stages import ChainSeen
from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.check_results import ABOUT_MESSAGES
from slomix_pipeline.warehouse.rework import rules_in_force
from slomix_pipeline.warehouse.rework_causes import QUERIES, Cause
from slomix_pipeline.warehouse.rows import rows_of

# Written out, not given: so PostgreSQL expects that it is little, and finds it by an index.
_SINCE = f"now() - interval '{LATELY.days} days'"

# What was found of rounds of long ago, as by an import, says nothing of how the chain stands.
_SEEN = f"""
    with moment as (select now() as now, {_SINCE} as since),
    played as materialized (
        select partition_key from partition_played where played_at > ({_SINCE}) at time zone 'UTC'
    ),
    failed as (
        select c.severity
        from check_result c
        where not c.passed and c.checked_at > {_SINCE} and c.check_name <> all(%(about_messages)s)
          and c.partition_key in (select partition_key from played)
    ),
    own as (
        select s.round_key, t.record_key
        from session_round s left join round_timing t using (round_key)
        where s.session_key = (select session_key from session order by started_at desc, session_key desc limit 1)
    ),
    waiting as (select requested_at from file where status = 'requested'),
    -- Causes of rework that pages can see and an index finds; most others last for seconds.
    stale as ({QUERIES[Cause.OTHER_RULES]} union all {QUERIES[Cause.NOT_SCORED]}),
    trouble as (select m.since from message_trouble m, moment where m.kind <> %(alarm)s and m.since > moment.since)
    select now as as_of, site.watched_at() as watched_at, (select max(looked_at) from folder_look) as looked_at,
           (select count(*) from waiting) as waiting, (select min(requested_at) from waiting) as waiting_since,
           (select count(*) from file where status = 'quarantined' and by_sensor and finished_at > since) as unreadable,
           (select max(stamp) from parsed_round) as last_round_at,
           (select count(distinct round_key) from stale) as stale,
           (select count(*) from own) as rounds, (select count(record_key) from own) as timed,
           (select count(*) from failed where severity = 'ERROR') as failed_checks,
           (select count(*) from failed where severity = 'WARN') as warned_checks,
           (select count(*) from trouble) as messages, (select min(trouble.since) from trouble) as messages_since
    from moment"""


def chain_seen(conn: Connection[DictRow], settings: Settings) -> ChainSeen:
    """How the chain stands at this moment."""
    with conn.cursor(row_factory=rows_of(ChainSeen)) as cursor:
        row = cursor.execute(
            _SEEN,
            {
                "about_messages": ABOUT_MESSAGES,
                "alarm": ThingKind.ALARM,
                "rules": rules_in_force(settings),
            },
        ).fetchone()
    assert row is not None
    return row
