"""What is told where: each kind of thing in its channel, and none waits for the trouble of another."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from slomix_pipeline.discord.channels import Channels, open_channels
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.sensors import outbox
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.warehouse import due
from slomix_pipeline_tests.discord.telling_steps import change_the_winner, live, posts, rerun, tick, troubles
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

URL = "https://discord.example/api/webhooks/{}/token"


@pytest.fixture
def summaries(pipeline: Pipeline, tmp_path: Path) -> Iterator[StandIn]:
    """The channel of summaries, on a page of its own."""
    with served_page(tmp_path / "summaries") as page:
        pipeline.summaries = Discord(page.webhook_url)
        yield page


def test_every_kind_of_thing_has_the_channel_that_its_setting_names() -> None:
    names = (
        "discord_webhook",
        "discord_dev_webhook",
        "discord_admin_webhook",
        "discord_summary_webhook",
        "discord_board_webhook",
    )
    settings = load_settings(**{name: URL.format(number) for number, name in enumerate(names)})
    channels = open_channels(settings)
    webhooks = {kind: channel.webhook_id for kind in ThingKind if (channel := channels.of(kind))}
    players = {"round1": "0", "result": "0", "session": "3", "asked": "4"}
    assert webhooks == players | {"timing": "1", "alarm": "2", "report": "2"}
    one = Channels(Discord(URL.format(9)))
    assert one.results is not None
    assert one.kinds_in(one.results) == (ThingKind.ROUND1, ThingKind.RESULT, ThingKind.SESSION, ThingKind.ASKED)
    assert one.of(ThingKind.ALARM) is one.of(ThingKind.TIMING) is None


def test_summaries_without_results_are_refused() -> None:
    with pytest.raises(ValidationError, match="SLOMIX_DISCORD_SUMMARY_WEBHOOK needs SLOMIX_DISCORD_WEBHOOK"):
        load_settings(discord_summary_webhook=URL.format(1))


@pytest.mark.usefixtures("at_once")
def test_what_is_left_out_is_not_told_and_nobody_misses_it(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLOMIX_DISCORD_LEAVE_OUT", "round1, session")
    first, second = evening.rounds
    write_round(pipeline.folder, first)
    pipeline.take_in()
    assert posts(pipeline) == {} and pipeline.rows("select from due") == []
    write_round(pipeline.folder, second)
    pipeline.take_in()
    tick(pipeline)
    assert posts(pipeline) == {result: "sent"} and troubles(pipeline) == {}
    assert len(pipeline.titles()) == 1


@pytest.mark.usefixtures("at_once")
def test_what_was_due_before_it_was_left_out_is_forgotten(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.page.misbehave(Fault.RATE_LIMITED)
    live(pipeline, evening)
    assert set(troubles(pipeline).values()) == {"failed"}
    with pipeline.database.transaction() as conn:
        due.note_part(conn, replace(Thing.named(result), part=2), datetime.now(UTC))
    monkeypatch.setenv("SLOMIX_DISCORD_LEAVE_OUT", "round1,result,session")
    monkeypatch.setattr(outbox, "STARTED_AT", datetime.now(UTC))  # with the new setting
    tick(pipeline)
    assert pipeline.titles() == [] and pipeline.rows("select from due") == [] and troubles(pipeline) == {}


def test_what_has_a_webhook_of_its_own_is_left_out_by_that_alone() -> None:
    with pytest.raises(ValidationError, match="timing has a webhook of its own"):
        load_settings(discord_leave_out="timing")


def test_summaries_go_into_their_own_channel(
    pipeline: Pipeline, summaries: StandIn, evening: Evening, result: str, summary: str
) -> None:
    live(pipeline, evening)
    pipeline.report_sessions()
    assert posts(pipeline) == {result: "sent", summary: "sent"}
    assert len(pipeline.page.messages()) == len(summaries.messages()) == 1
    assert "Trust grade" in summaries.messages()[0]["embeds"][0]["description"]


def test_a_summary_that_the_channel_of_results_was_told_before_is_corrected_there(
    pipeline: Pipeline, tmp_path: Path, evening: Evening, summary: str
) -> None:
    pipeline.facts_hold = False
    live(pipeline, evening)
    pipeline.report_sessions()
    told = pipeline.page.messages()[-1]
    with served_page(tmp_path / "summaries") as page:
        pipeline.summaries = Discord(page.webhook_url)
        change_the_winner(pipeline)
        with pipeline.database.transaction() as conn:
            conn.execute("update session set worked_at = now()")
        assert pipeline.report_sessions() == [summary.partition(":")[2]]
        assert page.messages() == []
    corrected = pipeline.page.messages()[-1]
    assert corrected["id"] == told["id"] and corrected["embeds"] != told["embeds"]
    assert posts(pipeline)[summary] == "sent" and summary not in troubles(pipeline)


def test_summaries_are_told_while_the_channel_of_results_is_gone(
    pipeline: Pipeline, summaries: StandIn, evening: Evening, result: str, summary: str
) -> None:
    pipeline.page.replace_webhook()
    live(pipeline, evening)
    pipeline.report_sessions()
    assert posts(pipeline) == {result: "refused", summary: "sent"}


def test_results_are_corrected_while_the_channel_of_summaries_is_gone(
    pipeline: Pipeline, summaries: StandIn, evening: Evening, result: str, summary: str
) -> None:
    pipeline.facts_hold = False
    summaries.replace_webhook()
    live(pipeline, evening)
    pipeline.report_sessions()
    assert posts(pipeline) == {result: "sent", summary: "refused"}
    change_the_winner(pipeline)
    rerun(pipeline, evening)
    assert "instead of" in pipeline.page.messages()[0]["embeds"][0]["description"]
