"""What is said on Discord of rounds, matches and sessions: who may announce it, and what corrects it later."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import escape
from slomix_pipeline.formats import gamestats
from slomix_pipeline.simulator.evening import place, play_evening
from slomix_pipeline.simulator.matches import Shape
from slomix_pipeline.simulator.values import Evening, SimMatch, SimRound
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages.common import Wish
from slomix_pipeline_tests.discord.conftest import PATH
from slomix_pipeline_tests.discord.telling_steps import deliver
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key

CLANS = {"A": "fox (A)", "B": "owl (B)"}  # of the simulator's players


# --- who may announce ---


@pytest.mark.parametrize(
    ("wish", "hours", "by_sensor", "announced"),
    [
        (Wish.LIVE, 1, True, True),
        (Wish.LIVE, 7, True, False),
        (Wish.LIVE, 1, False, False),
        (None, 1, True, False),
        (Wish.ASKED, 7000, False, True),
    ],
)
def test_fresh_rounds_of_a_sensor_are_announced_and_all_others_when_asked(
    pipeline: Pipeline, tmp_path: Path, wish: str | None, hours: int, by_sensor: bool, announced: bool
) -> None:
    evening = play_evening(54, maps=1, ends_at=just_now() - timedelta(hours=hours))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    with pipeline.database.transaction() as conn:
        conn.execute("update file set by_sensor = %s", [by_sensor])
    pipeline.work([round_key(r) for r in evening.rounds], wish)
    assert len(pipeline.page.messages()) == announced


def test_a_run_whose_wish_is_nonsense_announces_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(54, maps=1, ends_at=just_now() - timedelta(hours=1))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    with pipeline.database.transaction() as conn:
        conn.execute("update file set by_sensor = true")
    assert pipeline.run([round_key(r) for r in evening.rounds], "nonsense").success
    assert pipeline.page.messages() == []


def live(pipeline: Pipeline, *rounds: SimRound) -> None:
    """The rounds arrive one after the other, and each is run as it comes."""
    for sim_round in rounds:
        write_round(pipeline.folder, sim_round)
        pipeline.take_in_all()


def ending(matches: Sequence[SimMatch], evening: Evening) -> str:
    """The score line after these matches."""
    a, b, draws = (sum(m.winner == w for m in matches) for w in ("A", "B", "draw"))
    rest = f" ({draws} draw{'s' if draws > 1 else ''})" if draws else ""
    return f"Score so far: {CLANS['A']} {a} – {b} {CLANS['B']}{rest}"


def test_a_live_evening_is_told_match_by_match(pipeline: Pipeline) -> None:
    evening = play_evening(51, maps=["supply", "te_escape2", "te_escape2"], ends_at=just_now())
    for n, match in enumerate(evening.matches):
        name = escape(match.map_name)
        live(pipeline, match.r1)
        last = pipeline.page.messages()[-1]
        assert last["embeds"][0]["title"] == f"{name} · round 1"
        assert last["edited_timestamp"] is None
        assert len(pipeline.page.messages()) == 2 * n + 1
        live(pipeline, match.r2)
        pointer, result = pipeline.page.messages()[-2:]
        verdict = "draw" if match.winner == "draw" else f"{CLANS[match.winner]} wins"
        assert result["embeds"][0]["title"].startswith(f"{name} · {verdict}")
        assert ending(evening.matches[: n + 1], evening) in result["embeds"][0]["description"]
        assert (pointer["embeds"][0]["title"], pointer["id"]) == (f"{name} · round 1", last["id"])
        assert "The result stands below" in pointer["embeds"][0]["description"]
        assert "fields" not in pointer["embeds"][0]
    assert len(pipeline.page.messages()) == 6


def test_the_result_shows_every_player_in_his_team(pipeline: Pipeline) -> None:
    evening = play_evening(52, maps=["supply"], players_per_team=6, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    message = pipeline.page.messages()[-1]
    fields = {field["name"]: field["value"].splitlines() for field in message["embeds"][0]["fields"]}
    guids = {CLANS["A"]: evening.team_a, CLANS["B"]: evening.team_b}
    for team, lines in fields.items():
        played = [[r.players[g] for r in evening.rounds if g in r.players] for g in guids[team]]
        totals = {f"{sum(p.kills for p in ps)}/{sum(p.deaths for p in ps)}" for ps in played if ps}
        assert {line.split()[1] for line in lines} == totals
        assert len(lines) == sum(bool(ps) for ps in played)


def test_rounds_that_ended_long_ago_are_not_announced(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, play_evening(53, maps=1, ends_at=just_now() - timedelta(hours=7)))
    pipeline.take_in_all()
    assert len(pipeline.rows("select * from match where winner is not null")) == 1
    assert pipeline.page.messages() == []


def test_reruns_and_imports_say_nothing_new(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(54, maps=1, ends_at=just_now())
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    keys = [round_key(r) for r in evening.rounds]
    pipeline.work(keys)
    pipeline.work(keys, Wish.LIVE)  # a sensor's rework of what no sensor asked for
    assert pipeline.page.messages() == []
    pipeline.work(keys, Wish.ASKED)
    assert len(pipeline.page.messages()) == 1


def test_an_import_that_is_asked_to_publishes_results_and_summary(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(55, maps=2, ends_at=just_now() - timedelta(days=400))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive", publish=Wish.ASKED)
    assert len(pipeline.page.messages()) == 3
    pipeline.import_(tmp_path / "archive", publish=Wish.ASKED)
    assert len(pipeline.page.messages()) == 3


def test_a_fresh_round_is_announced_after_a_restart_too(pipeline: Pipeline) -> None:
    """Its run ended before it came to the message."""
    sim_round = play_evening(56, maps=1, ends_at=just_now()).rounds[0]
    channel, pipeline.discord = pipeline.discord, None
    live(pipeline, sim_round)
    assert pipeline.page.messages() == []
    pipeline.discord = channel
    pipeline.work(round_key(sim_round), Wish.LIVE)
    assert len(pipeline.page.messages()) == 1


def waiting(pipeline: Pipeline) -> list[str]:
    """What is due and did not arrive."""
    return [row["thing"] for row in pipeline.rows("select thing from undelivered order by thing")]


def test_a_message_that_did_not_arrive_waits_until_it_does(
    pipeline: Pipeline, failing: Discord, httpserver: HTTPServer
) -> None:
    sim_round = play_evening(56, maps=1, ends_at=just_now()).rounds[0]
    channel, pipeline.discord = pipeline.discord, failing
    httpserver.expect_request(PATH).respond_with_json({"retry_after": 999}, 429, {"Via": "1.1 test"})
    live(pipeline, sim_round)
    (check,) = pipeline.rows("select * from check_result where check_name = 'told_once'")
    assert not check["passed"]
    assert check["metadata"][f"round1:{round_key(sim_round)}"].startswith("failed")
    assert waiting(pipeline) == [f"round1:{round_key(sim_round)}"]
    pipeline.discord = channel
    pipeline.work(round_key(sim_round), Wish.LIVE)
    assert len(pipeline.page.messages()) == 1
    assert waiting(pipeline) == []


def test_a_correction_that_did_not_get_through_waits_until_it_does(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    evening = play_evening(57, maps=1, ends_at=just_now())
    live(pipeline, *evening.rounds)
    message = pipeline.page.messages()[1]
    same_webhook = f"/api/webhooks/{message['webhook_id']}/{'x' * 20}"
    channel, pipeline.discord = pipeline.discord, Discord(httpserver.url_for(same_webhook))
    httpserver.expect_request(f"{same_webhook}/messages/{message['id']}").respond_with_data("", 403)
    correct(pipeline, evening.rounds[1])
    assert f"result:{round_key(evening.rounds[1])}" in waiting(pipeline)
    pipeline.discord = channel
    pipeline.work(round_key(evening.rounds[1]), Wish.LIVE)
    assert f"result:{round_key(evening.rounds[1])}" not in waiting(pipeline)
    assert pipeline.page.messages()[1]["edited_timestamp"] is not None


def correct(pipeline: Pipeline, sim_round: SimRound) -> None:
    """The round's file is replaced by one without its last player."""
    fewer = replace(sim_round.stats, players=sim_round.stats.players[:-1])
    pipeline.put(sim_round.stats_name, gamestats.dump(fewer))
    pipeline.take_in()


def test_a_correction_edits_what_was_said(pipeline: Pipeline) -> None:
    evening = play_evening(57, maps=2, ends_at=just_now())
    live(pipeline, *evening.rounds)
    before = pipeline.page.messages()
    correct(pipeline, evening.rounds[1])
    after = pipeline.page.messages()
    changed = [b["id"] for b, a in zip(before, after, strict=True) if a["embeds"] != b["embeds"]]
    assert changed == [before[1]["id"]]  # the first match's result; everything else still holds


def test_a_late_result_corrects_the_scores_told_after_it(pipeline: Pipeline) -> None:
    evening = play_evening(58, maps=2, ends_at=just_now())
    first, second = evening.matches
    live(pipeline, first.r1, second.r1, second.r2, first.r2)
    results = [m["embeds"][0] for m in pipeline.page.messages() if "round 1" not in m["embeds"][0]["title"]]
    lines = {embed["title"].split(" · ")[0]: embed["description"] for embed in results}
    assert ending([first], evening) in lines[escape(first.map_name)]
    assert ending([first, second], evening) in lines[escape(second.map_name)]


def test_a_round_two_without_its_round_one_says_nothing_until_it_comes(pipeline: Pipeline) -> None:
    match = play_evening(59, maps=1, ends_at=just_now()).matches[0]
    live(pipeline, match.r2)
    assert pipeline.page.messages() == []
    live(pipeline, match.r1)
    assert len(pipeline.page.messages()) == 1
    assert "round 1" not in pipeline.titles()[0]


def test_without_a_webhook_everything_else_works(pipeline: Pipeline) -> None:
    pipeline.discord = None
    evening = play_evening(59, maps=1, ends_at=just_now())
    live(pipeline, *evening.rounds)
    assert len(pipeline.export()["matches"]) == 1
    assert pipeline.rows("select * from post") == []


# --- sessions ---


def test_a_session_is_told_when_it_is_over_and_again_when_it_changed(pipeline: Pipeline) -> None:
    evening = play_evening(60, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    (pipeline.folder / "gamestats" / evening.rounds[3].stats_name).unlink()
    pipeline.take_in_all()
    with pipeline.database.transaction() as conn:
        from slomix_pipeline.warehouse.session_reports import sessions_to_report

        early = datetime.now(UTC) - timedelta(minutes=1)
        assert sessions_to_report(conn, early, 9) == []  # its files came just now
    key = f"{SERVER}:{evening.rounds[0].stem[:17]}"
    assert pipeline.report_sessions() == [key]
    summary = pipeline.page.messages()[-1]
    assert summary["embeds"][0]["title"] == title_of(evening.matches[:1])
    assert pipeline.report_sessions() == []
    pipeline.put_stats(evening.rounds[3])
    pipeline.take_in()
    assert pipeline.report_sessions() == [key]
    again = [m for m in pipeline.page.messages() if m["id"] == summary["id"]]
    assert again[0]["embeds"][0]["title"] == title_of(evening.matches)
    assert pipeline.report_sessions() == []
    assert sum(title == title_of(evening.matches) for title in pipeline.titles()) == 1


def title_of(matches: Sequence[SimMatch]) -> str:
    a, b = (sum(m.winner == w for m in matches) for w in "AB")
    return f"{'Draw' if a == b else CLANS['A' if a > b else 'B'] + ' wins'} {max(a, b)}–{min(a, b)}"


def test_summaries_of_merged_sessions_become_one_and_a_pointer(pipeline: Pipeline) -> None:
    late = play_evening(61, maps=1, ends_at=just_now())
    early = place(play_evening(62, maps=1), late.rounds[0].stamp - timedelta(minutes=100), UTC)
    middle = place(play_evening(63, maps=["braundorf_b4"]), late.rounds[0].stamp - timedelta(minutes=50), UTC)
    for evening in (early, late):
        write_evening(pipeline.folder, evening)
    pipeline.take_in()
    keys = [f"{SERVER}:{evening.rounds[0].stem[:17]}" for evening in (early, late)]
    assert sorted(pipeline.report_sessions()) == keys
    told = len(pipeline.page.messages())
    write_evening(pipeline.folder, middle)
    pipeline.take_in()
    assert pipeline.report_sessions() == keys[:1]
    assert len(pipeline.page.messages()) == told + 2  # the match in the middle; no second summary
    pointers = [m for m in pipeline.page.messages() if m["embeds"][0]["title"] == "Part of another session"]
    assert len(pointers) == 1
    assert escape(keys[0]) in pointers[0]["embeds"][0]["description"]


def test_an_imported_session_is_reported_without_a_word(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(64, maps=1, ends_at=just_now())
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    assert len(pipeline.report_sessions()) == 1
    assert pipeline.page.messages() == []
    assert len(pipeline.rows("select * from session_report")) == 1


@pytest.mark.parametrize("shape", Shape)
def test_whatever_happens_in_a_match_both_rounds_are_told(
    pipeline: Pipeline, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomix_pipeline.simulator import evening as simulator

    monkeypatch.setattr(simulator, "_SHAPES", (shape,))
    write_evening(pipeline.folder, play_evening(66, maps=["supply"], ends_at=just_now()))
    pipeline.take_in_all()
    message = pipeline.page.messages()[-1]
    text = message["embeds"][0]["description"]
    expected: dict[Shape, Callable[[str], bool]] = {
        Shape.BEATEN: lambda t: t.count("completed it in") == 2,
        Shape.HELD: lambda t: t.count("completed it in") == 1 and "did not make it" in t,
        Shape.FULL_HOLD: lambda t: t.count("did not make it") == 1 and t.count("completed it in") == 1,
        Shape.SURRENDER: lambda t: "gave up after" in t,
        Shape.DOUBLE_HOLD: lambda t: t.count("did not make it") == 2 and "1 draw" in t,
    }
    assert expected[shape](text), text


@pytest.mark.usefixtures("at_once")
def test_a_summary_that_did_not_get_through_is_told_later(
    pipeline: Pipeline, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"retry_after": 999}, 429, {"Via": "1.1 test"})
    write_evening(pipeline.folder, play_evening(67, maps=1, ends_at=just_now()))
    pipeline.take_in_all()
    told = len(pipeline.page.messages())
    channel, pipeline.discord = pipeline.discord, failing
    (key,) = pipeline.report_sessions()
    pipeline.discord = channel
    deliver(pipeline)
    assert pipeline.rows("select state from post where partition_key = %s", key) == [{"state": "sent"}]
    assert len(pipeline.page.messages()) == told + 1
    assert pipeline.report_sessions() == [key]  # its pictures follow
    assert pipeline.page.messages()[-1]["attachments"]
    assert pipeline.report_sessions() == []
