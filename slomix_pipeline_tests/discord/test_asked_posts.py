"""What people ask to be posted: what the terminal shows, once, whatever happens on the way."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.rules.asked import (
    Asked,
    Asking,
    BoardAsked,
    CompareAsked,
    DigestAsked,
    MapAsked,
    OnThisDayAsked,
    PlayerAsked,
    RecordsAsked,
)
from slomix_pipeline.rules.boards import BoardName
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages import asked_pictures
from slomix_pipeline.stages import asked_posts as stage
from slomix_pipeline.stages.asked_content import message_of
from slomix_pipeline.warehouse import asked_posts
from slomix_pipeline_tests.discord.telling_steps import posts, troubles
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

KILLS = Asking("board-x", BoardAsked(BoardName.KILLS, min_rounds=1))


@pytest.fixture
def evening(pipeline: Pipeline, tmp_path: Path) -> Evening:
    """Some evening of long ago, of which nobody was told."""
    played = play_evening(57, maps=["supply", "te_escape2"])
    write_evening(tmp_path / "archive", played)
    pipeline.import_(tmp_path / "archive")
    return played


def text_of(message: dict[str, Any]) -> str:
    (embed,) = message["embeds"]
    fields = [f"{field['name']}\n{field['value']}" for field in embed.get("fields", [])]
    return "\n".join([embed["title"], embed["description"], *fields]).replace("\\", "").replace("\u00a0", " ")


def due_things(pipeline: Pipeline) -> list[str]:
    return [row["thing"] for row in pipeline.rows("select thing from undelivered")]


def tell(pipeline: Pipeline, *askings: Asking) -> dict[str, str]:
    """Asks for it, if nobody did, and tells what waits."""
    stage.ask(pipeline.tools(), askings)
    told = stage.tell_asked([asking.key for asking in askings], pipeline.tools())
    return {key: own.outcome.value for key, own in told.items()}


# --- commands ---


def test_the_picture_of_a_map_follows_its_message_and_goes_when_that_is_taken_back(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    write_evening(tmp_path / "archive", play_evening(57, maps=["supply"] * 5))
    pipeline.import_(tmp_path / "archive")
    asking = Asking("map-x", MapAsked("supply"))
    assert tell(pipeline, asking) == {"map-x": "sent"}
    (message,) = pipeline.page.messages()
    (picture,) = message["attachments"]
    assert message["embeds"][0]["image"]["url"].endswith("map.png")
    assert picture["description"] in text_of(message)  # the map in one sentence
    assert tell(pipeline, asking) == {"map-x": "unchanged"}
    assert pipeline.page.messages() == [message]
    with pipeline.database.transaction() as conn:
        assert stage.take_back(pipeline.tools(), conn, ["supply"]) == ["map-x"]
    assert tell(pipeline, asking) == {"map-x": "edited"}
    (message,) = pipeline.page.messages()
    assert message["attachments"] == [] and "Taken back" in message["embeds"][0]["description"]


def test_a_picture_that_can_not_be_drawn_leaves_the_text(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> None:
        raise ValueError("no font")

    monkeypatch.setattr(asked_pictures, "drawn", broken)
    write_evening(tmp_path / "archive", play_evening(57, maps=["supply"] * 5))
    pipeline.import_(tmp_path / "archive")
    assert tell(pipeline, Asking("map-x", MapAsked("supply"))) == {"map-x": "sent"}
    assert pipeline.titles() == ["supply"] and troubles(pipeline) == {}


def test_every_command_posts_what_the_terminal_shows_once(pipeline: Pipeline, evening: Evening) -> None:
    one, other = sorted(evening.rounds[0].players)[:2]
    names = [clean_name(evening.rounds[0].players[guid].name) for guid in (one, other)]
    seen: set[str] = set()
    for arguments, title, shown in (
        (("board", "kills", "--min-rounds", "1"), "Kills", [clean_name(player.name) for player in every(evening)]),
        (("player", one), names[0], ["damage per minute", "K/D"]),
        (("compare", one, other), f"{names[0]} and {names[1]}", ["Together: ", "damage per minute"]),
        (("records", "--map", "suppl"), "Records · supply", ["killing spree"]),
        (("map", "supply"), "supply", ["Won by who attacked first: ", "attacks completed", "killing spree"]),
    ):
        printed, posted = pipeline.slomix(*arguments), pipeline.slomix("post", *arguments)
        assert (printed.exit_code, posted.exit_code) == (0, 0), posted.stderr
        (thing,) = posts(pipeline).keys() - seen
        seen.add(thing)
        assert posted.stdout == f"{thing} is posted.\n"
        message = pipeline.page.messages()[-1]
        assert text_of(message).partition("\n")[0] == title
        for text in shown:
            assert text in printed.stdout and text in text_of(message), (text, arguments)
        assert "-# As of <t:" in text_of(message)
    assert len(pipeline.page.messages()) == len(seen) == 5


def every(evening: Evening) -> Iterator[Any]:
    yield from {guid: player for own in evening.rounds for guid, player in own.players.items()}.values()


@pytest.mark.parametrize(
    "arguments",
    [
        ("player", "nobody-of-that-name"),
        ("compare", "nobody-of-that-name", "x"),
        ("map", "p"),
        ("board", "kills", "--map", "nowhere"),
        ("records", "--map", "p"),
    ],
)
def test_a_name_that_is_not_one_is_explained_as_in_the_terminal_and_nothing_is_posted(
    pipeline: Pipeline, evening: Evening, arguments: tuple[str, ...]
) -> None:
    printed, posted = pipeline.slomix(*arguments), pipeline.slomix("post", *arguments)
    assert (printed.exit_code, posted.exit_code) == (2, 2)
    assert posted.stderr == printed.stderr != ""
    assert pipeline.page.messages() == pipeline.rows("select from asked_post") == []


def test_a_command_says_what_it_waits_for_and_it_is_delivered_later_once(pipeline: Pipeline, evening: Evening) -> None:
    pipeline.page.misbehave(Fault.RATE_LIMITED)
    posted = pipeline.slomix("post", "map", "supply")
    assert posted.exit_code == 0
    (thing,) = due_things(pipeline)
    assert posted.stdout.startswith(f"{thing} waits, because ") and "is delivered later" in posted.stdout
    assert troubles(pipeline) == {thing: "failed"} and pipeline.stale() == []
    assert f"message {thing} is failed" in pipeline.slomix("sessions").stdout
    key = thing.partition(":")[2]
    for outcome in ("sent", "unchanged"):
        assert stage.tell_asked([key], pipeline.tools())[key].outcome == outcome
    assert len(pipeline.page.messages()) == 1 and due_things(pipeline) == []


def test_a_post_that_may_be_there_is_not_sent_again_by_itself(pipeline: Pipeline, evening: Evening) -> None:
    pipeline.page.misbehave(Fault.LOST_ANSWER)
    posted = pipeline.slomix("post", "records")
    (thing,) = posts(pipeline)
    assert posted.exit_code == 1 and f"{thing} may be there or not" in posted.stderr
    assert stage.tell_asked([thing.partition(":")[2]], pipeline.tools()).popitem()[1].outcome == "in_doubt"
    assert len(pipeline.page.messages()) == 1
    assert pipeline.slomix("post", "--told", thing).exit_code == 0
    assert troubles(pipeline) == {}


def test_what_a_person_sends_again_says_how_things_stand_then(pipeline: Pipeline, evening: Evening) -> None:
    pipeline.page.misbehave(Fault.WRONG_TOKEN)
    assert tell(pipeline, KILLS) == {KILLS.key: "refused"}
    done = pipeline.slomix("post", "--retry", "asked:board-x")
    assert (done.exit_code, done.stdout) == (0, "asked:board-x is sent.\n")
    assert pipeline.titles() == ["Kills"]


def test_options_about_a_message_go_without_a_command(pipeline: Pipeline) -> None:
    assert pipeline.slomix("post").exit_code == 2
    assert "go without a command" in pipeline.slomix("post", "--retry", "x", "records").stderr


# --- telling ---


def test_every_kind_is_kept_as_it_was_asked_for(pipeline: Pipeline) -> None:
    now = datetime.now(UTC)
    kinds: list[Asked] = [
        BoardAsked(BoardName.KD, "supply", now.date(), 3, unless_empty=True, until=now.date(), at=time(18)),
        PlayerAsked("A"),
        CompareAsked("A", "B"),
        RecordsAsked(None),
        MapAsked("supply"),
        OnThisDayAsked(now.date()),
        DigestAsked(now - timedelta(days=1), now),
    ]
    askings = [Asking(str(number), asked) for number, asked in enumerate(kinds)]
    stage.ask(pipeline.tools(), askings)
    with pipeline.database.connect() as conn:
        kept = asked_posts.read(conn, [asking.key for asking in askings])
    assert [(post.key, post.asked) for post in kept] == askings


def test_a_post_is_of_its_time_and_never_corrected(pipeline: Pipeline, evening: Evening) -> None:
    pipeline.facts_hold = False
    assert tell(pipeline, KILLS) == {KILLS.key: "sent"}
    told = pipeline.page.messages()
    with pipeline.database.transaction() as conn:
        conn.execute("update player_session_fact set kills = kills + 1000")
    other = Asking(KILLS.key, RecordsAsked())
    assert tell(pipeline, other) == {KILLS.key: "unchanged"}
    assert pipeline.page.messages() == told


def test_who_wished_to_be_unnamed_meanwhile_is_struck_out_with_the_reason(pipeline: Pipeline, evening: Evening) -> None:
    guid = min(evening.rounds[0].players)
    pipeline.page.misbehave(Fault.RATE_LIMITED)
    assert tell(pipeline, Asking("player-x", PlayerAsked(guid))) == {"player-x": "failed"}
    assert pipeline.slomix("identity", "hide", guid, "--why", "his wish").exit_code == 0
    for _ in range(2):
        assert tell(pipeline, Asking("player-x", PlayerAsked(guid))) == {"player-x": "silent"}
    assert (pipeline.page.messages(), due_things(pipeline)) == ([], [])
    (row,) = pipeline.rows("select struck_out from asked_post")
    assert "wished to be unnamed" in row["struck_out"]
    done = pipeline.slomix("post", "--retry", "asked:player-x")
    assert done.exit_code == 0 and "wished to be unnamed" in done.stdout


def test_a_map_that_no_round_counts_of_any_more_is_struck_out(pipeline: Pipeline, evening: Evening) -> None:
    assert tell(pipeline, Asking("map-x", MapAsked("nowhere"))) == {"map-x": "silent"}
    assert due_things(pipeline) == []


def test_what_is_too_old_is_not_posted_any_more(pipeline: Pipeline, evening: Evening) -> None:
    stage.ask(pipeline.tools(), [KILLS])
    with pipeline.database.transaction() as conn:
        conn.execute("update due set due_until = now() - interval '1 minute'")
    assert tell(pipeline, KILLS) == {KILLS.key: "missed"}
    assert pipeline.page.messages() == [] and troubles(pipeline) == {"asked:board-x": "missed"}


def test_one_that_can_not_be_made_keeps_none_of_the_others(
    pipeline: Pipeline, evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_of_records(*arguments: Any) -> Any:
        if isinstance(arguments[1], RecordsAsked):
            raise RuntimeError("a bug")
        return message_of(*arguments)

    monkeypatch.setattr(stage, "message_of", fails_of_records)
    assert tell(pipeline, Asking("records-x", RecordsAsked()), KILLS) == {"records-x": "failed", KILLS.key: "sent"}
    (row,) = pipeline.rows("select error from undelivered")
    assert row["error"] == "it could not be made: RuntimeError"


def test_boards_go_into_their_own_channel_where_there_is_one(
    pipeline: Pipeline, evening: Evening, tmp_path: Path
) -> None:
    with served_page(tmp_path / "boards") as page:
        done = pipeline.slomix("post", "records", SLOMIX_DISCORD_BOARD_WEBHOOK=page.webhook_url)
        assert done.exit_code == 0, done.stderr
        assert len(page.messages()) == 1 and pipeline.page.messages() == []


def test_a_board_of_a_week_in_which_nobody_played_enough_is_silent(pipeline: Pipeline, evening: Evening) -> None:
    since = datetime.now(UTC).date()
    quiet = Asking("weekly-x", BoardAsked(BoardName.KILLS, since=since, unless_empty=True))
    loud = Asking("board-y", BoardAsked(BoardName.KILLS, since=since))
    assert tell(pipeline, quiet, loud) == {"weekly-x": "silent", "board-y": "sent"}
    assert "Nobody has played enough for it." in text_of(pipeline.page.messages()[-1])


def test_without_a_channel_nothing_is_told(stored_pipeline: Pipeline) -> None:
    stored_pipeline.discord = None
    assert tell(stored_pipeline, KILLS) == {}
    assert due_things(stored_pipeline) == ["asked:board-x"]
