"""What people decide: kept with who and why, read by every stage, said where it shows, and taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slomix_pipeline.cli.main import main
from slomix_pipeline.rules.overrides import CUT, OverrideKind
from slomix_pipeline.simulator.evening import place, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import overrides
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key


@pytest.fixture
def evening(pipeline: Pipeline) -> Evening:
    """Three matches, told."""
    played = play_evening(61, maps=3, ends_at=just_now())
    write_evening(pipeline.folder, played)
    pipeline.take_in_all()
    return played


def override(pipeline: Pipeline, *arguments: str) -> Result:
    """``slomix override …`` on the pipeline's database."""
    env = {"SLOMIX_POSTGRES_URL": pipeline.database.url}
    done = CliRunner().invoke(main, ["override", *arguments], env=env)
    assert done.exit_code in (0, 2), done.output + done.stderr
    return done


def decided(pipeline: Pipeline, *arguments: str) -> None:
    done = override(pipeline, *arguments, "--why", "seen on the demo", "--by", "ref")
    assert done.exit_code == 0, done.stderr


def match(pipeline: Pipeline, order: int = 1) -> dict[str, Any]:
    found = pipeline.export()["matches"][order - 1]
    assert isinstance(found, dict)
    return found


def other(winner: str | None) -> str:
    return "B" if winner == "A" else "A"


def test_a_decided_winner_stands_through_reruns_and_says_who_decided(pipeline: Pipeline, evening: Evening) -> None:
    before = match(pipeline)["winner"]
    decided(pipeline, "winner", round_key(evening.rounds[1]), other(before))
    pipeline.work([round_key(r) for r in evening.rounds])
    now = match(pipeline)
    assert (now["winner"], now["source"]) == (other(before), "override")
    assert now["reason"] == "decided by ref: seen on the demo"
    listed = CliRunner().invoke(main, ["sessions"], env={"SLOMIX_POSTGRES_URL": pipeline.database.url}).stdout
    assert "(1 decided by people)" in listed
    assert pipeline.stale() == []


def test_what_is_taken_back_is_as_the_rules_have_it_again(pipeline: Pipeline, evening: Evening) -> None:
    before = pipeline.export()
    decided(pipeline, "winner", round_key(evening.rounds[0]), "draw")
    assert match(pipeline)["winner"] == "draw"
    assert override(pipeline, "revoke", "1", "--why", "an error", "--by", "ref").exit_code == 0
    assert pipeline.export() == before
    assert override(pipeline, "revoke", "1", "--why", "again").exit_code == 2
    (row,) = pipeline.rows("select * from override")
    assert (row["revoked_by"], row["revoked_reason"]) == ("ref", "an error")


def test_a_round_taken_out_counts_nowhere_and_its_match_is_not_counted(pipeline: Pipeline, evening: Evening) -> None:
    out = round_key(evening.rounds[0])
    decided(pipeline, "round", out, "out")
    found = next(r for r in pipeline.export()["rounds"] if r["key"] == out)
    assert (found["valid"], found["reason"]) == (False, "decided by ref: seen on the demo")
    assert match(pipeline)["winner"] is None
    counted = pipeline.rows("select round_key from valid_round")
    assert out not in {row["round_key"] for row in counted}


def test_a_players_team_is_decided_for_the_whole_session(pipeline: Pipeline, evening: Evening) -> None:
    guid = sorted(evening.team_a)[0]
    session = pipeline.export()["session"]["key"]
    decided(pipeline, "team", session, guid[:5], "B")
    teams = pipeline.export()["teams"]
    assert guid in {p["guid"] for p in teams["B"]["players"]}
    assert guid not in {p["guid"] for p in teams["A"]["players"]}


def test_a_session_is_cut_and_joined_again(pipeline: Pipeline, evening: Evening) -> None:
    begins = round_key(evening.matches[1].r1)
    decided(pipeline, "session", begins, "cut")
    sizes = pipeline.rows("select rounds, matches, not_counted from session_score order by started_at")
    assert [tuple(row.values()) for row in sizes] == [(2, 1, 0), (4, 2, 0)]
    assert override(pipeline, "revoke", "1", "--why", "one evening after all").exit_code == 0
    assert [row["rounds"] for row in pipeline.rows("select rounds from session_score")] == [6]


def test_a_run_of_the_round_alone_scores_both_parts_of_a_session_that_is_cut(
    pipeline: Pipeline, evening: Evening
) -> None:
    begins = round_key(evening.matches[1].r1)
    with pipeline.database.transaction() as conn:
        overrides.add(conn, OverrideKind.SESSION, SERVER, begins, CUT, reason="another evening", made_by="ref")
    pipeline.work(begins)
    rows = pipeline.rows("select rounds, matches, not_counted from session_score order by started_at")
    assert [tuple(row.values()) for row in rows] == [(2, 1, 0), (4, 2, 0)]
    other_part = round_key(evening.matches[0].r1)
    assert pipeline.stale() == [other_part]  # what was told of it is compared by a run of its own
    pipeline.work(other_part)
    assert pipeline.stale() == []


def test_two_sessions_are_joined_over_a_hole(pipeline: Pipeline, evening: Evening) -> None:
    early = place(play_evening(62, maps=1), evening.rounds[0].stamp - timedelta(hours=3), UTC)
    write_evening(pipeline.folder, early)
    pipeline.take_in_all()
    assert len(pipeline.rows("select * from session")) == 2
    decided(pipeline, "session", round_key(evening.rounds[0]), "join")
    (session,) = pipeline.rows("select * from session_score")
    assert session["rounds"] == 8


REFUSED = [
    (("session", "{first}", "cut"), "the first round of its session already"),
    (("session", "{second}", "cut"), "is round 2 of a match"),
    (("winner", "{first}", "A", "--why", " "), "say why: it is empty"),
    (("session", "{second}", "join"), "in one session with the round before it already"),
    (("session", "{first}", "join"), "the first round of all"),
    (("winner", "nothing", "A"), "there is no stats file 'nothing'"),
    (("team", "latest", "nobody", "A"), "no player 'nobody' in"),
    (("team", "elsewhere", "nobody", "A"), "there is no session 'elsewhere'"),
]


def test_what_can_not_be_decided_is_refused_with_a_reason(pipeline: Pipeline, evening: Evening) -> None:
    for arguments, words in REFUSED:
        named = [a.format(first=round_key(evening.rounds[0]), second=round_key(evening.rounds[1])) for a in arguments]
        done = override(pipeline, *named, *([] if "--why" in named else ["--why", "x"]))
        assert (done.exit_code, words in " ".join(done.stderr.split())) == (2, True), (named, done.stderr)
        assert pipeline.rows("select * from override") == []


def test_decisions_are_listed_with_who_when_and_why(pipeline: Pipeline, evening: Evening) -> None:
    decided(pipeline, "winner", round_key(evening.rounds[0]), "A")
    decided(pipeline, "winner", round_key(evening.rounds[0]), "B")
    listed = override(pipeline, "list").stdout
    assert "ref" in listed and "seen on the demo" in listed and f"{datetime.now(UTC):%Y-%m-%d}" in listed
    assert len(pipeline.rows("select * from override where revoked_at is null")) == 1
    assert "decided anew" in override(pipeline, "list", "--all").stdout


def test_a_message_that_a_decision_makes_wrong_is_corrected_and_says_so(pipeline: Pipeline, evening: Evening) -> None:
    before = match(pipeline)["winner"]
    pipeline.work([round_key(r) for r in evening.rounds], "asked")
    decided(pipeline, "winner", round_key(evening.rounds[0]), other(before))
    pipeline.work(round_key(evening.rounds[1]))
    texts = [m["embeds"][0]["description"].replace("\\", "") for m in pipeline.page.messages()]
    (told,) = [text for text in texts if "Corrected" in text]
    assert "wins instead of" in told and "(decided by ref: seen on the demo)" in told
    (row,) = pipeline.rows("select notice, cause from correction")
    assert row["cause"] == "decided by ref: seen on the demo"
    assert override(pipeline, "revoke", "1", "--why", "an error", "--by", "ref").exit_code == 0
    pipeline.work(round_key(evening.rounds[1]))
    assert not any("Corrected" in m["embeds"][0]["description"] for m in pipeline.page.messages())
    assert len(pipeline.rows("select * from correction")) == 2


def test_another_policy_is_the_cause_and_no_decision_about_something_else(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [round_key(r) for r in evening.rounds]
    pipeline.work(keys, "asked")
    decided(pipeline, "winner", keys[0], other(match(pipeline)["winner"]))
    monkeypatch.setenv("SLOMIX_SCORING_POLICY", "two-point/1")
    pipeline.work(keys)
    rows = pipeline.rows("select notice, cause from correction where thing = %s", f"result:{keys[3]}")
    assert rows == [{"notice": "policy two-point/1 instead of map-wins/1", "cause": "other rules or settings"}]


def test_a_match_of_which_only_one_round_is_there_can_be_decided_and_its_message_says_so(pipeline: Pipeline) -> None:
    first, second = play_evening(63, maps=1, ends_at=just_now()).rounds
    key = pipeline.put_stats(second)
    pipeline.take_in()
    pipeline.work(key, "asked")
    decided(pipeline, "winner", key, "A")
    assert pipeline.export()["score"]["A"] == 1
    late = pipeline.put_stats(first)
    pipeline.take_in()
    decided(pipeline, "winner", late, "B")
    assert len(pipeline.rows("select * from override where revoked_at is null")) == 1
    assert match(pipeline)["winner"] == "B"


def test_what_was_decided_of_a_player_stays_in_both_parts_of_a_session_that_is_cut(
    pipeline: Pipeline, evening: Evening
) -> None:
    guid = sorted(evening.team_a)[0]
    decided(pipeline, "team", "latest", guid, "open")
    decided(pipeline, "session", round_key(evening.matches[1].r1), "cut")
    for session in pipeline.rows("select session_key from session"):
        teams = pipeline.export(session["session_key"])["teams"]
        assert guid in {p["guid"] for p in teams["open"]}


def test_a_file_that_turns_out_unreadable_after_the_report_makes_it_anew(pipeline: Pipeline, evening: Evening) -> None:
    assert len(pipeline.report_sessions()) == 1
    pipeline.put_and_take_in(evening.rounds[1].stats_name.replace("-round-2", "x-round-2"), b"no stats file")
    assert len(pipeline.report_sessions()) == 1
    assert pipeline.export()["grade"]["letter"] == "D"
