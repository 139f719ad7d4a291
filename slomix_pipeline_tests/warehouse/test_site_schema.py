"""What pages may read: all of it with names taken out where somebody wished so, and nothing else."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg import sql

from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.warehouse import site_store
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline.warehouse.site_schema import ROLE, SHOWN, statements_for_role, trouble_with_role
from slomix_pipeline.warehouse.site_store import Moment, SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now
from slomix_pipeline_tests.site_fixtures import crawl, pages_of, play_and_tell, prepare
from slomix_pipeline_tests.stages.test_no_identity import masked


@pytest.fixture
def played(pipeline: Pipeline) -> Evening:
    return play_and_tell(pipeline)


@pytest.fixture
def store(database: Database) -> Iterator[SiteStore]:
    opened = SiteStore(site_url(database.url, ROLE))
    yield opened
    opened.close()


def everything(moment: Moment) -> dict[str, list[dict[str, Any]]]:
    """Every row that the schema gives, by relation."""
    relations = [
        row["relname"]
        for row in moment.conn.execute(
            "select relname from pg_class where relnamespace = 'site'::regnamespace and relkind = 'v' order by 1"
        )
    ]
    return {
        name: moment.conn.execute(sql.SQL("select * from site.{}").format(sql.Identifier(name))).fetchall()
        for name in relations
    }


def test_pages_read_as_a_role_that_has_no_table_and_changes_nothing(store: SiteStore) -> None:
    with store.moment() as moment:
        row = moment.conn.execute("select current_user as who").fetchone()
        assert row is not None and row["who"] == ROLE
    for forbidden in (
        "select * from public.round_player",
        "select * from public.identity_decision",
        "select * from public.hidden_player",
        "select bytes from file_content",
        "select salt from public.data_version",
        "delete from site.session",
        "create table site.x ()",
    ):
        with pytest.raises(Exception) as refused, store.moment() as moment:
            moment.conn.execute(forbidden, prepare=False)
        assert "permission denied" in str(refused.value) or "cannot" in str(refused.value), forbidden


def test_the_role_has_what_it_needs_and_no_more(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.transaction() as conn:
        assert trouble_with_role(conn) is None
        conn.execute("grant select on round_player to slomix_web")
        assert trouble_with_role(conn) == "the role slomix_web may read or write round_player"
        conn.execute("revoke all on round_player from slomix_web; revoke all on schema site from slomix_web")
        assert trouble_with_role(conn) == "the role slomix_web may not read the schema site"


def test_every_view_has_the_columns_of_what_it_shows(database: Database) -> None:
    with database.connect() as conn:
        for relation in SHOWN:
            own, shown = (
                conn.execute(
                    """select attname as name, format_type(atttypid, null) as type from pg_attribute
                       where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum""",
                    [f"{schema}.{relation}"],
                ).fetchall()
                for schema in ("public", "site")
            )
            assert own == shown, relation


def test_where_nobody_is_hidden_pages_have_every_row_as_it_is(
    pipeline: Pipeline, played: Evening, store: SiteStore
) -> None:
    with store.moment() as moment:
        shown = everything(moment)
    for relation in SHOWN:
        own = pipeline.rows(f"select * from public.{relation}")
        assert sorted(map(str, shown[relation])) == sorted(map(str, own)), relation


def hide(pipeline: Pipeline, guid: str) -> None:
    done = pipeline.slomix("identity", "hide", guid, "--why=he said so", "--by=ref")
    assert done.exit_code == 0, done.stderr


def test_of_who_is_hidden_nothing_gives_a_name_or_a_guid(pipeline: Pipeline, played: Evening, store: SiteStore) -> None:
    (who, *_) = pipeline.rows("select guid, name from session_player order by length(name) desc, guid")
    (match,) = pipeline.rows("select r1_key from match where position = 1")
    done = pipeline.slomix(
        "override", "winner", match["r1_key"], "A", "--why", f"as {who['name']} saw it", "--by", who["name"]
    )
    assert done.exit_code == 0, done.stderr
    hide(pipeline, who["guid"])
    prepare(pipeline.database)
    with store.moment() as moment:
        shown = everything(moment)
    told = [
        (relation, row)
        for relation, rows in shown.items()
        for row in rows
        for text in map(clean_name, map(str, row.values()))
        if who["guid"] in text or who["name"] in text
    ]
    assert told == [], (who, told)
    with pages_of(pipeline.database) as client:
        for url, answer in crawl(client).items():
            assert who["guid"] not in url + answer.text and who["name"] not in answer.text, url


def test_of_who_is_hidden_a_line_without_identity_gives_no_name(pipeline: Pipeline, store: SiteStore) -> None:
    evening = play_evening(71, maps=1, leaver=False, reconnect=False, ends_at=just_now())
    who, mate = sorted(evening.rounds[0].players)[:2]
    first, *rest = evening.rounds
    pipeline.put(first.stats_name, masked(first, {mate: who.encode()}))
    for sim_round in rest:
        pipeline.put_stats(sim_round)
    pipeline.take_in()
    prepare(pipeline.database)
    (name,) = pipeline.rows("select name from player_name where guid = %s", who)
    hide(pipeline, who)
    prepare(pipeline.database)
    with store.moment() as moment:
        for relation, rows in everything(moment).items():
            assert name["name"] not in clean_name(str(rows)), relation
    with pages_of(pipeline.database) as client:
        (line,) = pipeline.rows(
            "select round_key, guid from round_player where guid like 'NO-%%' and name = %s limit 1", name["name"]
        )
        assert client.get(f"/rounds/{line['round_key']}?player={line['guid']}").status_code == 200
        for url, answer in crawl(client, "/", f"/rounds/{line['round_key']}?player={line['guid']}").items():
            assert name["name"] not in answer.text, url


def test_the_words_of_a_receipt_stay_though_somebody_hidden_is_called_so(pipeline: Pipeline, played: Evening) -> None:
    pipeline.facts_hold = False
    (who,) = pipeline.rows("select guid from session_player order by guid limit 1")
    pipeline.rows("update round_player set name = 'First' where guid = %s returning 1", who["guid"])
    before = pipeline.rows("select document from site.receipt order by round_key")
    pipeline.rows(
        "insert into identity_decision (kind, guid, name, reason, made_by) values ('hide', %s, 'nobody', 'x', 'x')"
        " returning 1",
        who["guid"],
    )
    after = pipeline.rows("select document from site.receipt order by round_key")
    ways = [[sorted(p["made"] for p in row["document"]["players"]) for row in rows] for rows in (before, after)]
    assert ways[0] == ways[1] and "first" in ways[0][0]


def test_a_merge_into_who_is_hidden_raises_privacy(pipeline: Pipeline, database: Database, store: SiteStore) -> None:
    with store.moment() as moment:
        before = moment.version.privacy
    with database.transaction() as conn:
        conn.execute(
            """insert into identity_decision (kind, guid, other_guid, reason, made_by)
               values ('merge', 'AAAA0001', 'AAAA0002', 'both are his', 'ref')"""
        )
    with store.moment() as moment:
        assert moment.version.privacy == before + 1


def test_who_is_hidden_is_found_anew_only_where_names_may_have_changed(pipeline: Pipeline, played: Evening) -> None:
    pipeline.facts_hold = False
    (who, other) = pipeline.rows("select guid from session_player order by guid limit 2")
    hide(pipeline, who["guid"])
    row_of = "select xmin::text as written from hidden_player"
    (before,) = pipeline.rows(row_of)
    with pipeline.database.transaction() as conn:
        conn.execute("update session set server = server")
        conn.execute("update round_player set name = 'Other' where guid = %s", [other["guid"]])
    assert pipeline.rows(row_of) == [before]
    with pipeline.database.transaction() as conn:
        conn.execute("update round_player set name = 'Newcome' where guid = %s", [who["guid"]])
    assert pipeline.rows(row_of) != [before]
    assert "Newcome" in pipeline.rows("select hidden_pattern from data_version")[0]["hidden_pattern"]


def test_sums_stay_true_where_somebody_is_hidden(pipeline: Pipeline, played: Evening, store: SiteStore) -> None:
    (who,) = pipeline.rows("select guid from session_player order by guid limit 1")
    hide(pipeline, who["guid"])
    numbers = "select {} from {} order by 1, 2, 3"
    for relation, columns in (
        ("session_player_metric", "kills, deaths, dpm"),
        ("match_player_metric", "kills, match_key, dpm"),
        ("round_player", "round_key, kills, deaths"),
        ("player_impact", "round(impact::numeric, 9) as impact, level, scope"),  # floats add up in any order
    ):
        with store.moment() as moment:
            shown = moment.conn.execute(numbers.format(columns, f"site.{relation}").encode()).fetchall()
        assert shown == pipeline.rows(numbers.format(columns, f"public.{relation}")), relation


def test_a_wish_that_is_taken_back_shows_him_again(pipeline: Pipeline, played: Evening, store: SiteStore) -> None:
    (who,) = pipeline.rows("select guid from session_player order by guid limit 1")
    hide(pipeline, who["guid"])
    with store.moment() as moment:
        before = moment.version.privacy
        assert moment.conn.execute("select from site.alias where guid = %s", [who["guid"]]).fetchone() is None
    (decision,) = pipeline.rows("select id from identity_decision")
    assert pipeline.slomix("identity", "revoke", str(decision["id"]), "--why=he said so", "--by=ref").exit_code == 0
    with store.moment() as moment:
        assert moment.version.privacy > before
        assert moment.conn.execute("select from site.alias where guid = %s", [who["guid"]]).fetchone() is not None


def test_no_version_is_seen_with_data_of_another(database: Database, store: SiteStore) -> None:
    writers = 3

    def write(number: int) -> None:
        with database.transaction() as conn:
            conn.execute(
                "insert into session (session_key, server, started_at, ended_at) values (%s, 'x', now(), now())",
                [f"x:{number}"],
            )

    import threading

    counted = itertools.count()
    seen: dict[int, set[int]] = {}
    stop = threading.Event()

    def write_on() -> None:
        for number in itertools.islice(counted, 40):
            write(number)

    def read_on() -> None:
        while not stop.is_set():
            with store.moment() as moment:
                row = moment.conn.execute("select count(*) as n from session").fetchone()
                assert row is not None
                seen.setdefault(moment.version.number, set()).add(row["n"])

    reader = threading.Thread(target=read_on)
    threads = [threading.Thread(target=write_on) for _ in range(writers)]
    reader.start()
    while not seen:
        time.sleep(0.01)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    reader.join()
    assert len(seen) > 1 and all(len(counts) == 1 for counts in seen.values()), seen
    offsets = {version - next(iter(counts)) for version, counts in seen.items()}
    assert len(offsets) == 1  # a version for every change, neither before nor after it


def test_a_change_that_is_taken_back_makes_no_version(database: Database, store: SiteStore) -> None:
    with store.moment() as moment:
        before = moment.version.number
    with pytest.raises(ZeroDivisionError), database.transaction() as conn:
        conn.execute(
            "insert into session (session_key, server, started_at, ended_at) values ('x:1', 'x', now(), now())"
        )
        raise ZeroDivisionError
    with store.moment() as moment:
        assert moment.version.number == before


def test_the_version_is_locked_only_while_a_change_is_committed(database: Database) -> None:
    with database.connect() as conn:
        conn.execute(
            "insert into session (session_key, server, started_at, ended_at) values ('x:1', 'x', now(), now())"
        )
        with database.transaction() as other:
            other.execute("set local lock_timeout = '2s'")
            other.execute("update session set server = server")
            row = other.execute("select version from data_version for update nowait").fetchone()
            assert row is not None


def test_no_more_than_some_read_at_once_and_the_next_one_is_told_soon(
    store: SiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_store, "_WAIT_SECONDS", 0.01)
    with ExitStack() as reading:
        for _ in range(site_store._AT_ONCE):
            reading.enter_context(store.moment())
        with pytest.raises(site_store.StoreUnavailable, match="at once"), store.moment():
            pass
    with store.moment() as moment:
        assert moment.version.number >= 1


def test_who_commits_a_change_can_read_views_though_they_are_about_to_be_made_anew(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.transaction() as other:
        other.execute("update schema_views set sha256 = 'of another program'")
    waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as threads:
        with empty_database.transaction() as conn, empty_database.connect() as looking:
            looking.autocommit = True
            conn.execute("set local lock_timeout = '2s'")
            conn.execute("select from data_version for update")
            migrating = threads.submit(migrate, empty_database)
            while looking.execute(waits).fetchone() is None:
                time.sleep(0.01)
            conn.execute("select count(*) from public.person_decided")
        assert migrating.result() == ["views"]


def test_what_a_role_lacks_is_written_out(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.transaction() as conn:
        told = statements_for_role(conn)
        assert "create role" not in told and "revoke temporary on database" in told and "grant usage" in told
        conn.execute(told.encode())


def test_a_line_that_broke_is_replaced(database: Database, store: SiteStore) -> None:
    with store.moment():
        pass
    with database.connect() as conn:
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [ROLE])
    with store.moment() as moment:
        assert moment.version.number >= 1
    with pytest.raises(psycopg.Error), store.moment() as moment:
        moment.conn.execute("select 1/0")


def test_it_is_known_that_nobody_is_hidden_so_that_plans_expect_everybody(database: Database) -> None:
    with database.connect() as conn:
        row = conn.execute("select reltuples from pg_class where oid = 'hidden_player'::regclass").fetchone()
    assert row is not None and row["reltuples"] == 0
