"""What the admin channel is told: one message per cause, edited as it changes, and at the end that it is over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord.alarm_messages import alarm_message, over_message
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import violations
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.rules.alarms import TELL_EVERY, AlarmCause, Episode, Symptom
from slomix_pipeline.sensors import alarms as sensor
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.alarms import tell_alarms
from slomix_pipeline_tests.building import EVENING
from slomix_pipeline_tests.discord.telling_steps import command, live, posts
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

# --- the words ---


@given(
    st.sampled_from(AlarmCause),
    st.lists(
        st.builds(Symptom, st.just(AlarmCause.MESSAGES), st.text(), st.text(), st.just(EVENING), st.integers(1)),
        min_size=1,
    ),
)
def test_any_alarm_fits_and_pings_nobody(cause: AlarmCause, symptoms: list[Symptom]) -> None:
    episode = Episode(1, cause, EVENING, EVENING, EVENING, "said")
    assert violations(alarm_message(episode, symptoms)) == violations(over_message(episode)) == []


def test_what_is_too_much_for_a_message_is_counted() -> None:
    wide = Symptom(AlarmCause.MESSAGES, "\U0001f600\u0301" * 500, "**\u0301" * 500, EVENING)
    text = alarm_message(Episode(1, AlarmCause.MESSAGES, EVENING, None, None, None), [wide] * 40).embeds[0].description
    assert (
        f"… and {40 - text.count('<t:')} more" in text
        and violations(alarm_message(Episode(1, AlarmCause.MESSAGES, EVENING, None, None, None), [wide] * 40)) == []
    )


@pytest.mark.parametrize("cause", AlarmCause)
def test_a_command_to_copy_leads_its_line(cause: AlarmCause) -> None:
    symptom = Symptom(cause, "2031-05-06-200000-supply-round-1.txt", "why", EVENING)
    text = alarm_message(Episode(1, cause, EVENING, None, None, None), [symptom]).embeds[0].description
    name, told, *advice = text.splitlines()
    assert name.startswith("**2031") and told == f"<t:{int(EVENING.timestamp())}:f> · why"
    assert all("`" not in line.removeprefix("-# `").partition("`")[2] for line in advice)
    assert all(line.startswith("-# `") for line in advice if "`" in line)


def test_names_of_files_are_text() -> None:
    hostile = Symptom(AlarmCause.QUARANTINED, "[x](http://y) @everyone", "**b** <@1>", EVENING)
    text = alarm_message(Episode(1, hostile.cause, EVENING, None, None, None), [hostile]).embeds[0].description
    assert "\\[x\\]\\(http\\:" in text and "\\@everyone" in text and "\\<\\@1\\>" in text


# --- the channel ---


@pytest.fixture
def admin(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The admin channel, on a page of its own."""
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)
    with served_page(tmp_path / "admin") as page:
        pipeline.admin = Discord(page.webhook_url)
        yield page


def look(pipeline: Pipeline, later: timedelta = timedelta(minutes=2), **more: Any) -> dict[str, str]:
    """One look at what is wrong, some time from now."""
    return tell_alarms(pipeline.tools(), datetime.now(UTC) + later, **more)


def embeds(page: StandIn) -> list[dict[str, Any]]:
    return [message["embeds"][0] for message in page.messages()]


def spoil(pipeline: Pipeline, name: str) -> None:
    """A file comes that can't be read."""
    (pipeline.folder / "gamestats" / name).write_bytes(b"no stats\\file\n")
    pipeline.take_in()


def stamped(minutes: int) -> str:
    return f"{datetime.now(UTC) - timedelta(minutes=minutes):%Y-%m-%d-%H%M%S}-supply-round-1.txt"


def test_as_long_as_nothing_is_wrong_nothing_is_said(pipeline: Pipeline, admin: StandIn) -> None:
    write_evening(pipeline.folder, play_evening(61, maps=1, ends_at=just_now()))
    pipeline.take_in_all()
    with pipeline.database.transaction() as conn:  # an honest evening has checks that warn
        conn.execute("update check_result set passed = true")
    assert look(pipeline) == {}
    assert admin.messages() == [] and pipeline.rows("select from alarm") == []


def test_files_that_can_not_be_read_are_one_message_until_none_is_left(pipeline: Pipeline, admin: StandIn) -> None:
    first, second = stamped(30), stamped(20)
    spoil(pipeline, first)
    assert look(pipeline, timedelta(0)) == {}  # it may mend itself
    assert look(pipeline)["alarm:quarantined-1"] == "sent"
    (message,) = [m for m in embeds(admin) if "read" in m["title"]]
    assert message["title"] == "1 file can't be read" and first in message["description"].replace("\\", "")
    spoil(pipeline, second)
    assert "alarm:quarantined-1" not in look(pipeline)  # said just now
    look(pipeline, timedelta(minutes=2) + TELL_EVERY)
    assert [m["title"] for m in embeds(admin)].count("2 files can't be read") == 1
    with pipeline.database.transaction() as conn:
        conn.execute("delete from file where status = 'quarantined'")
    look(pipeline, timedelta(minutes=9))
    (over,) = [m for m in embeds(admin) if m["title"] == "Resolved" and "read" in m["description"]]
    assert "It was: 2 files can't be read." in over["description"]
    assert not any("can't be read" in m["title"] for m in embeds(admin))


def test_what_an_import_brought_is_no_alarm(pipeline: Pipeline, admin: StandIn, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / stamped(30)).write_bytes(b"no stats\\file\n")
    pipeline.import_(tmp_path / "archive")
    assert "alarm:quarantined-1" not in look(pipeline)


def test_what_comes_back_soon_goes_on_in_the_same_message(pipeline: Pipeline, admin: StandIn) -> None:
    symptom = Symptom(AlarmCause.FAILED_RUNS, "ingest_rounds main:x", "run 1", datetime.now(UTC))
    assert look(pipeline, failed_runs=[symptom]) == {"alarm:failed_runs-1": "sent"}
    assert look(pipeline, timedelta(minutes=3)) == {}  # who did not ask Dagster knows nothing of runs
    assert look(pipeline, timedelta(minutes=4), failed_runs=[]) == {"alarm:failed_runs-1": "edited"}
    assert [m["title"] for m in embeds(admin)] == ["Resolved"]
    assert look(pipeline, timedelta(minutes=5), failed_runs=[symptom]) == {"alarm:failed_runs-1": "edited"}
    assert [m["title"] for m in embeds(admin)] == ["1 run failed"]
    assert look(pipeline, timedelta(minutes=6), failed_runs=[]) == {"alarm:failed_runs-1": "edited"}
    assert look(pipeline, timedelta(hours=3), failed_runs=[symptom]) == {"alarm:failed_runs-2": "sent"}


def test_a_webhook_that_is_gone_and_messages_in_doubt_are_told_apart(
    pipeline: Pipeline, admin: StandIn, evening: Evening, result: str
) -> None:
    pipeline.page.replace_webhook()
    live(pipeline, evening)
    assert posts(pipeline)[result] == "refused"
    look(pipeline)
    (message,) = [m for m in embeds(admin) if "refused by its webhook" in m["title"]]
    assert "deleted or is wrong" in message["description"].replace("\\", "")
    assert not any("to look at" in m["title"] for m in embeds(admin))
    with pipeline.database.transaction() as conn:
        conn.execute("update post set state = 'in_doubt', error = 'nobody knows' where kind <> 'alarm'")
    look(pipeline, timedelta(minutes=6))
    (message,) = [m for m in embeds(admin) if m["title"] == "1 message to look at"]
    assert result in message["description"].replace("\\", "")


def test_a_session_of_which_nobody_was_told_a_word_is_told_here(
    pipeline: Pipeline, admin: StandIn, evening: Evening
) -> None:
    pipeline.discord = None
    live(pipeline, evening)
    later = pipeline.settings.session_over_after + timedelta(minutes=20)
    look(pipeline, timedelta(minutes=5))
    assert not any("without a word" in m["title"] for m in embeds(admin))
    look(pipeline, later)
    (message,) = [m for m in embeds(admin) if "without a word" in m["title"]]
    assert "1 matches, 1 of them with a result" in message["description"]


def test_checks_are_told_by_severity_and_grouped(pipeline: Pipeline, admin: StandIn, evening: Evening) -> None:
    live(pipeline, evening)
    with pipeline.database.transaction() as conn:
        conn.execute("update check_result set passed = check_name <> 'pairing', severity = 'ERROR'")
    look(pipeline)
    (message,) = embeds(admin)
    assert message["title"] == "2 checks failed" and "**pairing** (2)" in message["description"]


def test_an_alarm_that_discord_did_not_take_is_told_later_and_one_in_doubt_by_a_person(
    pipeline: Pipeline, admin: StandIn
) -> None:
    symptom = Symptom(AlarmCause.FAILED_RUNS, "ingest_rounds", "run 1", datetime.now(UTC))
    admin.misbehave(Fault.REFUSED_CONTENT)
    assert look(pipeline, failed_runs=[symptom]) == {"alarm:failed_runs-1": "refused"}
    assert admin.messages() == []
    again = Symptom(AlarmCause.FAILED_RUNS, "ingest_rounds", "run 2", datetime.now(UTC))
    assert look(pipeline, failed_runs=[again]) == {"alarm:failed_runs-1": "sent"}
    assert len(admin.messages()) == 1
    assert pipeline.stale() == []  # no round is run for it
    done = command(pipeline, "post", "--retry", "alarm:failed_runs-1")
    assert done.exit_code == 1 and "no webhook is set for it" in done.stderr


def test_what_another_webhook_was_told_goes_on_in_a_message_of_the_new_one(
    pipeline: Pipeline, admin: StandIn, tmp_path: Path
) -> None:
    symptom = Symptom(AlarmCause.FAILED_RUNS, "ingest_rounds", "run 1", datetime.now(UTC))
    look(pipeline, failed_runs=[symptom])
    with served_page(tmp_path / "another") as page:
        page.replace_webhook()
        pipeline.admin = Discord(page.webhook_url)
        again = [symptom, Symptom(AlarmCause.FAILED_RUNS, "ingest_rounds", "run 2", datetime.now(UTC))]
        assert look(pipeline, timedelta(minutes=5), failed_runs=again) == {"alarm:failed_runs-1": "stands"}
        assert look(pipeline, timedelta(minutes=6), failed_runs=again) == {"alarm:failed_runs-2": "sent"}
        assert look(pipeline, timedelta(minutes=7), failed_runs=again) == {}
        assert [m["title"] for m in embeds(page)] == ["2 runs failed"]


def test_an_alarm_in_doubt_is_sent_again_when_a_person_says_that_it_is_not_there(
    pipeline: Pipeline, admin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(pipeline, stamped(30))
    with pipeline.database.transaction() as conn:
        conn.execute("update check_result set passed = true")
        conn.execute("update file set finished_at = finished_at - interval '1 hour'")
    admin.misbehave(Fault.FAILING)
    assert look(pipeline) == {"alarm:quarantined-1": "in_doubt"}
    assert look(pipeline, TELL_EVERY) == {"alarm:quarantined-1": "in_doubt"}
    assert admin.messages() == []  # never twice
    monkeypatch.setenv("SLOMIX_DISCORD_ADMIN_WEBHOOK", admin.webhook_url)
    done = command(pipeline, "post", "--retry", "alarm:quarantined-1")
    assert done.exit_code == 0 and "alarm:quarantined-1 is sent" in done.stdout, done.stderr
    assert len(admin.messages()) == 1 and pipeline.stale() == []


def test_runs_that_failed_are_found_until_another_one_made_them_good(
    pipeline: Pipeline, admin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dg.op
    def failing() -> None:
        if wrong:
            raise RuntimeError("a bug")

    @dg.job
    def work() -> None:
        failing()

    tags = {"dagster/partition": "main:x"}
    wrong = True
    assert not work.execute_in_process(instance=pipeline.instance, tags=tags, raise_on_error=False).success
    (symptom,) = sensor.failed_runs(pipeline.instance, datetime.now(UTC))
    assert symptom.subject == "work main:x"
    wrong = False
    assert work.execute_in_process(instance=pipeline.instance, tags={"dagster/partition": "main:y"}).success
    assert len(list(sensor.failed_runs(pipeline.instance, datetime.now(UTC)))) == 1
    assert work.execute_in_process(instance=pipeline.instance, tags=tags).success
    assert list(sensor.failed_runs(pipeline.instance, datetime.now(UTC))) == []


def test_the_sensor_rests_without_an_admin_channel_and_tells_with_one(
    pipeline: Pipeline, admin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tick() -> dg.SkipReason:
        resources = {"settings": pipeline.settings, "database": pipeline.database}
        told = sensor.alarms_sensor(dg.build_sensor_context(instance=pipeline.instance, resources=resources))
        assert isinstance(told, dg.SkipReason)
        return told

    assert "SLOMIX_DISCORD_ADMIN_WEBHOOK is not set" in str(tick().skip_message)
    monkeypatch.setenv("SLOMIX_DISCORD_ADMIN_WEBHOOK", admin.webhook_url)
    assert "nothing new is wrong" in str(tick().skip_message)
    assert admin.messages() == []
