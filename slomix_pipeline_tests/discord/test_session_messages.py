"""The words of a session's summary: true of any session, within Discord's limits, and nobody is left out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord import messages, session_messages
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.rules.awards import Award
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import UNNAMED, NameSource, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import LengthFrom
from slomix_pipeline.warehouse.corrections import Correction
from slomix_pipeline.warehouse.duels import Duel
from slomix_pipeline.warehouse.highlights import Highlights
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals
from slomix_pipeline.warehouse.session_awards import SessionAwards
from slomix_pipeline.warehouse.surprises import Surprise
from slomix_pipeline_tests.discord.seen import (
    BEATEN,
    DECISION,
    FINE,
    HELD,
    MATCHES,
    PLAYER,
    POOR,
    SESSION,
    fits,
    lines_of,
    match_of,
    players_shown,
    seen,
    text_of,
    totals,
)


@pytest.mark.parametrize("shown", ["75:25", "0:00"])
@pytest.mark.parametrize("winner", [0, 1, 2])
def test_what_is_no_time_is_never_told(shown: str, winner: int) -> None:
    odd = replace(seen(winner=winner, limit="8:00", attack_time=shown), duration_source=LengthFrom.MEASURED)
    match = match_of(seen(**BEATEN), odd)
    text = text_of(messages.result_message(match)) + text_of(
        session_messages.session_message(SESSION, [match], [], FINE)
    )
    assert shown not in text
    assert ("completed it in **5:00**" in text) == (winner == 2)  # how long the round was
    unknown = replace(odd, duration_source=LengthFrom.LIMIT)
    text = text_of(messages.result_message(match_of(seen(**BEATEN), unknown)))
    assert ("completed it in an unknown time" in text) == (winner == 2) and "?" not in text


def test_of_a_round_that_was_broken_off_the_summary_says_only_that() -> None:
    cut = match_of(None, seen(**HELD), status="aborted", winner=None, source=None, reason="left before its end")
    text = text_of(session_messages.session_message(SESSION, [cut], [], FINE))
    embed = session_messages.session_message(SESSION, [cut], [], FINE).embeds[0]
    told = text + "".join(field.value for field in embed.fields)
    assert "not counted" in told and "broken off · left before its end" in told and "held" not in told


def test_a_round_whose_numbers_are_left_out_is_named_where_its_result_stands() -> None:
    odd = replace(seen(**BEATEN), left_out="counters carried over from an earlier play of the map")
    match = match_of(odd, seen(**HELD))
    text = text_of(messages.result_message(match))
    assert "-# Without the numbers of round 1: counters carried over" in text
    session = replace(SESSION, points_a=0, points_b=1, draws=0, not_counted=0, matches=1, rounds=2)
    assert "without the numbers of 1 round:" in text_of(session_messages.session_message(session, [match], [], FINE))


def test_a_summary_tells_its_grade_with_reasons_and_what_people_decided() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD))
    text = text_of(session_messages.session_message(SESSION, [match], [], POOR, [DECISION])).replace("\\", "")
    assert "Trust grade **C**: bots in 1 round, which don't count; Lua timing of 1 of 2 rounds only" in text
    assert "Decided by people: winner supply: B, by ref: seen on the demo" in text


def test_every_map_names_its_winner_as_the_players_of_both_teams_are_headed() -> None:
    named = {**UNNAMED, Team.B: TeamName("B", "sWat", NameSource.KNOWN, 0x3498DB)}  # the usual colour of A
    match = match_of(seen(**BEATEN), seen(**HELD), teams=named)
    draw, open_one = (replace(match, winner=winner) for winner in (Winner.DRAW, None))
    message = session_messages.session_message(SESSION, [match, draw, open_one], [totals(2), totals(1)], FINE)
    maps, _, swat = (field for field in message.embeds[0].fields if not field.inline)
    marks = [line.partition(" · ")[0] for line in maps.value.splitlines()]
    assert marks == ["🏆 sWat (B)", "🟡 draw", "⚪ not counted"] and swat.name.startswith("sWat (B)")


def test_a_session_in_which_no_match_counts_is_no_draw() -> None:
    nothing = replace(SESSION, points_a=0, points_b=0, draws=0, not_counted=10)
    (embed,) = session_messages.session_message(nothing, [], [], FINE).embeds
    assert embed.title == "No match counts"


def test_a_session_whose_points_are_not_all_known_has_no_winner() -> None:
    (embed,) = session_messages.session_message(replace(SESSION, without_points=1), [], [], FINE).embeds
    assert embed.title == "Open: 3–2 so far as points are known"


@given(
    st.lists(MATCHES, max_size=4),
    st.lists(PLAYER, max_size=30),
    st.integers(1, 12),
    st.lists(st.builds(totals, st.integers(1, 9), name=st.just("_" * 36)), max_size=10),
)
def test_every_summary_of_a_session_fits_and_loses_nobody(
    some: list[MatchSeen], players: list[PlayerTotals], times: int, known: list[PlayerTotals]
) -> None:
    changed = [Correction("result:x", "a" * 500, "a late file", SESSION.ended_at)] * 5
    highlights = Highlights(
        SessionAwards((Award("kd", "Best K/D ratio", ("_ " * 18,) * 3, ("x",) * 3, 99),) * 8, 1, 99),
        [Duel("x" * 36, "_" * 36, 9, 9)] * 3,
    )
    message = session_messages.session_message(
        SESSION, some * times, [*known, *players], POOR, [DECISION] * 5, changed, highlights
    )
    assert fits(message)
    assert players_shown(message) == len(known) + len(players)


def test_a_full_evening_of_two_teams_of_six_is_shown_whole() -> None:
    matches = [match_of(seen(**BEATEN), seen(**HELD), map_name="sw_goldrush_te") for _ in range(12)]
    message = session_messages.session_message(SESSION, matches, [totals(n) for n in range(12)], FINE)
    assert not any("more" in line for line in lines_of(message))
    assert players_shown(message) == 12


def cards(message: Message) -> dict[str, str]:
    return {field.name: field.value for field in message.embeds[0].fields if field.inline}


def test_the_best_of_each_team_and_of_support_have_their_cards() -> None:
    players = [
        totals(2, name="frag", impact=1.6, revives_given=0, denied_playtime=0),
        totals(4, name="medic", impact=0.8, revives_given=31, denied_playtime=90),
        totals(1, name="late", impact=2.5, of_the_time=0.01, objectives=4, damage_given=900, denied_playtime=9),
        totals(3, name="there", impact=1.1),
    ]
    shown = cards(session_messages.session_message(SESSION, [], players, FINE))
    assert shown["MVP of Team A"] == "**frag**\u00a01.60 (next **medic**\u00a00.80)"
    assert shown["MVP of Team B"] == "**there**\u00a01.10"  # who was there for a minute is none
    assert shown["Medic"] == "**medic**\n31 revives"
    assert shown["Objectives"] == "**late**\n4 incl. dynamites"
    assert shown["Denied playtime"] == "**there**\n10:00 denied"
    assert shown["Most damage"].endswith("\n32,585 damage")


def test_what_is_unknown_of_anybody_has_no_card() -> None:
    players = [totals(2, revives_given=None), totals(1, revives_given=5)]
    assert "Medic" not in cards(session_messages.session_message(SESSION, [], players, FINE))


def test_duels_and_corrections_are_told() -> None:
    duels = [Duel("*one*", "two", 14, 9), Duel("one", "three", 9, 9)]
    changed = Correction("result:x", "Team B won supply", "a late file", SESSION.ended_at)
    message = session_messages.session_message(SESSION, [], [], FINE, (), [changed], Highlights(duels=duels))
    assert blocks(message)["Duels"].splitlines() == [r"**\*one\*** 14 – 9 **two**", "**one** 9 – 9 **three**"]
    assert "-# Corrected: Team B won supply" in text_of(message)


def blocks(message: Message) -> dict[str, str]:
    return {field.name: field.value for field in message.embeds[0].fields if not field.inline}


def test_awards_name_who_was_given_each_most_often_and_of_how_many_rounds_that_is_known() -> None:
    awards = SessionAwards(
        (
            Award("kd", "Best K/D ratio", ("*one*", "two"), ("A", "B"), 3),
            Award("revives_given", "Most revives", ("two",), ("B",), 2),
        ),
        9,
        14,
    )
    message = session_messages.session_message(SESSION, [], [], FINE, highlights=Highlights(awards))
    assert blocks(message)["Awards"].splitlines() == [
        "-# who was given each most often, known of 9 of 14 rounds",
        "Best K\\/D ratio · **\\*one\\*** and **two**\u00a03×",
        "Most revives · **two**\u00a02×",
    ]
    whole = session_messages.session_message(SESSION, [], [], FINE, highlights=Highlights(replace(awards, rounds=14)))
    assert "known of" not in blocks(whole)["Awards"]
    assert "Awards" not in blocks(session_messages.session_message(SESSION, [], [], FINE))


def test_the_surprise_of_the_night_stands_beside_what_was_expected() -> None:
    highlights = Highlights(surprise=Surprise("A", "*one*", Metric.DAMAGE, 6140, 5203.0, 0.9, 1.12))
    message = session_messages.session_message(SESSION, [], [], FINE, highlights=highlights)
    said = r"**\*one\***: 6,140 damage, 5,200 expected (+18 %; usual: −10 to +12 %)"
    assert blocks(message)["More than expected"] == said
    assert "More than expected" not in blocks(session_messages.session_message(SESSION, [], [], FINE))


def test_the_key_that_people_copy_leads_the_footer() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD))
    for matches in ([], [match]):
        (embed,) = session_messages.session_message(SESSION, matches, [], FINE).embeds
        assert embed.footer.startswith(f"{SESSION.session_key} · ")
