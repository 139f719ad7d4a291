"""A message that was due is told or reported: whatever raises, dies, restarts, or is set wrong on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from slomix_pipeline.cli.main import main
from slomix_pipeline.discord import messages
from slomix_pipeline.discord.client import Discord, Sent
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.discord.wording import map_text
from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.things import Thing
from slomix_pipeline.sensors import rework, session_over
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.stages.common import Done, Stage, Tools, Wish, perform
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key


@pytest.fixture(autouse=True)
def at_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(rework, "SETTLE", timedelta(0))
    monkeypatch.setenv("SLOMIX_SESSION_OVER_AFTER", "0")
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)


@pytest.fixture
def evening() -> Evening:
    return play_evening(57, maps=1, ends_at=just_now())


@pytest.fixture
def result(evening: Evening) -> str:
    """The name of its result in the ledger."""
    return f"result:{round_key(evening.rounds[1])}"


@pytest.fixture
def summary(evening: Evening) -> str:
    """The name of its summary."""
    return f"session:{SERVER}:{evening.rounds[0].stem[:17]}"


def come(pipeline: Pipeline, evening: Evening) -> list[str]:
    """The rounds come at once, so that of each match only the result is news. Returns their keys."""
    for sim_round in evening.rounds:
        write_round(pipeline.folder, sim_round)
    pipeline.tick(seconds=10)
    return [round_key(sim_round) for sim_round in evening.rounds]


def live(pipeline: Pipeline, evening: Evening) -> None:
    """The rounds come and are told."""
    pipeline.work(come(pipeline, evening), Wish.LIVE)


def live_in_a_run(pipeline: Pipeline, evening: Evening) -> None:
    """The same in a run of Dagster's, which may fail."""
    pipeline.run(come(pipeline, evening), Wish.LIVE, raise_on_error=False)


def asked_for(pipeline: Pipeline) -> Iterator[tuple[dg.SensorResult | dg.SkipReason, str]]:
    """One tick of each sensor that asks for what is not told: its result, and the job that it starts."""
    for sensor, job in ((rework.rework_sensor, "ingest_rounds"), (session_over.session_over_sensor, "report_sessions")):
        resources = {"settings": pipeline.settings, "database": pipeline.database}
        outcome = sensor(dg.build_sensor_context(instance=pipeline.instance, resources=resources))
        assert isinstance(outcome, (dg.SensorResult, dg.SkipReason))
        yield outcome, job


def tick(pipeline: Pipeline) -> None:
    """What the sensors ask for is done."""
    for outcome, job in asked_for(pipeline):
        pipeline.work_off(outcome, job)


def tick_in_runs(pipeline: Pipeline) -> None:
    """The same in runs of Dagster's, which may fail."""
    for outcome, job in asked_for(pipeline):
        pipeline.apply(outcome, job, raise_on_error=False)


def posts(pipeline: Pipeline) -> dict[str, str]:
    return {row["thing"]: row["state"] for row in pipeline.rows("select thing, state from post")}


def troubles(pipeline: Pipeline) -> dict[str, str]:
    return {row["thing"]: row["trouble"] for row in pipeline.rows("select thing, trouble from message_trouble")}


def command(pipeline: Pipeline, *arguments: str, webhook: str | None = None) -> Result:
    env = {"SLOMIX_POSTGRES_URL": pipeline.database.url, "SLOMIX_DISCORD_WEBHOOK": webhook or pipeline.page.webhook_url}
    return CliRunner().invoke(main, arguments, env=env)


def visible(pipeline: Pipeline, thing: str, trouble: str) -> None:
    """Whoever looks sees it: in the audit, in the list of sessions, and as a check that failed."""
    audit = command(pipeline, "audit").stdout
    assert f"`{thing}` | {trouble.replace('_', ' ')}" in audit and "1 message in doubt or not delivered" in audit
    (session,) = json.loads(command(pipeline, "sessions", "--json").stdout)
    assert [(t["thing"], t["trouble"]) for t in session["message_troubles"]] == [(thing, trouble)]
    assert f"message {thing} is {trouble}" in command(pipeline, "sessions").stdout
    check = "told_once"
    failed = pipeline.rows("select metadata from check_result where check_name = %s and not passed", check)
    assert any(str(row["metadata"].get(thing, "")).startswith(trouble) for row in failed)
    asset = "session_post" if thing.startswith("session:") else "match_post"
    records = pipeline.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey(asset), check), limit=5
    )
    assert records and "FAILED" in records[0].status.value


def raising(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a bug")


def test_a_result_whose_step_raised_is_asked_for_again_and_told(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(messages, "result_message", raising)
        live_in_a_run(pipeline, evening)
        tick_in_runs(pipeline)
    assert result not in posts(pipeline)
    with pipeline.database.transaction() as conn:
        conn.execute("update due set asked_at = asked_at - interval '1 hour'")
    tick(pipeline)
    assert posts(pipeline)[result] == "sent" and len(pipeline.titles()) == 2  # and the summary
    assert pipeline.stale() == [] and troubles(pipeline) == {}


def test_a_summary_whose_step_raised_is_asked_for_again_and_told(
    pipeline: Pipeline, evening: Evening, summary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, evening)
    with monkeypatch.context() as broken:
        broken.setattr(messages, "session_message", raising)
        tick_in_runs(pipeline)
    assert summary not in posts(pipeline)
    tick(pipeline)  # the pause is not over
    assert summary not in posts(pipeline)
    with pipeline.database.transaction() as conn:
        conn.execute("update due set asked_at = asked_at - interval '1 hour'")
    tick(pipeline)
    assert posts(pipeline)[summary] == "sent"
    tick(pipeline)
    assert len(pipeline.titles()) == 2


def test_what_nobody_could_tell_in_time_is_reported_once(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(messages, "result_message", raising)
        live_in_a_run(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update due set due_until = now() - interval '1 second' where thing = %s", [result])
        conn.execute("delete from due where thing like 'session:%%'")
    monkeypatch.setenv("SLOMIX_PUBLISH_MAX_AGE", "0")  # it ended too long ago to become due again
    tick(pipeline)
    assert result not in posts(pipeline) and pipeline.stale() == []
    visible(pipeline, result, "missed")
    (first,) = pipeline.rows("select missed_at from due")
    tick(pipeline)
    assert pipeline.rows("select missed_at from due") == [first]


class RestartsTheDatabase(Discord):
    """A Discord that takes messages while PostgreSQL drops every connection, as when it restarts."""

    pipeline: Pipeline

    def send(self, message: Message) -> Sent:
        with self.pipeline.database.transaction() as conn:
            conn.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()"""
            )
        return super().send(message)


def test_a_message_sent_while_the_database_restarts_is_known_to_be_sent(pipeline: Pipeline, evening: Evening) -> None:
    restarting = RestartsTheDatabase(pipeline.page.webhook_url)
    restarting.pipeline = pipeline
    channel, pipeline.discord = pipeline.discord, restarting
    live_in_a_run(pipeline, evening)
    pipeline.discord = channel
    tick(pipeline)
    assert set(posts(pipeline).values()) == {"sent"} and len(pipeline.titles()) == 2
    assert troubles(pipeline) == {}


_TELLER = """
import sys
from datetime import timedelta
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.discord.ledger import tell
from slomix_pipeline.rules.things import Thing
from slomix_pipeline.warehouse.database import Database
discord = Discord(sys.argv[2], timeout=60, max_wait=60)
tell(Database(sys.argv[1]), discord, Thing.named(sys.argv[3]), Message("x"), announce=True, max_age=timedelta(hours=6))
"""


def killed_while_telling(pipeline: Pipeline, thing: str) -> None:
    """A process that is killed after its message was taken and before the answer came."""
    pipeline.page.misbehave(Fault.DRIPPING)
    before = len(pipeline.page.messages())
    teller = subprocess.Popen([sys.executable, "-c", _TELLER, pipeline.database.url, pipeline.page.webhook_url, thing])
    try:
        gives_up = time.monotonic() + 60
        while len(pipeline.page.messages()) == before and time.monotonic() < gives_up:
            assert teller.poll() is None
            time.sleep(0.05)
    finally:
        os.kill(teller.pid, signal.SIGKILL)
        teller.wait()
    assert posts(pipeline)[thing] == "claimed"


@pytest.mark.parametrize("kind", ["result", "session"])
def test_what_a_killed_process_claimed_is_in_doubt_for_everybody_to_see_and_to_resolve(
    pipeline: Pipeline, evening: Evening, result: str, summary: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = {"result": result, "session": summary}[kind]
    with monkeypatch.context() as broken:
        broken.setattr(messages, f"{kind}_message", raising)
        live_in_a_run(pipeline, evening)
        killed_while_telling(pipeline, thing)
    for _ in range(4):  # until both are settled and told, and nothing is left to ask for
        with pipeline.database.transaction() as conn:
            conn.execute("update due set asked_at = asked_at - interval '1 hour'")
        tick(pipeline)
    assert posts(pipeline)[thing] == "in_doubt"
    assert len(pipeline.page.messages()) == 2  # the killed one's, and the other of result and summary
    visible(pipeline, thing, "in_doubt")
    there = next(m["id"] for m in pipeline.page.messages() if m["content"] == "x")

    done = command(pipeline, "post", "--told", thing)
    assert done.exit_code == 0, done.output
    assert "can't be corrected" in done.stdout
    assert posts(pipeline)[thing] == "told" and len(pipeline.page.messages()) == 2
    done = command(pipeline, "post", "--told", thing, "--message", there)
    assert done.exit_code == 0, done.output
    assert troubles(pipeline) == {} and posts(pipeline)[thing] == "sent"
    assert next(m for m in pipeline.page.messages() if m["id"] == there)["content"] == ""  # it is corrected now
    again = command(pipeline, "post", "--retry", thing)
    assert again.exit_code == 1 and "nothing to decide" in again.stderr


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


@pytest.mark.parametrize("fault", [Fault.WRONG_TOKEN, Fault.UNKNOWN_WEBHOOK, Fault.WRONG_CHANNEL, Fault.RATE_LIMITED])
def test_what_a_wrong_webhook_refused_is_told_once_the_setting_is_right(
    pipeline: Pipeline, evening: Evening, result: str, fault: Fault
) -> None:
    pipeline.page.misbehave(fault)
    live(pipeline, evening)
    state = "failed" if fault is Fault.RATE_LIMITED else "refused"
    assert posts(pipeline) == {result: state} and troubles(pipeline)[result] == state
    tick(pipeline)
    assert posts(pipeline)[result] == "sent" and len(pipeline.titles()) == 2


def test_content_that_discord_refuses_is_not_sent_again_until_it_is_another(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.page.misbehave(Fault.REFUSED_CONTENT)
    live(pipeline, evening)
    for _ in range(2):
        pipeline.work(round_key(evening.rounds[1]), Wish.LIVE)
    assert posts(pipeline) == {result: "refused"} and pipeline.titles() == []
    with monkeypatch.context() as otherwise:
        otherwise.setattr(messages, "corrected", lambda message, _: Message("in other words"))
        pipeline.work(round_key(evening.rounds[1]), Wish.LIVE)
    assert posts(pipeline) == {result: "sent"}


def test_when_discord_does_not_take_one_message_the_others_wait_and_keep_their_order(
    pipeline: Pipeline, result: str
) -> None:
    evening = play_evening(58, maps=2, ends_at=just_now())
    first, second = (f"result:{round_key(match.r2)}" for match in evening.matches)
    pipeline.page.misbehave(Fault.RATE_LIMITED)
    live(pipeline, evening)
    assert posts(pipeline) == {first: "failed"}
    tick(pipeline)
    told = [m["embeds"][0]["title"].split(" ")[0] for m in pipeline.page.messages()[:2]]
    assert told == [title.split(" ")[0] for title in (map_text(m.map_name) for m in evening.matches)]
    assert posts(pipeline)[second] == "sent"


def test_an_outage_puts_one_message_in_doubt_and_the_others_are_told_behind_it(pipeline: Pipeline) -> None:
    evening = play_evening(58, maps=2, ends_at=just_now())
    first, second = (f"result:{round_key(match.r2)}" for match in evening.matches)
    pipeline.page.go_down()
    live(pipeline, evening)
    for _ in range(2):
        pipeline.work(round_key(evening.rounds[-1]), Wish.LIVE)
    assert posts(pipeline) == {first: "in_doubt"}
    pipeline.page.go_down(False)
    pipeline.work(round_key(evening.rounds[-1]), Wish.LIVE)
    assert posts(pipeline) == {first: "in_doubt", second: "sent"}


def test_a_message_of_a_replaced_webhook_stands_and_says_so(pipeline: Pipeline, evening: Evening, result: str) -> None:
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


def rerun(pipeline: Pipeline, evening: Evening) -> None:
    """``match_post`` alone."""
    perform(match_post, [round_key(evening.rounds[1])], pipeline.tools())


def test_a_message_from_before_the_webhook_was_kept_counts_as_todays(
    pipeline: Pipeline, evening: Evening, result: str
) -> None:
    live(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update post set webhook_id = null")
    rerun(pipeline, evening)
    (row,) = pipeline.rows("select webhook_id from post")
    assert pipeline.discord and row["webhook_id"] == pipeline.discord.webhook_id


def test_what_was_told_is_known_after_a_crash_right_behind_it_and_its_change_is_a_correction(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends_behind_the_post(stage: Stage, keys: Sequence[str], tools: Tools) -> Done:
        if stage is not match_post:
            return perform(stage, keys, tools)
        stage(keys, tools)
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr("slomix_pipeline.assets.common.perform", ends_behind_the_post)
        live_in_a_run(pipeline, evening)
    assert posts(pipeline) == {result: "sent"}
    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = case winner when 'A' then 'B' else 'A' end")
    rerun(pipeline, evening)
    assert len(pipeline.rows("select * from correction where thing = %s", result)) == 1
    assert "instead of" in pipeline.page.messages()[0]["embeds"][0]["description"]


def test_half_a_match_that_became_whole_is_not_missed(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = evening.rounds
    write_round(pipeline.folder, first)
    pipeline.page.misbehave(Fault.RATE_LIMITED)
    pipeline.take_in()
    assert troubles(pipeline) == {f"round1:{round_key(first)}": "failed"}
    write_round(pipeline.folder, second)
    pipeline.take_in()
    assert troubles(pipeline) == {}
    assert {row["kind"] for row in pipeline.rows("select kind from due")} == {"result", "session"}


@pytest.mark.parametrize("made", ["corrected", "session_message"])
def test_a_correction_whose_step_raised_is_made_later(
    pipeline: Pipeline, evening: Evening, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, evening)
    tick(pipeline)
    before = pipeline.titles()
    last = evening.rounds[1]
    with monkeypatch.context() as broken:
        broken.setattr(messages, made, raising)
        fewer = replace(last.stats, players=last.stats.players[:-1])
        pipeline.put(last.stats_name, gamestats.dump(fewer))
        pipeline.list_folder(raise_on_error=False)
        tick_in_runs(pipeline)
    pipeline.run_keys.clear()  # ten minutes later
    tick(pipeline)
    assert pipeline.titles() == before
    assert all(message["edited_timestamp"] for message in pipeline.page.messages())
    pipeline.run_keys.clear()
    assert pipeline.stale() == []


def change_the_winner(pipeline: Pipeline) -> None:
    """As a rule or a decision would: what was told is wrong now."""
    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = case winner when 'A' then 'B' else 'A' end")
        conn.execute("update session set scored_at = now()")


def test_what_turned_wrong_while_no_webhook_was_set_is_reported_and_corrected_once_there_is_one(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, evening)
    tick(pipeline)
    channel, pipeline.discord = pipeline.discord, None
    with monkeypatch.context() as without:
        without.delenv("SLOMIX_DISCORD_WEBHOOK")
        change_the_winner(pipeline)
        rerun(pipeline, evening)
        tick(pipeline)
    with pipeline.database.transaction() as conn:
        conn.execute("update session set scored_at = scored_at - interval '9 hours'")
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


def test_a_long_outage_puts_one_message_in_doubt_and_tells_its_cause_of_the_others(
    pipeline: Pipeline, result: str
) -> None:
    evening = play_evening(58, maps=2, ends_at=just_now())
    first, second = (f"result:{round_key(match.r2)}" for match in evening.matches)
    pipeline.page.go_down()
    live(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update post set claimed_at = claimed_at - interval '3 hours'")
        conn.execute("update due set attempts = 2")
    pipeline.work(round_key(evening.rounds[-1]), Wish.LIVE)
    assert posts(pipeline) == {first: "in_doubt"}
    (row,) = pipeline.rows("select * from message_trouble where thing = %s", second)
    assert row["trouble"] == "waits" and "Discord takes no messages" in row["detail"] and "answered" in row["detail"]


def test_what_stands_is_corrected_once_its_webhook_is_set_again(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, evening)
    channel = pipeline.discord
    another = pipeline.page.webhook_url.replace("/webhooks/", "/webhooks/9")
    pipeline.discord = Discord(another)
    change_the_winner(pipeline)
    rerun(pipeline, evening)
    assert troubles(pipeline) == {result: "stands"}
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", another)
    rework.take_up_again(pipeline.database, load_settings())
    assert troubles(pipeline) == {result: "stands"}
    pipeline.discord = channel
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)
    rework.take_up_again(pipeline.database, load_settings())
    assert troubles(pipeline) == {result: "uncorrected"} and pipeline.stale()
    rerun(pipeline, evening)
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


def test_a_run_does_not_wait_for_ever_for_another_that_tells(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slomix_pipeline.stages.telling.PATIENCE", 0.05)
    with pipeline.database.hold(f"telling {SERVER}"):
        live(pipeline, evening)
    assert posts(pipeline) == {} and pipeline.rows("select from due where thing = %s", result)
    tick(pipeline)
    assert posts(pipeline)[result] == "sent"


def test_rounds_are_redone_though_reporting_fails_and_no_alarm_is_lost(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(messages, "result_message", raising)
        live_in_a_run(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute(
            "insert into post (thing, kind, partition_key, state) values (%s, 'round1', %s, 'claimed')",
            ["round1:main:gone", "main:gone"],
        )
    with monkeypatch.context() as broken:
        broken.setattr(rework, "report_alarm", raising)
        tick(pipeline)
    assert posts(pipeline) | {result: "sent", "round1:main:gone": "in_doubt"} == posts(pipeline)
    query = "select from check_result where partition_key = 'main:gone' and not passed"
    assert not pipeline.rows(query)
    tick(pipeline)
    assert pipeline.rows(query)


def test_what_was_told_of_an_older_report_is_asked_for_again(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that is made anew while its message is on the way is not the one that was told."""

    def made_anew(*arguments: Any) -> Message:
        with pipeline.database.transaction() as conn:
            conn.execute("update session_report set fingerprint = 'newer'")
        return original(*arguments)

    live(pipeline, evening)
    original = messages.session_message
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(messages, "session_message", made_anew)
        tick(pipeline)
    assert pipeline.rows("select from session_report where told_fingerprint is distinct from fingerprint")
