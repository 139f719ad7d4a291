"""One timing record has one round, also where two sessions that are timed together have it."""

from datetime import timedelta

from slomix_pipeline.rules.linking import Link, LinkClass
from slomix_pipeline.rules.timing import Duration, LengthFrom, RoundTiming, TimingStatus
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.results import store_timing
from slomix_pipeline_tests.warehouse.test_touched import rounds_with_breaks, store_placed

RECORD = """
insert into file (server, name, kind, partition_key, status, sha256)
values ('s', 'record.json', 'timing', 's:record', 'ingested', repeat('a', 64));
insert into timing_record (record_key, server, name, sha256, map, label, ended_at, duration_seconds)
values ('s:record', 's', 'record.json', repeat('a', 64), 'supply', 1, '2031-05-06 20:07:57Z', 480);
"""


def test_a_record_that_two_rounds_have_stays_with_the_later_and_the_other_is_to_be_worked_out_again(
    database: Database,
) -> None:
    store_placed(database, rounds_with_breaks([timedelta(minutes=9)] * 3), {})
    linked = Link(LinkClass.EXACT_END, record_key="s:record")
    timed = RoundTiming(Duration(480.0, LengthFrom.TIMING), TimingStatus.ALIGNED, 0, linked, None)
    with database.transaction() as conn:
        conn.execute(RECORD)
        store_timing(conn, {"s:000": timed})
    with database.transaction() as conn:
        store_timing(conn, {"s:001": timed, "s:002": timed})
    with database.connect() as conn:
        rows = conn.execute(
            "select round_key, record_key, link_class, timed_at = 'epoch' as taken from round_timing order by 1"
        ).fetchall()
    assert [tuple(row.values()) for row in rows] == [
        ("s:000", None, "none", True),
        ("s:001", None, "none", True),
        ("s:002", "s:record", "exact_end", False),
    ]
