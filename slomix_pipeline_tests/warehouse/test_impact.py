"""Impact: what a player did against his share of the time in what his side did, over the rounds he played."""

import pytest

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import reading
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key

_TEAM_OF_SIDE_1 = "select guid from player_round_fact where round_key = %s and side = 1 order by guid"


def test_impact_is_the_mean_of_both_shares_over_the_rounds_played(pipeline: Pipeline) -> None:
    evening = play_evening(52, maps=["supply"], players_per_team=4, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    key = round_key(evening.rounds[0])
    with pipeline.database.connect() as conn:
        (match,) = reading.matches(conn, [key.rpartition("-round")[0][: len("main:2026-01-01-000000")]])
    facts = pipeline.rows("select round_key, side, guid, kills, damage_given, seconds_played from player_round_fact")
    for player in match.players:
        shares = []
        for what in ("kills", "damage_given"):
            fair = 0.0
            for own in (row for row in facts if row["guid"] == player.guid):
                side = [row for row in facts if (row["round_key"], row["side"]) == (own["round_key"], own["side"])]
                of_the_time = own["seconds_played"] / sum(row["seconds_played"] for row in side)
                fair += sum(row[what] for row in side) * of_the_time
            shares.append(sum(row[what] for row in facts if row["guid"] == player.guid) / fair)
        assert player.impact is not None and abs(player.impact - sum(shares) / 2) < 1e-9
    assert [p.impact for p in match.players] == sorted((p.impact or 0 for p in match.players), reverse=True)


def test_impact_is_half_of_each_share_times_the_players_by_numbers_worked_out_by_hand(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    evening = play_evening(52, maps=["supply"], players_per_team=3, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    first, second = (row["round_key"] for row in pipeline.rows("select round_key from round order by round_key"))
    ada, bea, cyd = (row["guid"] for row in pipeline.rows(_TEAM_OF_SIDE_1, first))
    by_hand = {ada: (10, 1000), bea: (20, 3000), cyd: (30, 2000)}
    with pipeline.database.transaction() as conn:
        for guid, (kills, damage) in by_hand.items():
            conn.execute(
                "update player_round_fact set kills = %s, damage_given = %s where guid = %s", [kills, damage, guid]
            )
        conn.execute(
            "update player_round_fact set seconds_played = case round_key when %s then 600 else 300 end", [first]
        )
        # Ada misses the second round: what her team did in it is in none of her shares.
        conn.execute("delete from player_round_fact where guid = %s and round_key = %s", [ada, second])
        found = {
            row["guid"]: (row["impact"], row["of_the_time"])
            for row in conn.execute(
                "select * from player_impact where level = 'match' and guid = any(%s)", [[*by_hand]]
            )
        }
    assert found[ada] == pytest.approx(((10 / 60 + 1000 / 6000) / 2 * 3, 600 / 900))
    # The others: 3 players in the first round, 2 in the second, where 50 kills and 5000 damage are left.
    assert found[bea] == pytest.approx(((40 / (60 / 3 + 50 / 2) + 6000 / (6000 / 3 + 5000 / 2)) / 2, 1))
    assert found[cyd] == pytest.approx(((60 / (60 / 3 + 50 / 2) + 4000 / (6000 / 3 + 5000 / 2)) / 2, 1))


def test_of_a_team_whose_players_took_turns_nobody_was_there_for_longer_than_he_was(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    evening = play_evening(52, maps=["supply"], players_per_team=3, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    first, second = (row["round_key"] for row in pipeline.rows("select round_key from round order by round_key"))
    ada, bea, cyd = (row["guid"] for row in pipeline.rows(_TEAM_OF_SIDE_1, first))
    with pipeline.database.transaction() as conn:
        conn.execute(
            "update player_round_fact set seconds_played = case round_key when %s then 400 else 600 end", [first]
        )
        conn.execute("delete from player_round_fact where guid = %s and round_key = %s", [ada, second])
        conn.execute("delete from player_round_fact where guid = any(%s) and round_key = %s", [[bea, cyd], first])
        found = conn.execute("select guid, of_the_time from player_impact where level = 'session'").fetchall()
    there = {row["guid"]: row["of_the_time"] for row in found}
    assert (there[ada], there[bea], there[cyd]) == (0.4, 0.6, 0.6)  # Bea was there for 600 of 1000 seconds, not for all


def test_impact_is_unknown_where_a_number_of_anybody_on_the_side_is(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    evening = play_evening(52, maps=["supply"], players_per_team=3, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    with pipeline.database.transaction() as conn:
        conn.execute(
            """update player_round_fact set damage_given = null
               where (round_key, guid) in (select round_key, guid from player_round_fact where side = 1 limit 1)"""
        )
        found = conn.execute("select count(impact) as known, count(*) as of from player_impact where level = 'match'")
        assert found.fetchone() == {"known": 3, "of": 6}
