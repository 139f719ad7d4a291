"""Matches, players and sessions as people see them, made up: for tests of messages."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from slomix_pipeline.discord.embeds import BLANK, Message, violations
from slomix_pipeline.discord.pages import pages
from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.comebacks import MapsWon
from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.overrides import OverrideKind
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import NameSource, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals, RoundSeen, SessionScore
from slomix_pipeline_tests.building import make_header

_PLAYER = re.compile(r"`[ ?,\d]*[.?\d]+ +[?,\d]+/[?,\d]+ .*%` \*\*.*\*\*$")


def seen(ago: timedelta = timedelta(minutes=1), by_sensor: bool = True, **header: Any) -> RoundSeen:
    return RoundSeen(
        "main:a",
        make_header(**header),
        datetime.now(UTC) - ago,
        300.0,
        LengthFrom.ATTACK_TIME,
        TimingStatus.ALIGNED,
        "main:record",
        None,
        by_sensor,
        None,
    )


def match_of(first: RoundSeen | None, second: RoundSeen | None = None, **values: Any) -> MatchSeen:
    seen_match = MatchSeen(
        key="main:2031-05-06-200000-supply-round-1",
        session_key="main:2031-05-06-200000",
        position=1,
        map_name="supply",
        status=Status.COMPLETE if second else Status.R1_ONLY,
        winner=Winner.B if second else None,
        source=Source.HEADER if second else None,
        reason="R2's attackers were faster",
        attackers_first=Team.A,
        policy="map-wins/1",
        first=first,
        second=second,
        players=(),
        score_a=0,
        score_b=1,
        draws=0,
    )
    return replace(seen_match, **values)


def text_of(message: Message) -> str:
    return f"{message.embeds[0].title}\n{message.embeds[0].description}"


BEATEN: dict[str, Any] = {"winner": 2, "limit": "12:00", "attack_time": "8:00"}
HELD: dict[str, Any] = {"winner": 1, "limit": "8:00", "attack_time": "8:00"}


def totals(number: int = 1, **values: Any) -> PlayerTotals:
    """A player's numbers of an evening."""
    made = PlayerTotals(
        guid=f"ADA{number:05}",
        name=f"^1some|long_name{number}^7",
        team=(Team.A, Team.B)[number % 2],
        kills=183,
        deaths=130,
        kd=1.4,
        dpm=283.6,
        damage_given=32585,
        damage_received=29255,
        accuracy=39.7,
        headshot_percent=12.0,
        impact=1.0,
        of_the_time=1.0,
        seconds_played=7200,
        revives_given=3,
        objectives=2,
        denied_playtime=600,
    )
    return replace(made, **values)


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "@everyone",
            "<@&123>",
            "*" * 40,
            "```",
            "[a](https://x.example)",
            "😀" * 40,
            "\u202egnp",
            "",
            " ",
            "\n\n",
            "a\u0301" * 80,
            "|" * 36,
            "_" * 36,
        ]
    ),
)
NUMBER = st.one_of(st.none(), st.integers(0, 99999))
RATIO = st.one_of(st.none(), st.floats(0, 99999))
PLAYER = st.builds(
    PlayerTotals,
    guid=st.just("ADA00001"),
    name=HOSTILE,
    team=st.sampled_from([*Team, None]),
    kills=NUMBER,
    deaths=NUMBER,
    kd=RATIO,
    dpm=RATIO,
    damage_given=NUMBER,
    damage_received=NUMBER,
    accuracy=RATIO,
    headshot_percent=RATIO,
    impact=RATIO,
    of_the_time=RATIO,
    seconds_played=NUMBER,
    revives_given=NUMBER,
    objectives=NUMBER,
    denied_playtime=NUMBER,
)
HEADERS = st.builds(
    Header,
    server_name=HOSTILE,
    map_name=HOSTILE,
    config=HOSTILE,
    number=st.none(),
    defender_side=st.sampled_from([1, 2, None]),
    winner_side=st.sampled_from([0, 1, 2, None]),
    limit=st.one_of(HOSTILE, st.just("12:00")),
    attack_time=st.one_of(HOSTILE, st.just("*" * 5000), st.just("8:00")),
)
ROUNDS = st.builds(
    RoundSeen,
    st.just("main:x"),
    HEADERS,
    st.just(datetime(2031, 5, 6, tzinfo=UTC)),
    st.one_of(st.none(), st.floats(0, 9e5)),
    st.none(),
    st.just("ALIGNED"),
    st.sampled_from([True, False, None]),
    st.just(True),
    st.one_of(st.none(), HOSTILE),
)
MATCHES = st.builds(
    match_of,
    ROUNDS,
    ROUNDS,
    map_name=st.one_of(HOSTILE, st.sampled_from(["x" * 300, "_" * 5000, "a" + "\u0301" * 5000, "\u200b"])),
    winner=st.sampled_from([*Winner, None]),
    players=st.lists(PLAYER, max_size=40).map(tuple),
    attackers_first=st.sampled_from(["A", "B", None]),
    score_a=st.integers(0, 99),
    draws=st.integers(0, 99),
    substitutions=st.lists(HOSTILE, max_size=5).map(tuple),
    caught_up_from=st.one_of(st.none(), st.builds(MapsWon, st.integers(0, 9), st.integers(0, 9))),
    teams=st.fixed_dictionaries(
        {team: st.builds(TeamName, st.just(team), HOSTILE, st.just(NameSource.KNOWN)) for team in "AB"}
    ),
)


def lines_of(message: Message) -> list[str]:
    """The lines of all blocks, over all messages that it takes."""
    fields = [field for page in pages(message) for field in page.embeds[0].fields]
    return [line for field in fields for line in field.value.splitlines() if field.value != BLANK]


def players_shown(message: Message) -> int:
    """The players who have a line, in all messages that it takes."""
    return sum(_PLAYER.match(line) is not None for line in lines_of(message))


def fits(message: Message) -> bool:
    """Whether Discord takes all messages that it takes."""
    return not any(violations(page) for page in pages(message))


FINE = Grade("A", ())
POOR = Grade("C", ("bots in 1 round, which don't count", "Lua timing of 1 of 2 rounds only"))
DECISION = DecisionSeen(
    id=1,
    kind=OverrideKind.WINNER,
    server="main",
    round_key="main:2031-05-06-200000-supply-round-2",
    guid=None,
    value="B",
    roster=None,
    reason="seen on the demo",
    made_by="ref",
    made_at=datetime(2031, 5, 7, tzinfo=UTC),
    map="supply",
    player=None,
)
SESSION = SessionScore(
    session_key="main:2031-05-06-200000",
    server="main",
    started_at=datetime(2031, 5, 6, tzinfo=UTC),
    ended_at=datetime(2031, 5, 7, tzinfo=UTC),
    rounds=20,
    matches=10,
    won_a=3,
    won_b=2,
    draws=1,
    not_counted=4,
    policy="map-wins/1",
    points_a=3,
    points_b=2,
    without_points=0,
)
