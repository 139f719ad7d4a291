"""The words of a match's messages: true of any match, within Discord's limits, and nobody is left out."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from slomix_pipeline.discord import messages
from slomix_pipeline.discord.embeds import escape
from slomix_pipeline.discord.wording import unbroken
from slomix_pipeline.rules.comebacks import MapsWon
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import LengthFrom
from slomix_pipeline.warehouse.fastest_attacks import FastestAttack
from slomix_pipeline.warehouse.reading import MatchSeen
from slomix_pipeline_tests.discord.seen import (
    BEATEN,
    HELD,
    MATCHES,
    fits,
    match_of,
    players_shown,
    seen,
    text_of,
    totals,
)


def test_a_beaten_round_one_says_what_round_two_has_to_beat() -> None:
    text = text_of(messages.round_one_message(match_of(seen(**BEATEN))))
    assert "Team A completed it in **8:00**" in text and "has to beat **8:00**" in text


def test_a_held_round_one_says_that_any_completed_attack_wins() -> None:
    held = replace(seen(**HELD), duration_seconds=479.0, duration_source=LengthFrom.MEASURED)
    text = text_of(messages.round_one_message(match_of(held)))
    assert "Team A did not make it in **8:00**" in text and "any completed attack" in text


def test_a_round_one_that_ended_early_without_a_known_reason_was_not_held_to_its_limit() -> None:
    text = text_of(messages.round_one_message(match_of(replace(seen(**HELD), duration_source=LengthFrom.MEASURED))))
    assert "Team A did not make it: it ended after **5:00**\u00a0of\u00a08:00" in text


def test_a_time_that_is_not_known_is_said_in_words() -> None:
    unknown = replace(seen(**BEATEN | {"attack_time": "0:00"}), duration_source=LengthFrom.LIMIT)
    text = text_of(messages.round_one_message(match_of(unknown)))
    assert "Team A completed it in an unknown time" in text and "its time, which is not known" in text
    text = text_of(messages.round_one_message(match_of(seen(**HELD | {"limit": "0:00", "attack_time": "0:00"}))))
    assert "Team A did not make it\n" in text


def test_attackers_who_gave_up_are_said_to_have_given_up() -> None:
    gave_up = replace(seen(**HELD), surrender_side=2, duration_seconds=200.4)
    text = text_of(messages.result_message(match_of(seen(**BEATEN), gave_up, winner=Winner.A)))
    assert "Team B gave up after **3:20**\u00a0of\u00a08:00" in text
    assert "Team A wins" in text


def test_defenders_who_gave_up_are_said_to_have_given_up() -> None:
    text = text_of(messages.round_one_message(match_of(replace(seen(**BEATEN), surrender_side=1))))
    assert "Team A completed it in **8:00**, the defenders gave up" in text


def test_the_footer_tells_how_many_rounds_have_lua_timing() -> None:
    timed, untimed = seen(**BEATEN), replace(seen(**HELD), record_key=None)
    (embed,) = messages.result_message(match_of(timed, untimed, winner=Winner.A)).embeds
    assert "Lua\u00a0timing\u00a01/2" in embed.footer


def test_a_draw_is_called_a_draw() -> None:
    text = text_of(
        messages.result_message(match_of(seen(**HELD), seen(**HELD), winner=Winner.DRAW, score_b=0, draws=1))
    )
    assert "supply · draw" in text and "Team A 0 – 0 Team B (1 draw)" in text


def test_a_match_that_does_not_count_says_why() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), winner=None, source=None, reason="bots took part")
    text = text_of(messages.result_message(match))
    assert "not counted" in text and "Not counted: bots took part" in text


def test_players_without_identity_are_named_as_such_and_escaped() -> None:
    match = replace(match_of(seen(**BEATEN), seen(**HELD)), without_identity=("", "*no*key", *"abcdef"))
    text = text_of(messages.result_message(match))
    assert r"in no team and in no total: ?, \*no\*key, a, b, c, d and 2 more" in text


def test_a_result_that_a_person_decided_says_so() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), source="override", reason="decided by ref: seen on the demo")
    (embed,) = messages.result_message(match).embeds
    assert "Not by the files: decided by ref: seen on the demo" in embed.description.replace("\\", "")
    assert "decided by a person" in embed.footer


def test_a_corrected_result_gives_its_reason_once_and_before_the_legend() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), source=Source.OVERRIDE, reason="decided by ref: seen on the demo")
    players = (totals(1), totals(2))
    changed = f"Team B wins instead of Team A wins ({match.reason})"
    text = text_of(messages.result_message(replace(match, players=players), changed))
    assert text.count("seen on the demo") == 1 and "Corrected: Team B wins instead" in text
    assert text.index("Corrected") < text.index("kills/deaths")
    other = text_of(messages.result_message(match, "times 8:00 instead of 7:00 (its file came late)"))
    assert "Not by the files" in other and "Corrected" in other
    assert text_of(messages.not_counted_message(match, 2, changed)).count("seen on the demo") == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Source.HEADER, "decided by who won each round"),
        (Source.TIME, "decided by the times of both attacks"),
        (Source.OVERRIDE, "decided by a person"),
    ],
)
def test_the_footer_leads_with_the_key_and_says_as_players_do_what_decided(source: Source, words: str) -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), source=source)
    (embed,) = messages.result_message(match).embeds
    assert embed.footer == f"{match.key} · {words} · map-wins/1 · Lua\u00a0timing\u00a02/2"


def test_a_name_with_a_space_stays_on_one_line() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), players=(totals(2, name="two *words*"), totals(4)))
    (block,) = [f for f in messages.result_message(match).embeds[0].fields if f.name == "Team A"]
    assert "**two\u00a0\\*words\\***" in block.value


def test_an_open_winner_is_not_made_up() -> None:
    text = text_of(messages.round_one_message(match_of(seen(winner=None), attackers_first=None)))
    assert "does not say who won" in text and "Team None" not in text


@given(MATCHES)
def test_every_message_of_a_match_fits_and_loses_nobody(match: MatchSeen) -> None:
    for make in (messages.round_one_message, messages.round_one_pointer, messages.result_message):
        message = make(match)
        assert fits(message)
    assert players_shown(messages.result_message(match)) == len(match.players)


@pytest.mark.parametrize(
    ("first", "second", "winner", "words"),
    [
        (BEATEN, {"winner": 2, "limit": "8:00", "attack_time": "7:12"}, Winner.B, "Team B wins by 0:48"),
        (BEATEN, HELD, Winner.A, "Team A wins: only they made it"),
        (
            BEATEN,
            {**HELD, "winner": 2, "attack_time": "2:00", "surrendered": 1},
            Winner.B,
            "Team B wins: the others gave up",
        ),
        (BEATEN, BEATEN, Winner.A, "Team A wins: as fast, and first"),
        (BEATEN, BEATEN, Winner.B, "Team B wins"),  # the times don't say so
        (
            BEATEN,
            {"winner": 0, "limit": "8:00", "attack_time": "8:00"},
            Winner.A,
            "Team A wins",
        ),  # of round 2 nobody knows
        (HELD, HELD, Winner.DRAW, "draw"),
    ],
)
def test_a_result_says_by_what_it_was_won(
    first: dict[str, Any], second: dict[str, Any], winner: Winner, words: str
) -> None:
    side = second.get("surrendered")
    last = replace(seen(**{k: v for k, v in second.items() if k != "surrendered"}), surrender_side=side)
    (embed,) = messages.result_message(match_of(seen(**first), last, winner=winner)).embeds
    assert embed.title == f"supply · {words}"


def test_a_result_that_a_person_decided_says_no_difference_of_times() -> None:
    quick = seen(winner=2, limit="8:00", attack_time="7:12")
    (embed,) = messages.result_message(match_of(seen(**BEATEN), quick, source=Source.OVERRIDE)).embeds
    assert embed.title == "supply · Team B wins"


def test_both_attacks_are_shown_as_bars_of_one_scale() -> None:
    quick = seen(winner=2, limit="8:00", attack_time="4:00")
    lines = messages.result_message(match_of(seen(**BEATEN), quick)).embeds[0].description.splitlines()
    assert lines[:2] == ["`████████░░░░ ✓  8:00` Team A", "`████░░░░···· ✓  4:00` Team B"]


def test_numbers_of_players_stand_one_below_the_other_and_names_are_whole() -> None:
    name = "a_very|long~name of*the`engine's 36 chars"[:36]
    few = totals(2, name=name, kills=7, deaths=12, damage_given=1203, dpm=99.6, accuracy=8.2, impact=0.5)
    many = totals(4, name="x", kills=28, deaths=9, damage_given=10203, dpm=301.2, accuracy=41.0, impact=1.5)
    match = match_of(seen(**BEATEN), seen(**HELD), winner=Winner.A, players=(many, few))
    (block,) = [f for f in messages.result_message(match).embeds[0].fields if f.name == "Team A"]
    assert block.value.splitlines() == [
        "`1.50 28/9 10,203 301 41%` **x**",
        f"`0.50 7/12  1,203 100  8%` **{unbroken(escape(name))}**",
    ]


def test_what_stands_out_is_a_record_else_a_comeback_else_who_did_most() -> None:
    players = (totals(2, name="quick", impact=1.52), totals(4, name="also", impact=1.5), totals(1, impact=0.7))
    match = match_of(seen(**BEATEN), seen(**HELD), winner=Winner.A, players=players)
    text = text_of(messages.result_message(match))
    assert "⭐ MVP of Team A: **quick**\u00a01.52, **also**\u00a01.50\n" in text  # alone he would be a fair share
    two = replace(match, players=(*players, totals(3, name="best", impact=1.3)))
    assert "⭐ MVP of Team B: **best**\u00a01.30 (next **" in text_of(messages.result_message(two))
    assert "⭐" not in text_of(messages.result_message(replace(two, without_identity=("nobody",))))
    back = replace(match, caught_up_from=MapsWon(0, 3))
    assert "MVP is who had most impact" in text and "MVP is" not in text_of(messages.result_message(back))
    assert "💪 Team A came back from 0–3" in text_of(messages.result_message(back))
    fastest = replace(back, record=FastestAttack(Team.B, 149, 155))
    text = text_of(messages.result_message(fastest))
    assert "⚡ The fastest attack on this map so far, by Team B: **2:29**, before 2:35" in text and "💪" not in text
    unknown = replace(match, players=(*players, totals(6, impact=None)))
    assert "⭐" not in text_of(messages.result_message(unknown))


def test_a_substitution_and_missing_timing_are_said() -> None:
    untimed = replace(seen(**BEATEN), record_key=None), replace(seen(**HELD), record_key=None)
    match = match_of(*untimed, winner=Winner.A, substitutions=("substitution in team A: *new* for old",))
    text = text_of(messages.result_message(match))
    assert "-# substitution in team A\\: \\*new\\* for old" in text and "-# No Lua timing of this match" in text


def test_a_score_without_all_points_says_that_it_is_not_whole() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD))
    assert "0 – 1 Team B**" in text_of(messages.result_message(match))
    short = replace(match, without_points=1)
    assert "0 – 1 Team B, as far as points are known**" in text_of(messages.result_message(short))
