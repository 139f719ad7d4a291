"""What was asked for is said once: it stays so in all its messages, is told in the order of asking, and is taken back
from who wishes to be unnamed."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import Embed, Message, block
from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.discord.wording import player_text
from slomix_pipeline.rules.asked import Asking, BoardAsked, MapAsked, PlayerAsked, RecordsAsked
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.sensors import outbox
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages import asked_posts as stage
from slomix_pipeline.stages.asked_content import NothingToTell
from slomix_pipeline_tests.discord.telling_steps import deliver, posts, troubles
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

KEY, THING = "records-x", "asked:records-x"
Says = Callable[..., None]


@pytest.fixture
def played(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """An evening of two maps, of which nobody was told."""
    monkeypatch.setenv("SLOMIX_DISCORD_WEBHOOK", pipeline.page.webhook_url)
    write_evening(tmp_path / "archive", play_evening(57, maps=["supply", "te_escape2"]))
    pipeline.import_(tmp_path / "archive")
    return pipeline


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Iterator[Says]:
    """Makes whatever is asked for say so many lines with a text in each: twenty fill a message. Without a text there is
    nothing to say."""

    def say(text: str | None, lines: int = 30) -> None:
        def message(*_: Any) -> Message:
            if text is None:
                raise NothingToTell("he wished to be unnamed")
            fields = block("Lines", [f"{n:03} **{text}** {'x' * 280}" for n in range(lines)])
            return Message(embeds=(Embed("Long", fields=fields),))

        monkeypatch.setattr(stage, "message_of", message)

    say("first")
    yield say


def tell(pipeline: Pipeline, *askings: Asking) -> dict[str, str]:
    own = askings or (Asking(KEY, RecordsAsked()),)
    stage.ask(pipeline.tools(), own)
    told = stage.tell_asked([asking.key for asking in own], pipeline.tools())
    return {key: one.outcome.value for key, one in told.items()}


def shown(pipeline: Pipeline) -> list[str]:
    """Everything that each message shows."""
    found = []
    for message in pipeline.page.messages():
        (embed,) = message["embeds"]
        found.append("\n".join([embed.get("description", ""), *(own["value"] for own in embed.get("fields", ()))]))
    return found


def a_player(pipeline: Pipeline) -> tuple[str, str]:
    """The GUID of somebody whose name has a space, and the name as messages have it."""
    (row, *_) = pipeline.rows("select guid, name from player_name where name like '%% %%' order by guid")
    return row["guid"], player_text(row["name"])


def hide(pipeline: Pipeline, guid: str, **settings: str) -> str:
    done = pipeline.slomix("identity", "hide", guid, "--why", "his wish", **settings)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def later(pipeline: Pipeline) -> None:
    """The outbox's next tick, when all that waits was left alone for long enough."""
    with pipeline.database.transaction() as conn:
        conn.execute("update due set noted_at = noted_at - interval '1 hour', asked_at = asked_at - interval '1 hour'")
        conn.execute("update post set claimed_at = claimed_at - interval '1 minute'")
    deliver(pipeline)


# --- once ---


@pytest.mark.parametrize("by_then", ["second", None])
def test_a_further_message_that_waits_says_what_it_would_have_and_the_first_stays(
    played: Pipeline, says: Says, by_then: str | None
) -> None:
    played.page.misbehave(None, Fault.RATE_LIMITED)
    assert tell(played) == {KEY: "sent"} and posts(played)[f"{THING}#2"] == "failed"
    says(by_then, lines=90)
    later(played)
    assert posts(played) == {THING: "sent", f"{THING}#2": "sent"} and troubles(played) == {}
    first, second = shown(played)
    assert "000 **first**" in first and "029 **first**" in second
    assert not any(message["edited_timestamp"] for message in played.page.messages())
    assert tell(played) == {KEY: "unchanged"} and len(shown(played)) == 2


def test_the_further_messages_of_one_that_somebody_saw_are_told(played: Pipeline, says: Says) -> None:
    played.page.misbehave(Fault.LOST_ANSWER)
    assert tell(played) == {KEY: "in_doubt"} and len(shown(played)) == 1
    with played.database.transaction() as conn:
        conn.execute("update due set due_until = now() - interval '1 minute'")
    says("second")
    assert played.slomix("post", "--told", THING).exit_code == 0
    assert posts(played) == {THING: "told", f"{THING}#2": "sent"} and troubles(played) == {}
    assert "029 **first**" in shown(played)[1]


def test_what_is_not_there_is_said_as_things_stand_when_it_is(played: Pipeline, says: Says) -> None:
    played.page.misbehave(Fault.RATE_LIMITED)
    assert tell(played) == {KEY: "failed"}
    says("second", lines=3)
    later(played)
    assert ["000 **second**" in text for text in shown(played)] == [True]
    assert played.rows("select from due where part > 1 and due_until > now()") == []


def test_what_discord_refused_to_show_is_not_sent_again_by_itself(played: Pipeline, says: Says) -> None:
    played.page.misbehave(Fault.REFUSED_CONTENT)
    assert tell(played) == {KEY: "refused"}
    says("second", lines=3)
    assert tell(played) == {KEY: "refused"} and shown(played) == []
    assert played.slomix("post", "--retry", THING).exit_code == 0
    assert "second" in shown(played)[0]


# --- in order ---


def test_what_waits_is_delivered_in_the_order_in_which_it_was_asked_for(played: Pipeline) -> None:
    askings = [
        Asking("z", MapAsked("te_escape2")),
        Asking("a", RecordsAsked()),
        Asking("m", BoardAsked(BoardName.KILLS)),
        Asking("b", MapAsked("supply")),
    ]
    stage.ask(played.tools(), askings[:3])
    stage.ask(played.tools(), askings[3:])
    played.page.misbehave(Fault.RATE_LIMITED)
    later(played)
    assert posts(played) == {"asked:z": "failed"}  # the others wait behind it
    later(played)
    titles = [title.replace("\\", "") for title in played.titles()]
    assert titles == ["te_escape2", "Records", "Kills", "supply"]


# --- trouble ---


def test_what_is_in_doubt_or_missed_is_said_once_in_the_log_and_fails_no_check(
    played: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    askings = [Asking("gone", RecordsAsked()), Asking("late", RecordsAsked())]
    stage.ask(played.tools(), askings)
    with played.database.transaction() as conn:
        conn.execute("update due set due_until = now() - interval '1 minute' where partition_key = 'late'")
        conn.execute(
            "insert into post (thing, kind, partition_key, state) values ('asked:gone', 'asked', 'gone', 'claimed')"
        )
    before = played.rows("select * from check_result")
    context = dg.build_sensor_context(instance=played.instance)
    context.log.addHandler(caplog.handler)
    for _ in range(2):
        outbox.raise_alarms(context, played.database)
    assert troubles(played) == {"asked:gone": "in_doubt", "asked:late": "missed"}
    assert played.rows("select from post where unreported") == []
    assert played.rows("select from due where missed_at is not null and partition_key = 'late'") != []
    assert played.rows("select * from check_result") == before
    said = [record.getMessage() for record in caplog.records if "message asked:" in record.getMessage()]
    assert [text.partition(" is ")[0].rpartition(" ")[2] for text in said] == ["asked:gone", "asked:late"]


@pytest.mark.parametrize(
    ("fault", "exit_code", "said"),
    [
        (Fault.RATE_LIMITED, 0, f"{THING} waits, because "),
        (Fault.LOST_ANSWER, 1, f"{THING} was not sent: in_doubt"),
        (Fault.REFUSED_CONTENT, 1, f"{THING} was not sent: refused"),
    ],
)
def test_sending_it_again_says_whether_it_is_delivered_later(
    played: Pipeline, says: Says, fault: Fault, exit_code: int, said: str
) -> None:
    played.page.misbehave(Fault.LOST_ANSWER)
    tell(played)
    played.page.misbehave(fault)
    done = played.slomix("post", "--retry", THING)
    assert done.exit_code == exit_code
    assert said in done.stdout + " ".join(done.stderr.split())
    assert ("it is delivered later" in done.stdout) is (exit_code == 0)


# --- taken back ---


def test_who_wishes_to_be_unnamed_is_taken_out_of_what_was_posted_for_good(played: Pipeline, says: Says) -> None:
    guid, name = a_player(played)
    career = Asking("player-x", PlayerAsked(guid))
    says(name, lines=50)
    assert tell(played, Asking("board-x", RecordsAsked())) == {"board-x": "sent"}
    says(f"nobody{name}nobody", lines=3)  # another name
    assert tell(played, Asking("other-x", RecordsAsked())) == {"other-x": "sent"}
    says(guid, lines=3)
    assert tell(played, career) == {"player-x": "sent"}
    before = shown(played)
    assert len(before) == 5
    assert "Not taken back" not in hide(played, guid)
    first, second, third, other, own = shown(played)
    assert "Taken back: " in first and "Taken back: " in own
    assert "Nothing more" in second and "Nothing more" in third and other == before[3]
    assert not any(text in str(shown(played)[:3] + [own]) for text in (guid, name))
    assert troubles(played) == {}
    (decision,) = played.rows("select id from identity_decision")
    assert played.slomix("identity", "revoke", str(decision["id"]), "--why", "he asked").exit_code == 0
    assert tell(played, career) == {"player-x": "unchanged"}
    assert shown(played) == [first, second, third, other, own]


def test_what_can_not_be_edited_is_listed_and_its_further_messages_are_taken_back_all_the_same(
    played: Pipeline, says: Says, tmp_path: Path
) -> None:
    guid, name = a_player(played)
    says(name)
    played.page.misbehave(Fault.LOST_ANSWER)
    tell(played, Asking("seen-x", RecordsAsked()))
    assert played.slomix("post", "--told", "asked:seen-x").exit_code == 0
    played.page.misbehave(Fault.LOST_ANSWER)
    tell(played, Asking("doubt-x", RecordsAsked()))
    with served_page(tmp_path / "other") as other:
        own, played.discord = played.discord, Discord(other.webhook_url)
        tell(played, Asking("elsewhere-x", RecordsAsked()))
        played.discord = own
    listed = [line.split()[5] for line in hide(played, guid).splitlines() if line.startswith("Not taken back")]
    assert sorted(listed) == ["asked:doubt-x", "asked:elsewhere-x", "asked:elsewhere-x#2", "asked:seen-x"]
    first, second, doubt = shown(played)
    assert name in first and "Nothing more" in second and name in doubt
    message_id = played.page.messages()[2]["id"]
    assert played.slomix("post", "--told", "asked:doubt-x", "--message", message_id).exit_code == 0
    assert "Taken back: " in shown(played)[2] and len(shown(played)) == 3


def test_what_discord_takes_no_edit_of_just_now_is_listed_and_taken_back_later(played: Pipeline, says: Says) -> None:
    guid, name = a_player(played)
    says(name)
    tell(played)
    played.page.go_down()
    assert f"Not taken back so far: {THING} (uncorrected" in hide(played, guid)
    played.page.go_down(False)
    assert name in shown(played)[0]
    later(played)
    assert "Taken back: " in shown(played)[0] and "Nothing more" in shown(played)[1]
    assert troubles(played) == {}


@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED, Fault.REFUSED_CONTENT])
def test_what_waits_to_be_told_is_not_taken_back_but_told_without_him(
    played: Pipeline, says: Says, fault: Fault
) -> None:
    guid, name = a_player(played)
    says(name)
    played.page.misbehave(fault)
    tell(played)
    assert "Not taken back" not in hide(played, guid)
    assert played.rows("select from asked_post where said is not null") == []
    says("somebody else", lines=3)
    later(played)
    assert ["somebody else" in text for text in shown(played)] == [True]


def test_who_turns_out_to_be_somebody_hidden_is_taken_out_too(played: Pipeline, says: Says, tmp_path: Path) -> None:
    other = play_evening(91, maps=["supply"], ends_at=datetime(2025, 5, 5, 22, tzinfo=UTC))
    write_evening(tmp_path / "other", other)
    played.import_(tmp_path / "other")
    rows = played.rows("select guid, array_agg(distinct left(round_key, 9)) as years from round_player group by guid")
    of_one_year = {row["years"][0]: row["guid"] for row in rows if len(row["years"]) == 1}
    before, guid = of_one_year.pop("main:2025"), of_one_year.popitem()[1]
    says(before, lines=3)
    tell(played)
    hide(played, guid)
    assert before in shown(played)[0]
    done = played.slomix("identity", "merge", before, guid, "--why", "he said so")
    assert done.exit_code == 0, done.stderr
    assert "Taken back: " in shown(played)[0]
