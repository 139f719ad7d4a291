"""``slomix whatif``: history under another policy, beside what is published and without touching it."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.cli.terminal import Terminal
from slomix_pipeline.reports import whatif
from slomix_pipeline.reports.whatif import SessionCompared
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.simulator.evening import SOME_EVENING, play_courses
from slomix_pipeline.simulator.matches import Course, Files, Shape
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import matches
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline


def evening(shapes: list[Shape], days: int = 0, files: Files = Files.BOTH) -> Evening:
    courses = [Course("supply", 720, shape, files=files) for shape in shapes]
    return play_courses(7 + days, courses, ends_at=SOME_EVENING + timedelta(days=days))  # no two files alike


# By maps 3–2, by rounds 5–5: each team won one map that round 2 did not beat, and the sides change from map to map.
CLOSE = evening([Shape.HELD, Shape.HELD, Shape.BEATEN, Shape.BEATEN, Shape.BEATEN])
ONLY_DRAWS = evening([Shape.DOUBLE_HOLD], days=2)
HALF_A_MATCH = evening([Shape.HELD], days=4, files=Files.ONLY_R1)


def key_of(played: Evening) -> str:
    return f"{SERVER}:{played.rounds[0].stem[:17]}"


@pytest.fixture
def history(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """Three evenings, published under the default policy."""
    for played in (CLOSE, ONLY_DRAWS, HALF_A_MATCH):
        write_evening(tmp_path / "archive", played)
    assert pipeline.import_(tmp_path / "archive").quarantined == []
    return pipeline


def printed(sessions: list[SessionCompared], policy: str) -> str:
    text = io.StringIO()
    whatif.print_comparison(Terminal(file=text, width=100), sessions, policy)
    return text.getvalue()


def compared_json(pipeline: Pipeline, *arguments: str) -> dict[str, Any]:
    done = pipeline.slomix("whatif", "--json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("policy", POLICIES)
def test_every_session_is_scored_by_the_other_policy_as_it_was_played(history: Pipeline, policy: str) -> None:
    scores = {}
    for session in whatif.compare(history.database, policy, None):
        scores[session.key] = (session.published.points, session.other.points)
    better = [r.team_on(r.winner_side) for r in CLOSE.rounds]
    maps = (CLOSE.score.a, CLOSE.score.b)
    close = {
        "map-wins/1": maps,
        "two-point/1": (2 * maps[0], 2 * maps[1]),
        "per-round/1": (better.count("A"), better.count("B")),
    }
    draw = (0, 0) if policy == "map-wins/1" else (1, 1)
    assert scores == {
        key_of(CLOSE): (maps, close[policy]),
        key_of(ONLY_DRAWS): ((0, 0), draw),
        key_of(HALF_A_MATCH): ((0, 0), (0, 0)),
    }


def test_it_changes_nothing_in_the_database(history: Pipeline) -> None:
    before = history.contents()
    for arguments in (["--policy", "per-round/1"], ["--policy", "two-point/1", "--json", "--session", "latest"]):
        assert history.slomix("whatif", *arguments).exit_code == 0
    assert history.contents() == before
    assert history.stale() == []


def test_the_comparison_can_not_write(history: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    from psycopg.errors import ReadOnlySqlTransaction

    monkeypatch.setattr(matches, "scored", lambda conn, _: conn.execute("delete from match"))
    with pytest.raises(ReadOnlySqlTransaction):
        whatif.compare(history.database, "two-point/1", None)


def test_only_what_differs_is_told_with_both_scores_and_whose_winner_changes(history: Pipeline) -> None:
    found = compared_json(history, "--policy", "per-round/1")
    close, draws = found["sessions"]
    assert (close["key"], draws["key"]) == (key_of(CLOSE), key_of(ONLY_DRAWS))
    assert close["published"]["policy"] == "map-wins/1" and close["other"]["policy"] == "per-round/1"
    winner = "A" if CLOSE.score.a > CLOSE.score.b else "B"
    assert (close["published"]["winner"], close["other"]["winner"]) == (winner, "draw")
    assert close["winner_changes"] and not draws["winner_changes"]
    assert [match["order"] for match in close["matches"]] == [1, 2, 3, 4, 5]
    assert draws["matches"] == [
        {"order": 1, "map": "supply", "winner": "draw", "published": {"A": 0, "B": 0}, "other": {"A": 1, "B": 1}}
    ]
    assert found["summary"] == {
        "sessions": 3,
        "sessions_that_differ": 2,
        "matches": 7,
        "matches_that_differ": 6,
        "winner_changes": [key_of(CLOSE)],
    }


def test_in_a_terminal_sessions_stand_above_their_matches_and_the_last_lines_sum_up(history: Pipeline) -> None:
    text = printed(whatif.compare(history.database, "per-round/1", None), "per-round/1")
    lines = text.splitlines()
    winner = "A" if CLOSE.score.a > CLOSE.score.b else "B"
    assert lines[0].startswith("Published: map-wins/1. Beside it: per-round/1, 1 per round: ")
    session = next(line for line in lines if line.startswith(key_of(CLOSE)))
    assert f"{winner} → draw" in session and session.endswith("5 – 5")
    assert lines[lines.index(session) + 1].split()[:2] == ["1", "supply"]
    assert "2 of 3 sessions and 6 of 7 matches differ; 1 session has another winner: " in text
    assert f"{key_of(CLOSE)} ({winner} → draw)" in text
    assert "Nothing was changed" in lines[-1]
    assert max(map(len, lines[1:-3])) <= 80


def test_the_published_policy_differs_nowhere(history: Pipeline) -> None:
    done = history.slomix("whatif", "--policy", "map-wins/1")
    assert "0 of 3 sessions and 0 of 7 matches differ; no session has another winner." in done.stdout


def test_one_session_alone_can_be_asked_for(history: Pipeline) -> None:
    found = compared_json(history, "--policy", "two-point/1", "--session", key_of(ONLY_DRAWS))
    assert [session["key"] for session in found["sessions"]] == [key_of(ONLY_DRAWS)]
    assert found["summary"]["sessions"] == 1
    assert compared_json(history, "--policy", "two-point/1", "--session", "latest")["sessions"] == []


def test_points_that_nobody_can_know_are_no_guess(history: Pipeline) -> None:
    history.facts_hold = False
    with history.database.transaction() as conn:
        conn.execute(
            """update match set r1_completed = null
               where session_key = %s and position = (select min(position) from match where r2_completed)""",
            [key_of(CLOSE)],
        )
    (session, *_) = whatif.compare(history.database, "per-round/1", key_of(CLOSE))
    assert (session.other.unknown, session.other.winner) == (1, None)
    text = printed([session], "per-round/1")
    assert " + ?" in text and "→ open" in text and "Of 1 match nobody knows the points (?)" in text
    assert whatif.compare(history.database, "two-point/1", key_of(CLOSE))[0].other.unknown == 0


def test_an_unknown_policy_is_refused_with_those_that_there_are(history: Pipeline) -> None:
    done = history.slomix("whatif", "--policy", "golden-goal/1")
    assert done.exit_code == 2
    assert all(name in done.stderr for name in ("golden-goal/1", *POLICIES))


def test_an_unknown_session_ends_with_exit_code_2(history: Pipeline) -> None:
    done = history.slomix("whatif", "--policy", "two-point/1", "--session", "main:1999-01-01-000000")
    assert (done.exit_code, done.stdout) == (2, "")


def test_without_any_history_it_says_so(pipeline: Pipeline) -> None:
    done = pipeline.slomix("whatif", "--policy", "two-point/1")
    assert done.exit_code == 0
    assert "Published: nothing" in done.stdout and "0 of 0 sessions" in done.stdout
