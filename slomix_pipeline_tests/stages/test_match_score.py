"""Scores through the real stages: what is stored of a match, what the check says, and a change of the policy."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.overrides import OverrideKind
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import SOME_EVENING, play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, Files, Shape
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import overrides
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.migrations import migrate
from slomix_pipeline_tests.building import on_the_other_side
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key

EVERY_SHAPE = [Course("supply", 720, shape) for shape in Shape]


def import_evening(pipeline: Pipeline, evening: Evening, folder: Path) -> None:
    write_evening(folder, evening)
    assert pipeline.import_(folder).quarantined == []


def outcome(pipeline: Pipeline, key: str) -> dict[str, Any]:
    """What the check of a match's sources found for a round, ``passed`` among the facts."""
    (row,) = pipeline.rows("select * from check_result where check_name = 'score_sources' and partition_key = %s", key)
    return {**row["metadata"], "passed": row["passed"]}


def the_match(pipeline: Pipeline) -> dict[str, Any]:
    (row,) = pipeline.rows("select * from match")
    return row


def played(shape: Shape, **course: Any) -> Evening:
    return play_courses(5, [Course("supply", 720, shape, **course)], ends_at=just_now())


# --- what is stored ---


def test_of_every_match_it_is_stored_who_attacked_when_how_long_and_what_decided(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    evening = play_courses(5, EVERY_SHAPE, ends_at=SOME_EVENING)
    import_evening(pipeline, evening, tmp_path / "archive")
    stored = pipeline.rows("select * from match order by position")
    for row, match in zip(stored, evening.matches, strict=True):
        assert (row["winner"], row["source"], row["confidence"]) == (match.winner, "header", "verified_header")
        assert row["disputed"] is False
        assert row["attackers_side"] == match.r1.attackers_side
        attackers = [half.team_on(half.attackers_side) for half in (match.r1, match.r2)]
        assert [row["attackers_first"], row["attackers_second"]] == attackers
        assert [row["r1_completed"], row["r2_completed"]] == [half.attackers_won for half in (match.r1, match.r2)]
        for half, seconds in ((match.r1, row["r1_seconds"]), (match.r2, row["r2_seconds"])):
            assert seconds == (half.duration_seconds if half.attackers_won else half.limit_seconds)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_published_score_is_the_sum_of_the_points_of_its_policy(
    pipeline: Pipeline, tmp_path: Path, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMIX_SCORING_POLICY", policy)
    evening = play_courses(5, EVERY_SHAPE, ends_at=SOME_EVENING)
    import_evening(pipeline, evening, tmp_path / "archive")
    expected = {"map-wins/1": played_map_wins, "per-round/1": played_rounds, "two-point/1": played_two_points}[policy]
    a, b = expected(evening)
    score = pipeline.export()["score"]
    assert score == {"A": a, "B": b, "draws": 1, "not_counted": 0, "without_points": 0, "policy": policy}
    (row,) = pipeline.rows("select * from session_score")
    assert (row["won_a"], row["won_b"], row["without_points"]) == (*played_map_wins(evening), 0)
    assert {m["policy"] for m in pipeline.rows("select policy from match")} == {policy}


def played_map_wins(evening: Evening) -> tuple[int, int]:
    return evening.score.a, evening.score.b


def played_rounds(evening: Evening) -> tuple[int, int]:
    better = [r.team_on(r.winner_side) for r in evening.rounds]
    return better.count("A"), better.count("B")


def played_two_points(evening: Evening) -> tuple[int, int]:
    score = evening.score
    return 2 * score.a + score.draws, 2 * score.b + score.draws


def test_half_a_match_is_not_counted_and_says_what_its_round_tells(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = played(Shape.HELD, files=Files.ONLY_R1)
    import_evening(pipeline, evening, tmp_path / "archive")
    match, (half,) = the_match(pipeline), evening.others
    assert (match["winner"], match["points_a"], match["confidence"]) == (None, None, "missing")
    assert (match["r1_completed"], match["r1_seconds"]) == (True, half.duration_seconds)
    assert (match["r2_completed"], match["attackers_second"]) == (None, None)
    assert pipeline.export()["score"]["not_counted"] == 1
    assert outcome(pipeline, round_key(half))["passed"]


# --- a change of the policy ---


def test_another_policy_makes_every_round_stale_and_then_changes_what_is_published_but_no_winner(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_evening(pipeline.folder, play_evening(21, maps=1, ends_at=just_now()))
    pipeline.take_in_all()
    assert pipeline.stale() == []
    before = the_match(pipeline)
    told = len(pipeline.page.messages())
    monkeypatch.setenv("SLOMIX_SCORING_POLICY", "two-point/1")
    stale = pipeline.stale()
    assert len(stale) == 2
    pipeline.work(stale)
    after = the_match(pipeline)
    assert pipeline.stale() == []
    assert (before["policy"], after["policy"]) == ("map-wins/1", "two-point/1")
    changed = {name for name in before if before[name] != after[name]}
    assert {"policy"} < changed <= {"policy", "points_a", "points_b"}
    assert len(pipeline.page.messages()) == told
    text = pipeline.page.messages()[-1]["embeds"][0]["description"]
    assert {"A": " 2 – 0 ", "B": " 0 – 2 ", "draw": " 1 – 1 "}[after["winner"]] in text


# --- what the check says ---


def with_header(sim_round: SimRound, **header: Any) -> bytes:
    return gamestats.dump(replace(sim_round.stats, header=replace(sim_round.stats.header, **header)))


def test_header_and_time_that_disagree_warn_with_both_and_the_header_wins(pipeline: Pipeline) -> None:
    evening = played(Shape.BEATEN)
    (match,) = evening.matches
    pipeline.put_stats(match.r1)
    # Its header says that the defenders won, while the time it shows is below the one to beat.
    pipeline.put(match.r2.stats_name, with_header(match.r2, winner_side=match.r2.defender_side))
    pipeline.take_in()
    stored = the_match(pipeline)
    assert (stored["winner"], stored["source"]) == (match.r1.team_on(match.r1.attackers_side), "header")
    assert (stored["by_header"], stored["by_time"], stored["disputed"]) == ("first", "second", True)
    assert stored["confidence"] == "ambiguous"
    said = outcome(pipeline, round_key(match.r2))
    assert not said["passed"]
    assert said["the headers say"] == "round 1's attackers won" and said["the times say"] == "round 2's attackers won"
    assert said["attack of round 1"].endswith(", completed")
    first = outcome(pipeline, round_key(match.r1))
    assert first["passed"] and first["told at"] == round_key(match.r2)


def test_a_match_decided_by_time_passes_and_says_so(pipeline: Pipeline) -> None:
    (match,) = played(Shape.BEATEN).matches
    for half in (match.r1, match.r2):
        pipeline.put(half.stats_name, with_header(half, winner_side=0))
    pipeline.take_in()
    stored = the_match(pipeline)
    assert (stored["winner"], stored["source"]) == (match.winner, "time")
    assert (stored["confidence"], stored["disputed"]) == ("time_fallback", None)
    said = outcome(pipeline, round_key(match.r2))
    assert said["passed"] and (said["source"], said["the headers say"]) == ("time", None)


def test_rosters_that_tell_no_team_apart_warn_and_the_match_is_not_counted(pipeline: Pipeline) -> None:
    before, after = play_courses(
        5, [Course("supply", 720, Shape.HELD), Course("te_escape2", 600, Shape.HELD)], ends_at=just_now()
    ).matches
    for half in (before.r1, before.r2):
        pipeline.put_stats(half)
    for half in (after.r1, after.r2):  # half of each team stands with the other one
        guids = sorted(half.sides, key=lambda guid: (half.sides[guid], guid))
        exchanged = {*guids[:2], *guids[4:6]}
        pipeline.put(half.stats_name, gamestats.dump(on_the_other_side(half.stats, exchanged)))
    pipeline.take_in()
    stored = pipeline.rows("select * from match order by position")
    assert [row["winner"] for row in stored] == [before.winner, None]
    assert stored[1]["confidence"] == "ambiguous"
    said = outcome(pipeline, round_key(after.r2))
    assert not said["passed"] and "roster changed" in said["why"]
    assert pipeline.export()["score"]["not_counted"] == 1


def test_attackers_who_gave_up_make_no_dispute_with_or_without_their_timing_records(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    evening = played(Shape.SURRENDER)
    (match,) = evening.matches
    for half in (match.r1, match.r2):
        pipeline.put_stats(half)
    pipeline.take_in()
    without = the_match(pipeline)
    import_evening(pipeline, evening, tmp_path / "archive")
    for stored in (without, the_match(pipeline)):
        assert (stored["winner"], stored["confidence"]) == (match.winner, "verified_header")
    assert outcome(pipeline, round_key(match.r2))["passed"]


# --- decided by a person ---


def decide(pipeline: Pipeline, key: str, value: str) -> None:
    """A person decides who won the match of a round, and the round is worked out anew."""
    with pipeline.database.transaction() as conn:
        overrides.add(conn, OverrideKind.WINNER, SERVER, key, value, reason="seen", made_by="the admin")
    pipeline.work(key)


def test_what_a_person_decided_is_stored_with_its_source_and_its_points_beside_what_the_files_say(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    evening = played(Shape.BEATEN)
    import_evening(pipeline, evening, tmp_path / "archive")
    (match,) = evening.matches
    other = "A" if match.winner == "B" else "B"
    decide(pipeline, round_key(match.r1), other)
    stored = the_match(pipeline)
    assert (stored["winner"], stored["source"], stored["reason"]) == (other, "override", "decided by the admin: seen")
    assert stored[f"points_{other.lower()}"] == 1
    assert (stored["by_header"], stored["confidence"]) == ("second", "verified_header")
    assert pipeline.export()["score"][other] == 1
    decide(pipeline, round_key(match.r1), "not counted")
    stored = the_match(pipeline)
    assert (stored["winner"], stored["points_a"], stored["source"]) == (None, None, "override")


def test_a_decision_about_a_round_2_alone_stays_with_its_match_when_round_1_comes(pipeline: Pipeline) -> None:
    (match,) = played(Shape.BEATEN).matches
    key = pipeline.put_stats(match.r2)
    pipeline.take_in()
    decide(pipeline, key, "draw")
    assert the_match(pipeline)["match_key"] == key and the_match(pipeline)["winner"] == "draw"
    first = pipeline.put_stats(match.r1)
    pipeline.take_in()
    stored = the_match(pipeline)
    assert (stored["match_key"], stored["winner"], stored["source"]) == (first, "draw", "override")


# --- the tables ---

HALVES = """
insert into file_content (sha256, bytes) values (repeat('a', 64), 'x');
insert into file (server, name, kind, partition_key, status, sha256)
select 's', stem || '.txt', 'stats', 's:' || stem, 'ingested', repeat('a', 64)
from unnest(array['a1', 'a2', 'b1', 'b2', 'c1']) stem;
insert into parsed_round (round_key, server, name, sha256, stamp_local, stamp, stamp_ambiguous, label, map, server_name,
    config, defender_side, winner_side, limit_text, attack_time_text, tail_fields, generation)
select 's:' || stem, 's', stem || '.txt', repeat('a', 64), '2031-05-06 20:00', '2031-05-06 20:00Z', false,
       right(stem, 1)::int, 'supply', '', '', 1, winner, '12:00', '8:00', 38, 'invented'
from (values ('a1', 2), ('a2', 1), ('b1', 2), ('b2', 0), ('c1', 2)) rounds (stem, winner);
insert into session (session_key, server, started_at, ended_at)
values ('s:evening', 's', '2031-05-06 20:00Z', '2031-05-06 20:16Z');
insert into round (round_key, match_key, number, status)
select round_key, left(round_key, 3) || '1', label, 'complete' from parsed_round;
insert into match (match_key, session_key, position, map, status, r1_key, r2_key, winner, source, reason, policy)
values ('s:a1', 's:evening', 1, 'supply', 'complete', 's:a1', 's:a2', 'B', 'header', 'faster', 'map-wins/1'),
       ('s:b1', 's:evening', 2, 'supply', 'complete', 's:b1', 's:b2', 'draw', 'time', 'held', 'map-wins/1'),
       ('s:c1', 's:evening', 3, 'supply', 'r1_only', 's:c1', null, null, null, 'no round 2', 'map-wins/1');
"""
HALVES_OF_NOW = HALVES.replace("generation)", "generation, session_if_first)").replace(
    "'invented'", "'invented', 's:2031-05-06-200000'"
)


def schema_before_scores(folder: Path) -> Path:
    """The migrations from before the columns of scores."""
    shutil.copytree(bundled_folder("sql"), folder, ignore=lambda _, names: [n for n in names if n >= "009"])
    (folder / "views").mkdir()
    return folder


def test_matches_of_before_have_their_points_and_what_another_policy_needs_to_know(
    empty_database: Database, tmp_path: Path
) -> None:
    migrate(empty_database, schema_before_scores(tmp_path / "sql"))
    with empty_database.transaction() as conn:
        conn.execute(HALVES)
    migrate(empty_database)
    with empty_database.connect() as conn:
        rows = conn.execute(
            "select points_a, points_b, r1_completed, r2_completed, confidence from match order by position"
        ).fetchall()
        (score,) = conn.execute("select policy, points_a, points_b, not_counted from session_score").fetchall()
    assert [tuple(row.values()) for row in rows] == [
        (0, 1, True, False, None),
        (0, 0, True, None, None),
        (None, None, None, None, None),
    ]
    assert tuple(score.values()) == ("map-wins/1", 0, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        "update match set points_a = -1",
        "update match set points_a = null",
        "update match set winner = null",
        "update match set confidence = 'certain'",
        "update match set by_time = 'A'",
        "update match set source = 'guess'",
        "update match set attackers_second = attackers_first",
        "update match set r2_seconds = 0",
    ],
)
def test_a_score_that_can_not_be_is_refused(database: Database, wrong: str) -> None:
    with database.connect() as conn:
        conn.execute(HALVES_OF_NOW.encode())
        conn.execute("update match set points_a = 1, points_b = 0, attackers_first = 'A' where winner is not null")
        with pytest.raises(errors.CheckViolation):
            conn.execute(wrong.encode())


def test_a_policy_nobody_knows_is_refused_with_those_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_SCORING_POLICY", "golden-goal/1")
    with pytest.raises(ValueError, match="there are map-wins/1, per-round/1, two-point/1"):
        load_settings()
