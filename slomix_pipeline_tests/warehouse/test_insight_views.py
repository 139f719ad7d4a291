"""What models are fitted to, and what became of what was foretold."""

import psycopg
import pytest

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

_FORETELL = """insert into prediction (kind, round_key, version, map, limit_seconds, to_beat, attacks, chance, told)
               select 'half_time', r1_key, 'x/1', map, 720, r1_seconds, 20, 0.4, true from match where match_key = %s"""


def test_models_are_fitted_to_what_was_played_and_not_to_what_a_person_decided(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    write_evening(pipeline.folder, play_evening(61, maps=4, ends_at=just_now()))
    pipeline.take_in_all()
    rated = pipeline.rows("select * from rated_match order by match_key")
    decided = pipeline.rows("select match_key, winner from match where winner is not null order by match_key")
    assert [(row["match_key"], row["winner"]) for row in rated] == [
        (row["match_key"], row["winner"]) for row in decided
    ]
    rosters = pipeline.rows("select team, count(*) as players from rated_roster group by match_key, team")
    assert len(rosters) == 2 * len(rated) and all(row["players"] >= 3 for row in rosters)
    before = pipeline.rows("select state from history_state")

    with pipeline.database.transaction() as conn:
        conn.execute("update match set source = 'override' where match_key = %s", [rated[0]["match_key"]])
        conn.execute("update session set scored_at = now()")
    assert pipeline.rows("select match_key from rated_match order by 1") == [
        {"match_key": row["match_key"]} for row in rated[1:]
    ]
    assert pipeline.rows("select state from history_state") != before


def test_what_was_foretold_stays_and_is_held_against_the_result_of_today(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    write_evening(pipeline.folder, play_evening(61, maps=2, ends_at=just_now()))
    pipeline.take_in_all()
    (match, *_) = pipeline.rows("select * from match where winner in ('A', 'B')")
    with pipeline.database.transaction() as conn:
        conn.execute(_FORETELL, [match["match_key"]])
    scored = "select came_true, late, drawn, told from prediction_scored"
    won = match["winner"] == match["attackers_second"]
    assert pipeline.rows(scored) == [{"came_true": won, "late": True, "drawn": False, "told": True}]

    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = case winner when 'A' then 'B' else 'A' end")
    assert [row["came_true"] for row in pipeline.rows(scored)] == [not won]
    with pipeline.database.transaction() as conn:
        conn.execute("update match set r1_seconds = r1_seconds + 1")
    assert pipeline.rows(scored) == []  # it was about another time
    for changing in ("update prediction set chance = 0.9", "delete from prediction"):
        with pytest.raises(psycopg.errors.RaiseException), pipeline.database.transaction() as conn:
            conn.execute(changing)
