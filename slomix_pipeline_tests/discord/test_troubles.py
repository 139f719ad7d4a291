"""Messages that stand otherwise than they should: another webhook or none, and what a person can decide of them."""

import json

import dagster as dg
import pytest

from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.rules.things import Thing
from slomix_pipeline.sensors import outbox, session_over
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline_tests.discord.telling_steps import (
    change_the_winner,
    command,
    deliver,
    live,
    posts,
    rerun,
    tick,
    troubles,
)
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, round_key

pytestmark = pytest.mark.usefixtures("at_once")


def test_a_message_in_doubt_is_sent_again_when_a_person_says_that_it_is_not_there(
    pipeline: Pipeline, evening: Evening, result: str
) -> None:
    pipeline.page.misbehave(Fault.FAILING)
    live(pipeline, evening)
    assert posts(pipeline) == {result: "in_doubt"} and pipeline.titles() == []
    pipeline.page.misbehave(Fault.REFUSED_CONTENT)
    done = command(pipeline, "post", "--retry", result)
    assert done.exit_code == 1 and "refused" in done.stderr
    done = command(pipeline, "post", "--retry", result)
    assert done.exit_code == 0 and f"{result} is sent" in done.stdout, done.output
    assert len(pipeline.titles()) == 1 and troubles(pipeline) == {}
    assert not pipeline.rows("select from check_result where check_name = 'told_once' and not passed")


def test_what_the_ledger_does_not_know_can_not_be_resolved(pipeline: Pipeline) -> None:
    for how in ("--retry", "--told"):
        done = command(pipeline, "post", how, "result:main:nothing[/b]")
        assert done.exit_code == 2 and "no message is in doubt" in done.stderr
    assert command(pipeline, "post").exit_code == 2
    assert command(pipeline, "post", "--told", "a", "--message", "x").exit_code == 2


def test_a_message_of_a_replaced_webhook_stands_and_says_so(pipeline: Pipeline, evening: Evening, result: str) -> None:
    pipeline.facts_hold = False
    live(pipeline, evening)
    old = pipeline.discord
    pipeline.page.replace_webhook()
    pipeline.discord = Discord(pipeline.page.webhook_url)
    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = case winner when 'A' then 'B' else 'A' end")
    rerun(pipeline, evening)
    (row,) = pipeline.rows("select * from message_trouble")
    assert (row["thing"], row["trouble"]) == (result, "stands")
    assert "can't be corrected any more, stands as it was sent at" in row["detail"] and old is not None
    assert old.webhook_id in row["detail"] and "deleted" not in row["detail"]
    assert pipeline.page.messages()[0]["edited_timestamp"] is None and len(pipeline.page.messages()) == 1
    assert pipeline.rows("select * from check_result where check_name = 'told_once' and not passed")


def test_a_message_from_before_the_webhook_was_kept_counts_as_todays(
    pipeline: Pipeline, evening: Evening, result: str
) -> None:
    live(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update post set webhook_id = null")
    rerun(pipeline, evening)
    (row,) = pipeline.rows("select webhook_id from post")
    assert pipeline.discord and row["webhook_id"] == pipeline.discord.webhook_id


def test_what_turned_wrong_while_no_webhook_was_set_is_reported_and_corrected_once_there_is_one(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.facts_hold = False
    live(pipeline, evening)
    tick(pipeline)
    channel, pipeline.discord = pipeline.discord, None
    with monkeypatch.context() as without:
        without.delenv("SLOMIX_DISCORD_WEBHOOK")
        change_the_winner(pipeline)
        rerun(pipeline, evening)
        tick(pipeline)
    with pipeline.database.transaction() as conn:
        for column in ("parsed_round.parsed_at", "round.rules_at", "session.worked_at", "session.scored_at"):
            table, _, at = column.partition(".")
            conn.execute(f"update {table} set {at} = {at} - interval '9 hours'")
    assert troubles(pipeline)[result] == "uncompared"
    pipeline.discord = channel
    assert pipeline.stale() == [round_key(evening.rounds[0])]
    rerun(pipeline, evening)
    assert troubles(pipeline) == {} and pipeline.stale() == []
    assert "instead of" in pipeline.page.messages()[0]["embeds"][0]["description"]


def test_without_a_webhook_nobody_asks_for_summaries_to_be_told(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, evening)
    tick(pipeline)
    with pipeline.database.transaction() as conn:
        conn.execute("update session_report set told_fingerprint = 'older'")
    monkeypatch.delenv("SLOMIX_DISCORD_WEBHOOK")
    resources = {"settings": pipeline.settings, "database": pipeline.database}
    context = dg.build_sensor_context(instance=pipeline.instance, resources=resources)
    assert isinstance(session_over.session_over_sensor(context), dg.SkipReason)


def test_what_stands_is_corrected_once_its_webhook_is_set_again(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.facts_hold = False
    live(pipeline, evening)
    channel = pipeline.discord
    another = pipeline.page.webhook_url.replace("/webhooks/", "/webhooks/9")
    pipeline.discord = Discord(another)
    change_the_winner(pipeline)
    rerun(pipeline, evening)
    assert troubles(pipeline) == {result: "stands"}
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", another)
    outbox.take_up_again(pipeline.database, open_channels(load_settings()), load_settings())
    assert troubles(pipeline) == {result: "stands"}
    pipeline.discord = channel
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)
    outbox.take_up_again(pipeline.database, open_channels(load_settings()), load_settings())
    assert troubles(pipeline) == {result: "uncorrected"}
    deliver(pipeline)
    assert troubles(pipeline) == {} and pipeline.stale() == []
    assert "instead of" in pipeline.page.messages()[0]["embeds"][0]["description"]


def test_a_message_that_says_what_is_right_again_is_no_trouble(
    pipeline: Pipeline, evening: Evening, result: str
) -> None:
    live(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update post set stands_since = now()")
    rerun(pipeline, evening)
    assert troubles(pipeline) == {}


def test_a_person_can_accept_that_a_message_stands_as_it_is(pipeline: Pipeline, evening: Evening, result: str) -> None:
    live(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update post set webhook_id = '9'")
    change_the_winner(pipeline)
    rerun(pipeline, evening)
    assert troubles(pipeline) == {result: "stands"}
    assert command(pipeline, "post", "--retry", result).exit_code == 1
    done = command(pipeline, "post", "--told", result)
    assert done.exit_code == 0, done.output
    rerun(pipeline, evening)
    assert troubles(pipeline) == {} and len(pipeline.page.messages()) == 1


def test_troubles_of_a_session_that_was_merged_away_or_is_gone_are_listed(
    pipeline: Pipeline, evening: Evening, summary: str
) -> None:
    live(pipeline, evening)
    merged = f"session:{SERVER}:{evening.rounds[1].stem[:17]}"  # its first round is another session's now
    with pipeline.database.transaction() as conn:
        for thing in (merged, f"session:{SERVER}:2020-01-01-200000"):
            conn.execute(
                "insert into post (thing, kind, partition_key, state) values (%s, 'session', %s, 'in_doubt')",
                [thing, Thing.named(thing).partition_key],
            )
    (session,) = json.loads(command(pipeline, "sessions", "--json").stdout)
    assert [trouble["thing"] for trouble in session["message_troubles"]] == [merged]
    assert f"message session:{SERVER}:2020-01-01-200000 is in_doubt" in command(pipeline, "sessions").stdout
    assert "2020-01-01-200000" in command(pipeline, "sessions", "--json").stderr
    done = command(pipeline, "post", "--retry", merged)
    assert done.exit_code == 0 and "no news any more" in done.stdout, done.output
    assert merged not in troubles(pipeline)


def test_a_message_that_somebody_deleted_comes_back_only_when_a_person_asks(
    pipeline: Pipeline, evening: Evening, result: str
) -> None:
    live(pipeline, evening)
    pipeline.page.delete_message(pipeline.page.messages()[0]["id"])
    change_the_winner(pipeline)
    rerun(pipeline, evening)
    assert pipeline.titles() == [] and posts(pipeline) == {result: "sent"} and troubles(pipeline) == {}
    tick(pipeline)
    told = len(pipeline.page.messages())
    done = command(pipeline, "post", "--retry", result)
    assert done.exit_code == 0 and f"{result} is sent" in done.stdout, done.output
    assert len(pipeline.page.messages()) == told + 1
    again = command(pipeline, "post", "--retry", result)
    assert again.exit_code == 1 and "nothing to decide" in again.stderr
