"""A message that was due is told or reported: whatever raises, dies, restarts, or is set wrong on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import dagster as dg
import pytest

from slomix_pipeline.discord import messages, session_messages
from slomix_pipeline.discord.client import Discord, Sent
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.discord.patience import Patience
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.discord.wording import map_text
from slomix_pipeline.formats import gamestats
from slomix_pipeline.sensors import outbox
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.stages.common import Done, Stage, Tools, Wish, perform
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline_tests.discord.telling_steps import (
    command,
    deliver,
    live,
    live_in_a_run,
    posts,
    raising,
    rerun,
    tick,
    tick_in_runs,
    troubles,
)
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key

pytestmark = pytest.mark.usefixtures("at_once")


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
        broken.setattr(session_messages, "session_message", raising)
        tick_in_runs(pipeline)
        deliver(pipeline)
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
        broken.setattr(
            *{"result": (messages, "result_message"), "session": (session_messages, "session_message")}[kind], raising
        )
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
        otherwise.setattr(messages, "result_message", lambda *_: Message("in other words"))
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


def test_what_was_told_is_known_after_a_crash_right_behind_it_and_its_change_is_a_correction(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.facts_hold = False

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


@pytest.mark.parametrize(("where", "made"), [(messages, "result_message"), (session_messages, "session_message")])
def test_a_correction_whose_step_raised_is_made_later(
    pipeline: Pipeline, evening: Evening, where: ModuleType, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(pipeline, evening)
    tick(pipeline)
    before = pipeline.titles()
    last = evening.rounds[1]
    with monkeypatch.context() as broken:
        broken.setattr(where, made, raising)
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


def test_a_run_does_not_wait_for_ever_for_another_that_tells(
    pipeline: Pipeline, evening: Evening, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slomix_pipeline_tests.pipeline_fixtures.Tools", partial(Tools, patience=Patience(0.05)))
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
        broken.setattr(outbox, "report_alarm", raising)
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
            conn.execute("update session_report set fingerprint = fingerprint || ' and newer'")
        return original(*arguments)

    live(pipeline, evening)
    original = session_messages.session_message
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(session_messages, "session_message", made_anew)
        tick(pipeline)
    assert pipeline.rows("select from session_report where told_fingerprint is distinct from fingerprint")
