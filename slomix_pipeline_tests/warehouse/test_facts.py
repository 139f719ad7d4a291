"""What is kept of players for boards: rewritten with a session, made anew with the views, gone with its rounds.

That it is what the rounds give, whatever happens to them, is checked after every test of the pipeline: ``check_facts``.
"""

from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

_KILLS_OF_CAREERS = "select guid, kills from player_metric where level = 'career' order by guid"
_KILLS_OF_ROUNDS = "select guid, kills from player_round_fact order by guid"


def test_an_upgrade_fills_what_is_kept_and_so_does_every_change_of_a_view(played: Played, database: Database) -> None:
    played.round({"guid": ADA, "kills": 2}, {"guid": BOB, "kills": 1})
    for table in ("player_round_fact", "player_session_fact"):
        played.conn.execute(f"delete from {table}")
    played.conn.execute("update schema_views set sha256 = 'of another program'")
    played.conn.commit()
    assert migrate(database) == ["views"]
    assert played.rows(_KILLS_OF_ROUNDS) == [{"guid": ADA, "kills": 2}, {"guid": BOB, "kills": 1}]
    assert played.rows(_KILLS_OF_CAREERS) == [{"guid": ADA, "kills": 2}, {"guid": BOB, "kills": 1}]


def test_a_round_that_counts_no_more_is_gone_when_its_session_is_rewritten(played: Played) -> None:
    played.round({"guid": ADA, "kills": 2})
    gone = played.round({"guid": BOB, "kills": 1}, session=2)
    played.conn.execute("update round set invalid_reason = 'a person said so' where round_key = %s", [gone])
    rewrite_facts(played.conn, ["main:s2"])
    assert played.rows(_KILLS_OF_ROUNDS) == played.rows(_KILLS_OF_CAREERS) == [{"guid": ADA, "kills": 2}]


def test_a_round_that_moved_into_another_session_is_kept_once(played: Played) -> None:
    played.round({"guid": ADA, "kills": 2})
    moved = played.round({"guid": ADA, "kills": 1}, session=2)
    played.conn.execute("update session_round set session_key = 'main:s1' where round_key = %s", [moved])
    played.conn.execute("delete from session where session_key = 'main:s2'")
    rewrite_facts(played.conn, ["main:s1"])
    assert played.rows("select distinct session_key from player_round_fact") == [{"session_key": "main:s1"}]
    assert played.metric("career", "all")["kills"] == played.metric("session", "main:s1")["kills"] == 3


def test_what_is_kept_of_a_round_goes_with_it(played: Played) -> None:
    gone = played.round({"guid": ADA, "kills": 2})
    played.conn.execute("delete from parsed_round where round_key = %s", [gone])
    assert played.rows(_KILLS_OF_ROUNDS) == []
