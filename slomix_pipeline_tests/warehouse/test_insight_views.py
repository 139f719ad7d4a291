"""What models are fitted to, and what became of what was foretold."""

import psycopg
import pytest

from slomix_pipeline.rules.attack_model import RatedMatch
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline.warehouse.played_history import played_rounds
from slomix_pipeline.warehouse.predictions import said_at_half_time
from slomix_pipeline.warehouse.rated_history import rated_matches
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

_FORETELL = """insert into prediction (kind, round_key, version, map, limit_seconds, to_beat, attacks, chance, told)
               select 'half_time', r1_key, 'x/1', map, 720, r1_seconds, 20, 0.4, true from match where match_key = %s"""
_FORETELL_MATCH = """
    insert into prediction (kind, round_key, version, map, to_beat, attacks, chance, told, rosters)
    select 'match', m.r1_key, 'x/1', m.map, m.r1_seconds, 20, 0.4, false,
           jsonb_build_object('first', jsonb_object_agg(r.guid, r.seconds) filter (where r.team = m.attackers_first),
                              'second', jsonb_object_agg(r.guid, r.seconds) filter (where r.team <> m.attackers_first))
    from match m join rated_roster r using (match_key) where m.match_key = %s group by m.match_key"""


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
        conn.execute("update session set scored_at = scored_at - interval '1 second'")  # by who began earlier
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
    with pipeline.database.connect() as conn:
        assert said_at_half_time(conn, {match["r1_key"]: match["r1_seconds"]}) == {}  # nobody was told in time

    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = case winner when 'A' then 'B' else 'A' end")
    assert [row["came_true"] for row in pipeline.rows(scored)] == [not won]
    with pipeline.database.transaction() as conn:
        conn.execute("update match set r1_seconds = r1_seconds + 1")
    assert pipeline.rows(scored) == []  # it was about another time
    for changing in ("update prediction set chance = 0.9", "delete from prediction"):
        with pytest.raises(psycopg.errors.RaiseException), pipeline.database.transaction() as conn:
            conn.execute(changing)


def rated(pipeline: Pipeline, key: str) -> RatedMatch:
    with pipeline.database.connect() as conn:
        return next(match for match in rated_matches(conn) if match.key == key)


def test_a_match_that_defenders_gave_up_is_won_by_who_it_was_handed_to(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    write_evening(pipeline.folder, play_evening(61, maps=4, ends_at=just_now()))
    pipeline.take_in_all()
    (match, *_) = pipeline.rows("select * from match where winner = attackers_second")
    with pipeline.database.transaction() as conn:
        conn.execute(
            "update map_attack set completed = false where match_key = %s and number = 2", [match["match_key"]]
        )
    own = rated(pipeline, match["match_key"])
    assert (own.second.completed, own.winner) == (False, Faster.SECOND)


def test_of_a_match_in_which_somebody_is_unknown_no_teams_are_known_and_nothing_is_expected(
    pipeline: Pipeline,
) -> None:
    pipeline.facts_hold = False
    write_evening(pipeline.folder, play_evening(61, maps=2, ends_at=just_now()))
    pipeline.take_in_all()
    one, other = pipeline.rows(
        "select match_key, r1_key, r2_key from rated_match join match using (match_key) order by 1"
    )
    assert rated(pipeline, one["match_key"]).knows_teams
    with pipeline.database.transaction() as conn:
        for match, unknown in ((one, "seconds_played = null"), (other, "flags = flags || array['no_identity']")):
            conn.execute(
                f"""update round_player set {unknown} where round_key = %(round)s and guid =
                    (select min(guid) from round_player where round_key = %(round)s and side is not null)""",
                {"round": match["r2_key"]},
            )
        rewrite_facts(conn, [row["session_key"] for row in conn.execute("select session_key from session")])
        known = {played.key for played in played_rounds(conn)}
    assert not rated(pipeline, one["match_key"]).knows_teams and not rated(pipeline, other["match_key"]).knows_teams
    assert known == {one["r1_key"], other["r1_key"]}


def test_odds_before_a_match_count_only_for_those_they_were_said_of(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    write_evening(pipeline.folder, play_evening(61, maps=2, ends_at=just_now()))
    pipeline.take_in_all()
    (match, *_) = pipeline.rows("select match_key from rated_match")
    with pipeline.database.transaction() as conn:
        conn.execute(_FORETELL_MATCH, [match["match_key"]])
    assert len(pipeline.rows("select from prediction_scored")) == 1
    with pipeline.database.transaction() as conn:
        conn.execute(
            """update player_match_fact set team = case team when 'A' then 'B' else 'A' end
               where match_key = %(match)s and guid = (select min(guid) from player_match_fact
                                                       where match_key = %(match)s and team is not null)""",
            {"match": match["match_key"]},
        )
    assert pipeline.rows("select from prediction_scored") == []
