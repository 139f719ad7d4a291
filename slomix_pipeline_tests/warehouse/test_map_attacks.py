"""Attacks against the clock: what counts as the time of one."""

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now


def test_an_attack_that_the_defenders_gave_up_to_has_no_time_of_its_own(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    write_evening(pipeline.folder, play_evening(60, maps=4, ends_at=just_now()))
    pipeline.take_in_all()
    attacks = "select round_key, completed, given_up from match_attack order by round_key"
    before = pipeline.rows(attacks)
    (one, *_) = [row["round_key"] for row in before if row["completed"]]
    with pipeline.database.transaction() as conn:
        conn.execute(
            """update round_timing set surrender_side = 3 - attackers_side from match
               where %s in (r1_key, r2_key) and round_key = %s""",
            [one, one],
        )
    after = pipeline.rows(attacks)
    assert [row for row in after if row["round_key"] == one] == [
        {"round_key": one, "completed": False, "given_up": True}
    ]
    assert [row for row in after if row["round_key"] != one] == [row for row in before if row["round_key"] != one]
