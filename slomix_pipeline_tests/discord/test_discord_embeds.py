"""What Discord's limits allow, and what a hostile name must not do."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord import embeds
from slomix_pipeline.discord.embeds import Embed, Field, Message, clip, escape, fields_of_lines, plain, violations
from slomix_pipeline.formats import names

NASTY = [
    "_x_*y*|z",
    "@everyone",
    "<@1>",
    "<t:1>",
    "https://evil.example/x",
    "[a](https://b)",
    "`x`",
    "||s||",
    "# h",
    "1. x",
]
any_name = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=40), st.text(alphabet="\\`*_~|<>[]()#@:/.-ab1 \n", max_size=40)
)


def unescaped(text: str) -> str:
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text)


@given(any_name)
def test_an_escaped_name_shows_as_it_is_and_leaves_no_active_character(name: str) -> None:
    escaped = escape(name)
    assert unescaped(escaped) == plain(name)
    assert not re.search(r"[\\`*_~|<>\[\]()#@:/.-]", re.sub(r"\\[^0-9A-Za-z\s]", "", escaped))


@pytest.mark.parametrize(
    "mark", ["@everyone", "<@1>", "<@&1>", "<#1>", "<t:1>", "<:a:1>", "://", "](", "discord.gg/", "**"]
)
def test_no_mention_tag_or_link_survives_escaping(mark: str) -> None:
    assert not re.search(rf"(?<!\\){re.escape(mark)}", escape(f"a{mark}b"))


@given(st.text(max_size=60))
def test_a_plain_text_is_one_line_and_can_be_sent(text: str) -> None:
    seen = plain(text)
    assert seen == " ".join(seen.split(" ")) and len(seen.splitlines()) <= 1
    assert plain(seen) == seen
    seen.encode()


def test_piles_of_marks_are_no_higher_where_joiners_part_them() -> None:
    pile = "a" + ("\u0301\u0301\u200d" * 10)
    assert plain(pile).count("\u0301") == plain("a" + "\u0301" * 20).count("\u0301")


def test_direction_marks_and_invisible_characters_go_and_joined_emoji_stay() -> None:
    assert plain("ab\u202ecd\u200be\n\tf\x1b") == "abcde f"
    assert plain("👩\u200d🚀") == "👩\u200d🚀"
    assert plain("\udcff") == "\ufffd"
    assert plain("e" + "\u0301" * 200 + "f") == "e\u0301\u0301f"


@given(any_name, st.integers(1, 30))
def test_a_clipped_name_keeps_its_start_and_says_that_it_was_cut(name: str, width: int) -> None:
    cut = clip(name, width)
    assert cut == plain(name) or (cut.endswith("…") and plain(name).startswith(cut[:-1]))
    assert len(names._visible_characters(cut)) <= width


def test_clipping_counts_what_the_eye_sees() -> None:
    assert clip("e\u0301e\u0301e\u0301", 3) == "e\u0301e\u0301e\u0301"
    assert clip("👩🏽\u200d🚀👩🏽\u200d🚀ab", 2) == "👩🏽\u200d🚀…"
    assert clip("abcdef", 4) == "abc…"


lines_of_text = st.lists(st.text(st.characters(exclude_characters="\n"), max_size=300), min_size=1, max_size=40)


@given(lines_of_text, st.integers(1, 25), st.integers(40, 5999))
def test_lines_are_packed_whole_and_none_is_lost_silently(lines: list[str], max_fields: int, room: int) -> None:
    fields = fields_of_lines("Players", lines, max_fields=max_fields, room=room)
    shown = [line for field in fields for line in field.value.split("\n")]
    kept = [line if line.strip() else embeds.BLANK for line in lines]
    if shown != kept:
        missing = int(shown.pop().removeprefix("… and ").removesuffix(" more"))
        assert shown == kept[: len(shown)] and missing == len(lines) - len(shown) > 0
    assert len(fields) <= max_fields
    assert embeds.size(Embed("", fields=fields)) <= room
    assert violations(Message(embeds=(Embed("t", fields=fields),))) == []


@given(st.lists(any_name, min_size=1, max_size=40))
def test_any_names_fit_into_one_message(names: list[str]) -> None:
    fields = fields_of_lines("Players", [f"**{escape(clip(name, 20))}** 12" for name in names], room=5000)
    message = Message(embeds=(Embed("Result", fields=fields, footer="key"),))
    assert violations(message) == []


def test_what_does_not_fit_is_counted_in_the_last_line() -> None:
    (field,) = fields_of_lines("Players", ["x" * 300] * 6, max_fields=1)
    assert field.value.endswith("\n… and 3 more")
    assert len(fields_of_lines("Players", ["x" * 300] * 6)) == 2


def test_an_over_long_line_is_counted_rather_than_cut() -> None:
    (field,) = fields_of_lines("Players", ["short", "x" * 2000, "short"])
    assert field.value == "short\n… and 2 more"


def test_no_room_at_all_is_an_error_rather_than_silence() -> None:
    with pytest.raises(ValueError, match="no room for 2 lines"):
        fields_of_lines("Players", ["a" * 50, "b" * 50], room=10)
    assert fields_of_lines("Players", []) == ()


def test_length_counts_as_discord_might_at_worst() -> None:
    assert embeds.length("a👩") == 3


def test_a_message_that_fits_has_no_violations() -> None:
    fields = tuple(Field("n" * 256, "v" * 100) for _ in range(10))
    embed = Embed(
        "t" * 256, "d" * 2000, 0xFFFFFF, fields, "f" * 184, datetime(2026, 2, 2, tzinfo=UTC), "https://x.example"
    )
    assert embeds.size(embed) == 6000
    assert violations(Message("c" * 2000, (embed,))) == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message(), "the message is empty"),
        (Message("x" * 2001), "content has 2001"),
        (Message(embeds=(Embed("t" * 257),)), "embed 1: title has 257"),
        (Message(embeds=(Embed("t", "d" * 4097),)), "description has 4097"),
        (Message(embeds=(Embed("t", footer="f" * 2049),)), "footer has 2049"),
        (Message(embeds=(Embed("t", fields=(Field("n", "v"),) * 26),)), "26 fields"),
        (Message(embeds=(Embed("t", fields=(Field("n" * 257, "v"),)),)), "field 1: name has 257"),
        (Message(embeds=(Embed("t", fields=(Field("n", "v" * 1025),)),)), "field 1: value has 1025"),
        (Message(embeds=(Embed("t", fields=(Field(" ", "v"),)),)), "field 1: name is empty"),
        (Message(embeds=(Embed("t", fields=(Field("n", "\n"),)),)), "field 1: value is empty"),
        (Message(embeds=(Embed(" "),)), "title, description and fields are empty"),
        (Message(embeds=(Embed("t"),) * 11), "11 embeds"),
        (Message(embeds=(Embed("t", "d" * 3500), Embed("t", "d" * 2500))), "all embeds together have 6002"),
        (Message(embeds=(Embed("t", color=-1),)), "color"),
        (Message(embeds=(Embed("t", timestamp=datetime(2026, 2, 2)),)), "timestamp has no zone"),
        (Message(embeds=(Embed("t", url="javascript:x"),)), "url is not"),
    ],
)
def test_each_limit_is_named_when_broken(message: Message, words: str) -> None:
    (violation,) = violations(message)
    assert words in violation


some_message = st.builds(
    Message,
    content=any_name,
    embeds=st.lists(
        st.builds(
            Embed,
            title=any_name,
            description=any_name,
            color=st.integers(0, embeds.COLOR_LIMIT),
            fields=st.lists(st.builds(Field, any_name, any_name, st.booleans()), max_size=3).map(tuple),
            footer=any_name,
            timestamp=st.none() | st.datetimes(timezones=st.just(UTC)),
            url=st.sampled_from([None, "https://example.org/x"]),
            image=st.sampled_from([None, "a.png"]),
        ),
        max_size=3,
    ).map(tuple),
)


@given(some_message)
def test_a_message_is_read_back_from_its_payload(message: Message) -> None:
    assert embeds.from_payload(json.loads(json.dumps(embeds.to_payload(message)))) == message


def test_a_payload_pings_nobody_and_states_every_part() -> None:
    assert embeds.to_payload(Message("hi")) == {"content": "hi", "embeds": [], "allowed_mentions": {"parse": []}}
    embed = Embed("T", "D", 0x112233, (Field("n", "v", True),), "F", datetime(2026, 2, 2, tzinfo=UTC))
    assert embeds.to_payload(Message(embeds=(embed,)))["embeds"] == [
        {
            "title": "T",
            "description": "D",
            "color": 0x112233,
            "fields": [{"name": "n", "value": "v", "inline": True}],
            "footer": {"text": "F"},
            "timestamp": "2026-02-02T00:00:00+00:00",
        }
    ]
