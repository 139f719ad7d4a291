"""What pages may read: all of it with names taken out where somebody wished so, and nothing else."""

import itertools
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline.warehouse.site_schema import ROLE, SHOWN, trouble_with_role
from slomix_pipeline.warehouse.site_store import Moment, SiteStore
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site_fixtures import crawl, pages_of, play_and_tell, prepare


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


def test_sums_stay_true_where_somebody_is_hidden(pipeline: Pipeline, played: Evening, store: SiteStore) -> None:
    (who,) = pipeline.rows("select guid from session_player order by guid limit 1")
    hide(pipeline, who["guid"])
    numbers = "select {} from {} order by 1, 2, 3"
    for relation, columns in (
        ("session_player_metric", "kills, deaths, dpm"),
        ("match_player_metric", "kills, match_key, dpm"),
        ("round_player", "round_key, kills, deaths"),
        ("player_impact", "impact, level, scope"),
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


def test_a_line_that_broke_is_replaced(database: Database, store: SiteStore) -> None:
    with store.moment():
        pass
    with database.connect() as conn:
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [ROLE])
    with store.moment() as moment:
        assert moment.version.number >= 1
    with pytest.raises(psycopg.Error), store.moment() as moment:
        moment.conn.execute("select 1/0")
