"""Impact: what a player did against his share of the time in what his side did, over the rounds he played."""

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import reading
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key


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
