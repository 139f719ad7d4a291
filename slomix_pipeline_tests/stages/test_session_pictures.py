"""Pictures of a session: they follow its summary, stay with it, and show the numbers that it says."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.charts import render
from slomix_pipeline.charts.facts import SessionFacts
from slomix_pipeline.charts.look import Chart
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages import session_pictures as stage
from slomix_pipeline.stages.common import Wish, perform
from slomix_pipeline.stages.session_pictures import drawn, session_pictures
from slomix_pipeline.stages.session_post import session_post
from slomix_pipeline.stages.session_report import session_report
from slomix_pipeline.warehouse import reading
from slomix_pipeline.warehouse.session_facts import session_facts
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now

NAMES = ["result.png", "score.png", "times.png", "players.png", "rounds.png"]


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_drawn_twice() -> Iterator[None]:
    """All tests are of the same evening."""
    drawn: dict[str, str] = {}
    svg, png = render.svg, cache(render.png)

    def svg_once(chart: Chart) -> str:
        specification = json.dumps(chart.spec)
        if specification not in drawn:
            drawn[specification] = svg(chart)
        return drawn[specification]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "svg", svg_once)
        patch.setattr(render, "png", png)
        yield


@pytest.fixture(scope="module")
def ended_at() -> datetime:
    return just_now()


@pytest.fixture
def evening(pipeline: Pipeline, ended_at: datetime, monkeypatch: pytest.MonkeyPatch) -> Evening:
    """An evening of which all but the summary is told; its pictures are really drawn."""
    monkeypatch.setattr(stage, "drawn", drawn)
    played = play_evening(60, maps=2, ends_at=ended_at)
    write_evening(pipeline.folder, played)
    pipeline.take_in_all()
    return played


def key_of(evening: Evening) -> str:
    return f"{SERVER}:{evening.rounds[0].stem[:17]}"


def summary(pipeline: Pipeline) -> dict[str, Any]:
    return pipeline.page.messages()[-1]


def files(pipeline: Pipeline) -> list[tuple[str, bytes]]:
    """The pictures of the summary."""
    return [(file["filename"], pipeline.page.picture(file["id"])) for file in summary(pipeline)["attachments"]]


def checked(pipeline: Pipeline) -> tuple[bool, dict[str, Any]]:
    (row,) = pipeline.rows("select passed, metadata from check_result where check_name = 'pictures'")
    return row["passed"], row["metadata"]


def facts_of(pipeline: Pipeline, evening: Evening) -> SessionFacts:
    with pipeline.database.snapshot() as conn:
        facts = session_facts(conn, key_of(evening))
    assert facts is not None
    return facts


def rename(pipeline: Pipeline, name: str) -> None:
    """Changes what the summary says of a map."""
    with pipeline.database.transaction() as conn:
        conn.execute("update match set map = %s where position = 1", [name])


def test_the_text_goes_out_first_and_the_pictures_follow_by_an_edit_of_it(pipeline: Pipeline, evening: Evening) -> None:
    perform(session_report, [key_of(evening)], pipeline.tools(Wish.LIVE))
    perform(session_post, [key_of(evening)], pipeline.tools(Wish.LIVE))
    first = summary(pipeline)
    assert (len(first["embeds"]), first["attachments"], first["edited_timestamp"]) == (1, [], None)
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    after = summary(pipeline)
    assert after["id"] == first["id"] and after["edited_timestamp"]
    assert [file["filename"] for file in after["attachments"]] == NAMES
    assert [embed["image"]["url"] for embed in after["embeds"]] == [f"attachment://{name}" for name in NAMES]
    assert {k: v for k, v in after["embeds"][0].items() if k != "image"} == first["embeds"][0]
    assert all(picture.startswith(b"\x89PNG") for _, picture in files(pipeline))
    assert all(file["description"] for file in after["attachments"])
    assert checked(pipeline)[0]


def test_making_any_of_it_again_in_any_order_changes_nothing(pipeline: Pipeline, evening: Evening) -> None:
    assert pipeline.report_sessions() == [key_of(evening)]
    before = pipeline.page.messages()
    assert len(files(pipeline)) == 5
    for again in (session_pictures, session_post, session_post, session_report, session_pictures, session_post):
        perform(again, [key_of(evening)], pipeline.tools(Wish.LIVE))
    assert pipeline.page.messages() == before
    assert pipeline.report_sessions() == []


def test_a_correction_of_the_text_keeps_the_pictures_until_there_are_new_ones(
    pipeline: Pipeline, evening: Evening
) -> None:
    pipeline.facts_hold = False
    pipeline.report_sessions()
    before, drawn = summary(pipeline), files(pipeline)
    rename(pipeline, "another map")
    perform(session_post, [key_of(evening)], pipeline.tools())
    after = summary(pipeline)
    assert any("another map" in field["value"] for field in after["embeds"][0]["fields"])
    assert after["attachments"] == before["attachments"]
    assert [embed["image"] for embed in after["embeds"]] == [embed["image"] for embed in before["embeds"]]
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    changed = {name for (name, old), (_, new) in zip(drawn, files(pipeline), strict=True) if old != new}
    assert changed == {"result.png", "score.png", "times.png", "rounds.png"}


def test_when_a_picture_can_t_be_drawn_the_text_stands_and_the_check_says_why(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_picture: object) -> bytes:
        raise ValueError("no such mark\x1b[31m")

    with monkeypatch.context() as patch:
        patch.setattr(render, "png", broken)
        pipeline.report_sessions()
    assert (summary(pipeline)["attachments"], summary(pipeline)["edited_timestamp"]) == ([], None)
    passed, facts = checked(pipeline)
    assert not passed and facts["why"] == "ValueError: no such mark\\x1b[31m"
    assert pipeline.report_sessions() == []
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    assert checked(pipeline)[0] and len(files(pipeline)) == 5


def test_pictures_that_did_not_get_through_are_sent_later_and_the_text_is_no_trouble(
    pipeline: Pipeline, evening: Evening
) -> None:
    perform(session_report, [key_of(evening)], pipeline.tools(Wish.LIVE))
    perform(session_post, [key_of(evening)], pipeline.tools(Wish.LIVE))
    quick = Discord(pipeline.page.webhook_url, max_wait=0.5, sleep=lambda _: None)
    channel, pipeline.discord = pipeline.discord, quick
    pipeline.page.misbehave(Fault.FAILING)
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    pipeline.discord = channel
    assert files(pipeline) == []
    passed, facts = checked(pipeline)
    assert not passed and "503" in facts["why"]
    assert pipeline.rows("select from message_trouble") == []
    assert pipeline.report_sessions() == [key_of(evening)]
    assert len(files(pipeline)) == 5 and checked(pipeline)[0]
    assert pipeline.report_sessions() == []


def test_pictures_that_discord_refuses_are_not_sent_again_and_again(pipeline: Pipeline, evening: Evening) -> None:
    perform(session_report, [key_of(evening)], pipeline.tools(Wish.LIVE))
    perform(session_post, [key_of(evening)], pipeline.tools(Wish.LIVE))
    pipeline.page.misbehave(Fault.REFUSED_CONTENT)
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    passed, facts = checked(pipeline)
    assert not passed and facts["pictures"] == "refused"
    assert pipeline.report_sessions() == []


@pytest.fixture
def nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def unexpected(_chart: object) -> str:
        raise AssertionError("nobody sees it")

    monkeypatch.setattr(render, "svg", unexpected)
    yield


@pytest.mark.usefixtures("nothing_is_drawn")
def test_nothing_is_drawn_of_a_session_that_is_not_told(pipeline: Pipeline, evening: Evening) -> None:
    pipeline.work(key_of(evening), job="report_sessions")
    assert all("wins" not in title or "·" in title for title in pipeline.titles())
    assert checked(pipeline) == (True, {"pictures": "none: there is no message to put them to"})


def test_the_message_of_another_webhook_stays_without_pictures_and_nobody_is_alarmed(
    pipeline: Pipeline, evening: Evening
) -> None:
    perform(session_report, [key_of(evening)], pipeline.tools(Wish.LIVE))
    perform(session_post, [key_of(evening)], pipeline.tools(Wish.LIVE))
    pipeline.page.replace_webhook()
    pipeline.discord = Discord(pipeline.page.webhook_url)
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    assert checked(pipeline)[0] and "another webhook" in checked(pipeline)[1]["why"]
    assert files(pipeline) == [] and pipeline.rows("select from message_trouble") == []
    assert pipeline.report_sessions() == []


def test_a_summary_that_was_deleted_is_not_brought_back_by_its_pictures(pipeline: Pipeline, evening: Evening) -> None:
    perform(session_report, [key_of(evening)], pipeline.tools(Wish.LIVE))
    perform(session_post, [key_of(evening)], pipeline.tools(Wish.LIVE))
    before = pipeline.page.messages()
    with pipeline.database.transaction() as conn:
        conn.execute("update post set message_id = '123' where kind = 'session'")
    perform(session_pictures, [key_of(evening)], pipeline.tools())
    assert pipeline.page.messages() == before
    assert checked(pipeline)[0] and "deleted" in checked(pipeline)[1]["why"]
    assert pipeline.report_sessions() == []


def test_the_pointer_of_a_session_that_was_swallowed_has_no_pictures(pipeline: Pipeline, evening: Evening) -> None:
    from slomix_pipeline.discord.ledger import tell
    from slomix_pipeline.discord.session_messages import session_pointer
    from slomix_pipeline.rules.things import Thing, ThingKind

    pipeline.report_sessions()
    assert pipeline.discord is not None
    thing = Thing(ThingKind.SESSION, key_of(evening))
    pointer = session_pointer(key_of(evening), "main:longer")
    tell(pipeline.database, pipeline.discord, thing, pointer, announce=False, max_age=timedelta(hours=1))
    assert (len(summary(pipeline)["embeds"]), files(pipeline)) == (1, [])
    (row,) = pipeline.rows("select pictures from post where thing = %s", thing.name)
    assert row["pictures"] == []


# --- the numbers ---


def test_the_pictures_show_the_numbers_of_the_report(pipeline: Pipeline, evening: Evening) -> None:
    facts = facts_of(pipeline, evening)
    with pipeline.database.connect() as conn:
        players = reading.session_players(conn, key_of(evening))
        (session,) = reading.session_rows(conn, key_of(evening))
    shown = [(p.name, p.team, p.kills, p.deaths, p.kd, p.dpm, p.damage_given) for p in facts.players]
    assert shown == [(p.name, p.team, p.kills, p.deaths, p.kd, p.dpm, p.damage_given) for p in players]
    assert (facts.score_a, facts.score_b) == (session.points_a, session.points_b)
    assert [(m.score_a, m.score_b) for m in facts.matches][-1] == (facts.score_a, facts.score_b)


def test_dpm_of_each_round_is_as_it_was_played(pipeline: Pipeline, evening: Evening) -> None:
    facts = facts_of(pipeline, evening)
    assert [(played.match, played.number) for played in facts.rounds] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    for played, sim_round in zip(facts.rounds, evening.rounds, strict=True):
        expected = sorted(p.damage_given * 60 / p.seconds_played for p in sim_round.players.values())
        found = sorted(v for p in facts.players if (v := p.round_dpm.get(played.key)) is not None)
        assert found == pytest.approx(expected)


def test_what_is_usual_is_the_career_before_the_session_and_nothing_that_came_later(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    early, middle, late = (
        play_evening(seed, maps=6, ends_at=SOME_EVENING + timedelta(days=seed)) for seed in (70, 71, 72)
    )
    for evening in (early, middle):
        write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    first, before = facts_of(pipeline, early), facts_of(pipeline, middle)
    assert all(player.usual_dpm is None for player in first.players)
    totals = {player.name: player for player in first.players}
    known = [player for player in before.players if player.usual_dpm is not None]
    assert known and before.usual_from <= len(first.rounds)
    for player in known:
        assert (player.usual_dpm, player.usual_kd) == (totals[player.name].dpm, totals[player.name].kd)
    write_evening(tmp_path / "archive", late)
    pipeline.import_(tmp_path / "archive")
    assert facts_of(pipeline, middle) == before


def test_there_are_no_facts_of_a_session_that_is_not_there(pipeline: Pipeline) -> None:
    with pipeline.database.snapshot() as conn:
        assert session_facts(conn, f"{SERVER}:2026-01-01-000000") is None
