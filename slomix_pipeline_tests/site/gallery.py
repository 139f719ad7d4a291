"""What the gallery shows: messages of a simulated evening, as the stand-in's page has them, and the public pages of it.

Belongs here: the items, telling what they show, and where pages of them are. Does not belong here: the browser (``conftest``), pictures and page
of the gallery (``test_gallery``).
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.discord.alarm_messages import alarm_message, headline, over_message
from slomix_pipeline.discord.board_messages import board_message, map_message, player_message, records_message
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.discord.pictures import with_pictures
from slomix_pipeline.discord.standin import StandIn, page
from slomix_pipeline.rules.alarms import AlarmCause, Episode, Symptom
from slomix_pipeline.rules.boards import BOARDS, BoardName, threshold
from slomix_pipeline.sensors.folders import GAMESTATS
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.history import write_day
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages import asked_pictures, session_pictures
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.warehouse.boards import board_rows
from slomix_pipeline.warehouse.careers import career, find_player
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.maps import map_names, map_seen
from slomix_pipeline.warehouse.records import records
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, open_pipeline, round_key

EARLIER_EVENINGS = 3
NOW = SOME_EVENING + timedelta(minutes=1)  # when the gallery is looked at
AGES = "1000000h"  # the evening's date is fixed, so that its pictures are; it is told as if it were today's

# The pictures themselves; the pipeline of tests has a digest in their place.
_map_drawn = asked_pictures.drawn
_drawn = session_pictures.drawn


@dataclass(frozen=True)
class Item:
    """A thing to see. ``words``: about it; ``shows``: what a reader must find in it; ``part``: of the page, as a CSS
    selector, that is pictured."""

    name: str
    title: str
    words: str
    shows: tuple[str, ...]
    part: str = "article"


ITEMS = (
    Item(
        "round-1",
        "Round 1 is over",
        "A short message, seconds after the stats file is complete. It shrinks to a pointer when the result stands.",
        ("round 1",),
    ),
    Item(
        "match-result",
        "A match is decided",
        "Who attacked in which half, both times, what decided it, and every player in his team.",
        ("wins", "Score so far", "fox|"),
    ),
    Item(
        "session-report",
        "The evening is over",
        "One message for the whole session. The pictures follow by an edit, each with its numbers in words.",
        ("Trust grade", "Maps", "MVP of"),
    ),
    Item(
        "highlights",
        "Awards and duels",
        "Of the same message: who did most of what, was given which awards, the hardest duels, and what players reached "
        "for the first time.",
        ("MVP of", "Awards", "Duels", "revives"),
        ".embed",
    ),
    Item("result-card", "The result as a card", "The first of its pictures, as it can be shared.", (), ".embed img"),
    Item("board", "A board", "Who leads by what, among all of whom enough is known.", ("Players", "rounds")),
    Item("player", "A player", "A career: numbers, form, weapons, badges, best rounds.", ("Career", "Weapons")),
    Item(
        "map-card",
        "A map",
        "How long it holds, how sure that is, its par and its record; whether attacking first pays. The picture follows "
        "by an edit.",
        ("Defences fallen", "Won by who attacked first"),
    ),
    Item("records", "Records", "Of a round, a match, a session, and the fastest attacks.", ("Records", "In one round")),
    Item(
        "correction",
        "A correction",
        "A person decided otherwise: the message that was told says so itself, with who and why.",
        ("Corrected", "instead of", "decided by"),
    ),
    Item(
        "alarm-opened",
        "Something is wrong",
        "What the admin channel hears: one message per cause, with what to do about it.",
        ("1 file can't be read", "slomix files"),
    ),
    Item("alarm-closed", "It is over", "The same message, once nothing of it is left.", ("Resolved", "It was:")),
)


@dataclass(frozen=True)
class PageItem:
    """A public page to see. ``address``: where it is, with what an exported session has; ``shows``: what a reader must
    find in it; ``on_a_phone``: pictured there, too."""

    name: str
    title: str
    words: str
    address: str
    shows: tuple[str, ...]
    on_a_phone: bool = False


PAGE_ITEMS = (
    PageItem(
        "home", "The front page", "What was played last, who is in form, what is new.", "/", ("Before that",), True
    ),
    PageItem(
        "session",
        "A session",
        "Who won, by what, and how far that can be trusted; everybody's numbers, each of which leads to its round.",
        "/sessions/{session}",
        ("Who did most", "Together", "Why this result"),
        True,
    ),
    PageItem(
        "match", "A match", "Both attacks on one axis, and who killed whom.", "/matches/{r1}", ("Who killed whom",)
    ),
    PageItem(
        "receipt",
        "A receipt",
        "The line of a player's file that a number comes from, and how.",
        "/rounds/{r2}?player={one}#player",
        ("sha256", "Receipt"),
    ),
    PageItem(
        "page-of-player", "A player", "His career against himself.", "/players/{one}", ("Form", "Maps and weapons")
    ),
    PageItem("compare", "Two players", "Side by side, and when they met.", "/compare/{one}/{two}", ("When they met",)),
    PageItem("leaders", "A board", "Who leads, by rules that are said.", "/boards/dpm", ("ranked", "Rank")),
    PageItem("record-book", "Records", "Each leads to its round.", "/records", ("In one round", "Held by")),
    PageItem("map", "A map", "How long it holds, and the fastest attacks.", "/maps/{map}", ("Attacks", "Last plays")),
    PageItem("sessions", "All sessions", "By day, player or map.", "/sessions", ("Only some of them",)),
    PageItem("season", "A season", "The boards of a quarter of a year.", "/seasons/{season}", ("sessions",)),
    PageItem("metrics", "How it is counted", "Every number's formula.", "/metrics", ("counted",)),
    PageItem(
        "status", "Status", "Whether the chain from the game server to the pages runs.", "/status", ("Game server",)
    ),
    PageItem("api", "The API", "The same numbers for programs.", "/api", ("Resources",)),
)


def address_of(item: PageItem, exported: dict[str, Any]) -> str:
    """Where the page of an exported session is."""
    match = exported["matches"][0]
    first, second = (exported["teams"][team]["players"][0]["guid"] for team in ("A", "B"))
    day = exported["session"]["started_at"]
    given = {"session": exported["session"]["key"], "r1": match["r1"], "r2": match["r2"], "map": match["map"]}
    season = f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"
    return item.address.format(**given, one=first, two=second, season=season)


@dataclass(frozen=True)
class Teller:
    """Tells what the gallery shows, and keeps the page of each item as it was just then."""

    pipeline: Pipeline
    pages: dict[str, str]

    def keep(self, name: str, message_id: str | None = None, change: Callable[[Any], None] | None = None) -> None:
        """Keeps a message, the latest one if none is named, as the page of an item."""
        every = self.pipeline.page.messages()
        found = next((m for m in every if m["id"] == message_id), every[-1])
        message = json.loads(json.dumps(found))
        message["timestamp"] = (SOME_EVENING + timedelta(seconds=5)).isoformat()
        if change:
            change(message)
        self.pages[name] = page([message], partial(_inline, self.pipeline.page))

    def say(self, name: str, message: Message) -> str:
        """Posts a message for an item."""
        sent = Discord(self.pipeline.page.webhook_url).send(message)
        self.keep(name)
        return sent.message_id


def tell_all(database: Database, folder: Path) -> Mapping[str, str]:
    """The page of each item, by its name."""
    with pytest.MonkeyPatch.context() as patch, open_pipeline(database, folder) as pipeline:
        for setting in ("SLOMIX_PUBLISH_MAX_AGE", "SLOMIX_LOOKBACK"):
            patch.setenv(setting, AGES)
        for day in range(1, EARLIER_EVENINGS + 1):
            write_day(folder / "history", day)
        pipeline.import_(folder / "history")
        teller = Teller(pipeline, {})
        evening = play_evening(0, ends_at=SOME_EVENING)
        _tell_evening(teller, evening)
        _tell_careers(teller)
        _tell_alarm(teller)
        return teller.pages


def _tell_evening(teller: Teller, evening: Evening) -> None:
    pipeline, first = teller.pipeline, evening.matches[0]
    for sim_round, name in ((first.r1, "round-1"), (first.r2, "match-result")):
        write_round(pipeline.folder, sim_round)
        pipeline.take_in_all()
        teller.keep(name)
    result = pipeline.page.messages()[-1]["id"]
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_pictures, "drawn", _drawn)
        pipeline.work(f"{SERVER}:{first.r1.stem[:17]}", Wish.LIVE, job="report_sessions")
    teller.keep("session-report")
    teller.keep("highlights", change=_only_highlights)
    teller.keep("result-card", change=_only_the_card)
    other = "B" if first.winner == "A" else "A"
    why = ["--why", "the flag was taken after the time was over", "--by", "referee"]
    done = pipeline.slomix("override", "winner", round_key(first.r1), other, *why)
    assert done.exit_code == 0, done.output
    pipeline.work([round_key(first.r2)])
    teller.keep("correction", result)


def _only_highlights(message: Any) -> None:
    """What stands side by side, awards and duels, and what players reached."""
    embed = message["embeds"][0]
    names = ("Awards", "Duels", "Records", "Personal bests", "Reached for the first time")
    fields = [field for field in embed["fields"] if field.get("inline") or field["name"].startswith(names)]
    message["embeds"], message["attachments"] = [{"color": embed["color"], "fields": fields}], []


def _only_the_card(message: Any) -> None:
    message["embeds"] = [{"image": message["embeds"][0]["image"], "color": message["embeds"][0]["color"]}]
    message["attachments"] = message["attachments"][:1]


def _tell_careers(teller: Teller) -> None:
    kd = BOARDS[BoardName.KD]
    with teller.pipeline.database.snapshot() as conn:
        needed = threshold(kd)
        rows = board_rows(conn, kd, needed)
        said = {
            "board": board_message(kd, needed, rows, NOW),
            "player": player_message(career(conn, find_player(conn, rows[0].guid)), NOW),
            "records": records_message(records(conn), NOW),
        }
        seen = max((map_seen(conn, name) for name in map_names(conn)), key=lambda own: own.par.attacks)
    for name, message in said.items():
        teller.say(name, message)
    facts = asked_pictures.map_facts(seen)
    assert facts is not None
    teller.say("map-card", with_pictures(map_message(seen, NOW), [_map_drawn(facts)]))


def _tell_alarm(teller: Teller) -> None:
    pipeline, stem = teller.pipeline, f"{SOME_EVENING - timedelta(minutes=9):%Y-%m-%d-%H%M%S}-supply-round-1"
    pipeline.put(f"{stem}.txt", b"half of a li")
    pipeline.take_in(GAMESTATS)
    reason = str(pipeline.file(f"{SERVER}:{stem}")["reason"])
    symptoms = [Symptom(AlarmCause.QUARANTINED, f"{stem}.txt", reason, SOME_EVENING - timedelta(minutes=9))]
    opened = Episode(1, AlarmCause.QUARANTINED, SOME_EVENING - timedelta(minutes=8), None, None, None)
    message_id = teller.say("alarm-opened", alarm_message(opened, symptoms))
    said = headline(opened.cause, symptoms)
    closed = Episode(1, opened.cause, opened.opened_at, SOME_EVENING.astimezone(UTC), SOME_EVENING, said)
    Discord(pipeline.page.webhook_url).edit(message_id, over_message(closed))
    teller.keep("alarm-closed")


def _inline(standin: StandIn, file: Mapping[str, Any]) -> str:
    return f"data:{file['content_type']};base64,{b64encode(standin.picture(file['id'])).decode()}"
