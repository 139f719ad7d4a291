"""The words of messages: true of any match and session, within Discord's limits, and nobody is left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord import messages
from slomix_pipeline.discord.embeds import BLANK, Message, violations
from slomix_pipeline.formats.gamestats import Header
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


def test_a_beaten_round_one_says_what_round_two_has_to_beat() -> None:
    text = text_of(messages.round_one_message(match_of(seen(**BEATEN))))
    assert "Team A completed it in **8:00**" in text and "has to beat **8:00**" in text


def test_a_held_round_one_says_that_any_completed_attack_wins() -> None:
    held = replace(seen(**HELD), duration_seconds=479.0, duration_source=LengthFrom.MEASURED)
    text = text_of(messages.round_one_message(match_of(held)))
    assert "Team A did not make it in **8:00**" in text and "any completed attack" in text


def test_a_round_one_that_ended_early_without_a_known_reason_was_not_held_to_its_limit() -> None:
    text = text_of(messages.round_one_message(match_of(replace(seen(**HELD), duration_source=LengthFrom.MEASURED))))
    assert "Team A did not make it: it ended after **5:00** of 8:00" in text


def test_a_time_that_is_not_known_is_said_in_words() -> None:
    unknown = replace(seen(**BEATEN | {"attack_time": "0:00"}), duration_source=LengthFrom.LIMIT)
    text = text_of(messages.round_one_message(match_of(unknown)))
    assert "Team A completed it in an unknown time" in text and "its time, which is not known" in text
    text = text_of(messages.round_one_message(match_of(seen(**HELD | {"limit": "0:00", "attack_time": "0:00"}))))
    assert "Team A did not make it\n" in text


@pytest.mark.parametrize("shown", ["75:25", "0:00"])
@pytest.mark.parametrize("winner", [0, 1, 2])
def test_what_is_no_time_is_never_told(shown: str, winner: int) -> None:
    odd = replace(seen(winner=winner, limit="8:00", attack_time=shown), duration_source=LengthFrom.MEASURED)
    match = match_of(seen(**BEATEN), odd)
    text = text_of(messages.result_message(match)) + text_of(messages.session_message(SESSION, [match], [], FINE))
    assert shown not in text
    assert ("completed it in **5:00**" in text) == (winner == 2)  # how long the round was
    unknown = replace(odd, duration_source=LengthFrom.LIMIT)
    text = text_of(messages.result_message(match_of(seen(**BEATEN), unknown)))
    assert ("completed it in an unknown time" in text) == (winner == 2) and "?" not in text


def test_of_a_round_that_was_broken_off_the_summary_says_only_that() -> None:
    cut = match_of(None, seen(**HELD), status="aborted", winner=None, source=None, reason="left before its end")
    text = text_of(messages.session_message(SESSION, [cut], [], FINE))
    embed = messages.session_message(SESSION, [cut], [], FINE).embeds[0]
    told = text + "".join(field.value for field in embed.fields)
    assert "not counted" in told and "broken off · left before its end" in told and "held" not in told


def test_attackers_who_gave_up_are_said_to_have_given_up() -> None:
    gave_up = replace(seen(**HELD), surrender_side=2, duration_seconds=200.4)
    text = text_of(messages.result_message(match_of(seen(**BEATEN), gave_up, winner=Winner.A)))
    assert "Team B gave up after **3:20** of 8:00" in text
    assert "Team A wins" in text


def test_defenders_who_gave_up_are_said_to_have_given_up() -> None:
    text = text_of(messages.round_one_message(match_of(replace(seen(**BEATEN), surrender_side=1))))
    assert "Team A completed it in **8:00**, the defenders gave up" in text


def test_the_footer_tells_how_many_rounds_have_lua_timing() -> None:
    timed, untimed = seen(**BEATEN), replace(seen(**HELD), record_key=None)
    (embed,) = messages.result_message(match_of(timed, untimed, winner=Winner.A)).embeds
    assert "Lua timing 1/2" in embed.footer


def test_a_draw_is_called_a_draw() -> None:
    text = text_of(
        messages.result_message(match_of(seen(**HELD), seen(**HELD), winner=Winner.DRAW, score_b=0, draws=1))
    )
    assert "supply · draw" in text and "Team A 0 – 0 Team B (1 draw)" in text


def test_a_match_that_does_not_count_says_why() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), winner=None, source=None, reason="bots took part")
    text = text_of(messages.result_message(match))
    assert "not counted" in text and "Not counted: bots took part" in text


def test_a_round_whose_numbers_are_left_out_is_named_where_its_result_stands() -> None:
    odd = replace(seen(**BEATEN), left_out="counters carried over from an earlier play of the map")
    match = match_of(odd, seen(**HELD))
    text = text_of(messages.result_message(match))
    assert "-# Without the numbers of round 1: counters carried over" in text
    session = replace(SESSION, points_a=0, points_b=1, draws=0, not_counted=0, matches=1, rounds=2)
    assert "without the numbers of 1 round:" in text_of(messages.session_message(session, [match], [], FINE))


def test_players_without_identity_are_named_as_such_and_escaped() -> None:
    match = replace(match_of(seen(**BEATEN), seen(**HELD)), without_identity=("", "*no*key", *"abcdef"))
    text = text_of(messages.result_message(match))
    assert r"in no team and in no total: ?, \*no\*key, a, b, c, d and 2 more" in text


def test_a_summary_tells_its_grade_with_reasons_and_what_people_decided() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD))
    text = text_of(messages.session_message(SESSION, [match], [], POOR, [DECISION])).replace("\\", "")
    assert "Trust grade **C**: bots in 1 round, which don't count; Lua timing of 1 of 2 rounds only" in text
    assert "Decided by people: winner supply: B, by ref: seen on the demo" in text


def test_a_session_in_which_no_match_counts_is_no_draw() -> None:
    nothing = replace(SESSION, points_a=0, points_b=0, draws=0, not_counted=10)
    (embed,) = messages.session_message(nothing, [], [], FINE).embeds
    assert embed.title == "No match counts"


def test_a_session_whose_points_are_not_all_known_has_no_winner() -> None:
    (embed,) = messages.session_message(replace(SESSION, without_points=1), [], [], FINE).embeds
    assert embed.title == "Open: 3–2 so far as points are known"


def test_a_result_that_a_person_decided_says_so() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), source="override", reason="decided by ref: seen on the demo")
    (embed,) = messages.result_message(match).embeds
    assert "Not by the files: decided by ref: seen on the demo" in embed.description.replace("\\", "")
    assert "decided by a person" in embed.footer


def test_an_open_winner_is_not_made_up() -> None:
    text = text_of(messages.round_one_message(match_of(seen(winner=None), attackers_first=None)))
    assert "does not say who won" in text and "Team None" not in text


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
    teams=st.fixed_dictionaries(
        {team: st.builds(TeamName, st.just(team), HOSTILE, st.just(NameSource.KNOWN)) for team in "AB"}
    ),
)


def lines_of(message: Message) -> list[str]:
    return [line for field in message.embeds[0].fields for line in field.value.splitlines() if field.value != BLANK]


def shown_and_counted(message: Message) -> int:
    """Players in the teams' blocks: those with a line, and those only counted."""
    blocks = message.embeds[0].fields
    of_teams = (f.name == "Team open" or f.name.endswith((" (A)", " (B)", "Team A", "Team B")) for f in blocks)
    start = next((n for n, found in enumerate(of_teams) if found), len(blocks))
    lines = [line for f in blocks[start:] for line in f.value.splitlines()]
    more = [int(line.split()[2]) for line in lines if line.startswith("… and ")]
    return sum(" dmg · " in line and line.endswith(" % acc") for line in lines) + sum(more)


@given(MATCHES)
def test_every_message_of_a_match_fits_and_loses_nobody(match: MatchSeen) -> None:
    for make in (messages.round_one_message, messages.round_one_pointer, messages.result_message):
        message = make(match)
        assert violations(message) == []
    assert shown_and_counted(messages.result_message(match)) == len(match.players)


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


@given(st.lists(MATCHES, max_size=4), st.lists(PLAYER, max_size=40), st.integers(1, 12))
def test_every_summary_of_a_session_fits_and_loses_nobody(
    some: list[MatchSeen], players: list[PlayerTotals], times: int
) -> None:
    message = messages.session_message(SESSION, some * times, players, POOR, [DECISION] * 5)
    assert violations(message) == []
    assert shown_and_counted(message) == len(players)


def test_a_full_evening_of_two_teams_of_six_is_shown_whole() -> None:
    players = [
        PlayerTotals(
            guid=f"ADA{n:05}",
            name=f"^1some|long_name{n}^7",
            team=(Team.A, Team.B)[n % 2],
            kills=183,
            deaths=130,
            kd=1.4,
            dpm=283.6,
            damage_given=32585,
            damage_received=29255,
            accuracy=39.7,
            headshot_percent=12.0,
        )
        for n in range(12)
    ]
    matches = [match_of(seen(**BEATEN), seen(**HELD), map_name="sw_goldrush_te") for _ in range(12)]
    message = messages.session_message(SESSION, matches, players, FINE)
    assert not any("more" in line for line in lines_of(message))
    assert len(lines_of(message)) == 24
