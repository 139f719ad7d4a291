"""Teams through the pipeline: what is stored, shown, checked, and how known teams get their names, then and later."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from slomix_pipeline.actions.teams import NoTeam, read_team
from slomix_pipeline.discord import messages
from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.overrides import OverrideKind
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import LETTER_COLOURS, KnownTeam, NameSource, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.simulator.evening import play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, Shape, Stay
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import overrides, reading, teams
from slomix_pipeline_tests.building import on_the_other_side
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key


def play(pipeline: Pipeline, evening: Evening) -> dict[str, Any]:
    """The evening goes through the pipeline. Returns the teams as exported."""
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    return exported(pipeline)


def exported(pipeline: Pipeline) -> dict[str, Any]:
    found: dict[str, Any] = pipeline.export()["teams"]
    return found


def courses(*stays: dict[int, Stay], bots: Sequence[int] = ()) -> list[Course]:
    """A match each, in which these players are away or come late; and so many bots."""
    maps = ("supply", "te_escape2", "sw_goldrush_te", "etl_adlernest")
    return [
        Course(maps[i % 4], 600, Shape.BEATEN, stays=who, bots=bots[i] if i < len(bots) else 0)
        for i, who in enumerate(stays)
    ]


def team_checks(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    rows = pipeline.rows("select * from check_result where check_name = 'teams'")
    return {row["partition_key"]: row for row in rows}


# --- what is stored ---


def test_of_a_session_it_is_stored_who_is_in_its_teams_what_they_are_called_and_how_sure_it_is(
    pipeline: Pipeline,
) -> None:
    evening = play_evening(61, maps=2, ends_at=just_now())
    found = play(pipeline, evening)
    assert {guid["guid"] for guid in found["A"]["players"]} == evening.team_a
    assert {guid["guid"] for guid in found["B"]["players"]} == evening.team_b
    assert (found["A"]["name"], found["A"]["name_source"], found["A"]["shown"]) == ("fox", "tag", "fox (A)")
    assert (found["B"]["name"], found["B"]["name_source"], found["B"]["shown"]) == ("owl", "tag", "owl (B)")
    assert (found["confidence"], found["open"], found["flags"]) == ("high", [], [])
    assert found["reasons"] == [
        "everybody's team can be told",
        "everybody stands with his team in 4 of 4 rounds",
    ]
    assert all(check["passed"] for check in team_checks(pipeline).values())
    assert len(team_checks(pipeline)) == 4


def test_a_substitution_is_told_with_its_round_and_fails_no_check(pipeline: Pipeline) -> None:
    evening = play_courses(62, courses({3: Stay.AWAY}, {2: Stay.AWAY}), players_per_team=4, ends_at=just_now())
    found = play(pipeline, evening)
    (flag,) = found["flags"]
    assert (flag["kind"], flag["team"]) == ("substitution", "A")
    assert flag["rounds"] == [round_key(evening.matches[1].r1)]
    assert (len(flag["players"]), len(flag["gone"])) == (1, 1)
    assert flag["text"].startswith("substitution in team A: fox|")
    assert found["confidence"] == "high"
    checks = team_checks(pipeline)
    assert {check["passed"] for check in checks.values()} == {True}
    told = {key: check["metadata"]["in this round"] for key, check in checks.items()}
    assert [key for key, text in told.items() if text != "nothing odd"] == flag["rounds"]


def test_a_lobby_that_was_split_anew_makes_the_check_warn_and_says_so_in_its_rounds(pipeline: Pipeline) -> None:
    evening = play_courses(63, courses({}, {}), players_per_team=3, ends_at=just_now())
    moved = {min(evening.team_a), min(evening.team_b)}
    first, second = evening.matches
    for half in (first.r1, first.r2):
        pipeline.put_stats(half)
    for half in (second.r1, second.r2):
        pipeline.put(half.stats_name, gamestats.dump(on_the_other_side(half.stats, moved)))
    pipeline.take_in()
    found = exported(pipeline)
    assert found["confidence"] == "low"
    assert found["reasons"][0] == "the lobby was split anew in 2 rounds"
    assert [(flag["kind"], flag["rounds"], set(flag["players"])) for flag in found["flags"]] == [
        ("roster_changed", [round_key(second.r1), round_key(second.r2)], moved)
    ]
    assert {p["guid"] for p in found["A"]["players"]} == evening.team_a  # they keep their first teams
    checks = team_checks(pipeline)
    assert {(check["passed"], check["severity"]) for check in checks.values()} == {(False, "WARN")}


def test_a_match_whose_sides_cannot_be_told_apart_is_not_counted_because_the_roster_changed(
    pipeline: Pipeline,
) -> None:
    evening = play_courses(64, courses({}, {}), players_per_team=4, ends_at=just_now())
    moved = {*sorted(evening.team_a)[:2], *sorted(evening.team_b)[:2]}
    first, second = evening.matches
    for half in (first.r1, first.r2):
        pipeline.put_stats(half)
    for half in (second.r1, second.r2):
        pipeline.put(half.stats_name, gamestats.dump(on_the_other_side(half.stats, moved)))
    pipeline.take_in()
    matches = pipeline.export()["matches"]
    assert matches[0]["winner"] == first.winner
    assert (matches[1]["winner"], "roster changed" in matches[1]["reason"]) == (None, True)
    flags = exported(pipeline)["flags"]
    assert [flag["kind"] for flag in flags] == ["roster_changed", "tie"]
    assert flags[1]["rounds"] == [round_key(second.r1), round_key(second.r2)]


def test_bots_and_their_rounds_say_nothing_of_the_teams(pipeline: Pipeline) -> None:
    evening = play_courses(65, courses({}, {}, bots=[2, 0]), players_per_team=3, ends_at=just_now())
    found = play(pipeline, evening)
    people = {p["guid"] for team in "AB" for p in found[team]["players"]}
    assert people == evening.team_a | evening.team_b
    assert (found["open"], found["confidence"]) == ([], "high")
    assert "in 2 of 2 rounds" in found["reasons"][1]
    checks = team_checks(pipeline)
    assert checks[round_key(evening.rounds[0])]["metadata"] == {"looked at": "nothing: bots took part"}
    assert checks[round_key(evening.rounds[-1])]["metadata"]["confidence"] == "high"
    bots = pipeline.rows("select team, open_reason from session_player where guid like 'BOT-%%'")
    assert bots == [{"team": None, "open_reason": None}] * 2


def test_a_session_without_a_round_that_counts_has_no_teams_and_fails_no_check(pipeline: Pipeline) -> None:
    evening = play_courses(66, courses({}, bots=[4]), players_per_team=3, ends_at=just_now())
    found = play(pipeline, evening)
    assert (found["confidence"], found["reasons"]) == ("low", ["no round counts"])
    assert (found["A"]["players"], found["A"]["name"], found["A"]["name_source"]) == ([], "Team A", "letter")
    assert all(check["passed"] for check in team_checks(pipeline).values())


# --- known teams ---


def known(evening: Evening, name: str = "Night Owls") -> KnownTeam:
    return KnownTeam(name, 0x123456, frozenset(evening.team_b))


def remember(pipeline: Pipeline, team: KnownTeam) -> None:
    with pipeline.database.transaction() as conn:
        teams.remember_team(conn, team)


def test_a_team_that_is_named_later_renames_its_past_sessions_and_corrects_their_messages(pipeline: Pipeline) -> None:
    evening = play_evening(68, maps=1, ends_at=just_now())
    play(pipeline, evening)
    pipeline.report_sessions()
    before = pipeline.page.messages()
    assert "owl (B)" in str(before)
    remember(pipeline, known(evening))
    first = round_key(evening.rounds[0])
    assert pipeline.stale() == [first]
    pipeline.work(first)
    assert pipeline.stale() == []
    found = exported(pipeline)
    assert (found["B"]["shown"], found["B"]["name_source"], found["B"]["colour"]) == (
        "Night Owls (B)",
        "known",
        "#123456",
    )
    assert pipeline.report_sessions() == [f"{SERVER}:{evening.rounds[0].stem[:17]}"]
    after = pipeline.page.messages()
    assert len(after) == len(before)
    assert "Night Owls (B)" in str(after) and "owl (B)" not in str(after)


def test_a_team_that_is_forgotten_or_has_other_players_gives_its_name_back(pipeline: Pipeline) -> None:
    evening = play_evening(69, maps=1, ends_at=just_now())
    remember(pipeline, known(evening))
    assert play(pipeline, evening)["B"]["shown"] == "Night Owls (B)"
    assert pipeline.stale() == []
    remember(pipeline, KnownTeam("NIGHT owls", None, frozenset(["0000AAAA"])))
    assert pipeline.stale() == [round_key(evening.rounds[0])]
    pipeline.work(pipeline.stale())
    assert (exported(pipeline)["B"]["shown"], pipeline.stale()) == ("owl (B)", [])
    with pipeline.database.transaction() as conn:
        assert [team.name for team in teams.known_teams(conn)] == ["NIGHT owls"]
        assert teams.forget_team(conn, "night OWLS")
        assert not teams.forget_team(conn, "night OWLS")
    assert pipeline.stale() == []  # nobody of it ever played


@pytest.mark.parametrize(
    ("name", "guids", "colour", "why"),
    [
        ("x", ["0123ABCD"], None, "2 to 24 characters"),
        ("^1^2x", ["0123ABCD"], None, "2 to 24 characters"),
        ("n" * 25, ["0123ABCD"], None, "2 to 24 characters"),
        ("Owls", ["0123ABC"], None, "is no GUID"),
        ("Owls", ["0123ABCG"], None, "is no GUID"),
        ("Owls", ["0123ABCD"], "blue", "is no colour"),
    ],
)
def test_what_is_no_team_is_refused_with_the_reason(name: str, guids: list[str], colour: str | None, why: str) -> None:
    with pytest.raises(NoTeam, match=why):
        read_team(name, guids, colour)


def test_a_team_is_read_as_it_is_typed() -> None:
    assert read_team("^1Night  Owls ", ["0123abcd", "0123ABCD"], "#3498db") == KnownTeam(
        "Night Owls", 0x3498DB, frozenset(["0123ABCD"])
    )


def test_people_name_list_and_forget_teams_on_the_command_line(pipeline: Pipeline) -> None:
    evening = play_evening(70, maps=1, players_per_team=3, ends_at=just_now())
    play(pipeline, evening)
    guids = sorted(evening.team_b)
    named = pipeline.slomix("team", "name", "Night Owls", *guids, "--colour", "3498DB")
    assert (named.exit_code, named.stdout.strip()) == (0, "Night Owls: 3 players; sessions named anew: 1"), named.stderr
    assert exported(pipeline)["B"]["shown"] == "Night Owls (B)"
    assert pipeline.stale() == []
    listed = pipeline.slomix("team", "list").stdout
    assert "Night Owls" in listed and "#3498DB" in listed and all(guid in listed for guid in guids)
    assert "fox (A) – Night Owls (B)" in pipeline.slomix("sessions").stdout
    assert pipeline.slomix("team", "forget", "no such team").exit_code == 2
    forgotten = pipeline.slomix("team", "forget", "night owls")
    assert forgotten.stdout.strip() == "night owls is forgotten; sessions named anew: 1", forgotten.stderr
    assert exported(pipeline)["B"]["shown"] == "owl (B)"


# --- what people decided ---


def test_a_player_whose_team_a_person_decided_is_in_it_and_it_is_said(pipeline: Pipeline) -> None:
    evening = play_evening(71, maps=1, players_per_team=4, ends_at=just_now())
    play(pipeline, evening)
    player, key = min(evening.team_a), round_key(evening.rounds[0])
    with pipeline.database.transaction() as conn:
        overrides.add(
            conn,
            OverrideKind.TEAM,
            SERVER,
            key,
            "B",
            guid=player,
            roster=sorted(evening.team_b),
            reason="he stood in for somebody",
            made_by="an admin",
        )
    pipeline.work(key)
    found = exported(pipeline)
    assert {p["guid"] for p in found["B"]["players"]} == evening.team_b | {player}
    assert "a person decided of 1 player" in found["reasons"]


# --- how they are shown ---


def test_what_is_said_of_a_match_has_names_with_letters_and_the_winners_colour(pipeline: Pipeline) -> None:
    evening = play_evening(72, maps=1, ends_at=just_now())
    play(pipeline, evening)
    with pipeline.database.connect() as conn:
        (match,) = reading.matches(conn, [f"{SERVER}:{evening.rounds[0].stem[:17]}"])
    named = {
        "A": TeamName("A", "*Red* @everyone", NameSource.KNOWN, 0xABCDEF),
        "B": TeamName("B", "x" * 24, NameSource.KNOWN, 0),
    }
    (embed,) = messages.result_message(replace(match, teams=named, winner=Winner.A)).embeds
    assert embed.color == 0xABCDEF
    assert r" · \*Red\* \@everyone (A) wins" in embed.title
    (embed,) = messages.result_message(replace(match, teams=named, winner=Winner.B)).embeds
    assert embed.color == 0
    assert [field.name for field in embed.fields][-1].endswith("(B)")
    (embed,) = messages.result_message(replace(match, winner=Winner.B)).embeds
    assert embed.color == LETTER_COLOURS[Team.B]
