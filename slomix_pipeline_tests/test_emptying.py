"""A database that was emptied for the next test is as a new one, or it is not handed on."""

import pytest

from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.emptying import AsMade, as_made, emptied
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.site_fixtures import play_and_tell


def test_an_emptied_database_holds_what_a_new_one_holds(pipeline: Pipeline, template_as_made: AsMade) -> None:
    database = pipeline.database
    evening = play_and_tell(pipeline, maps=1)
    assert pipeline.slomix("identity", "hide", min(evening.team_a), "--why", "his wish").exit_code == 0
    assert as_made(database) != template_as_made
    assert emptied(database, template_as_made)
    assert as_made(database) == template_as_made
    assert pipeline.rows("select sequencename from pg_sequences where last_value is not null") == []


@pytest.mark.parametrize(
    "change",
    [
        "create table other (number integer)",
        "create schema other",
        "alter table award add column other text",
        "drop view round_checked cascade",
        "drop index session_unprepared",
        "alter table file disable trigger data_changes",
        "grant select on award to public",
        "create or replace function data_changes() returns trigger language plpgsql as 'begin return null; end'",
        "do $$ begin execute format('alter database %I set work_mem = 5000', current_database()); end $$",
    ],
)
def test_a_database_whose_schema_was_changed_is_not_handed_on(
    database: Database, template_as_made: AsMade, change: str
) -> None:
    with database.connect() as conn:
        conn.execute(change.encode())
    assert not emptied(database, template_as_made)


def test_a_database_that_somebody_still_speaks_to_is_not_handed_on(
    database: Database, template_as_made: AsMade
) -> None:
    with database.connect() as conn:
        conn.execute("select 1")
        assert not emptied(database, template_as_made)
    assert emptied(database, template_as_made)
