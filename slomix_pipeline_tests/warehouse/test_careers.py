"""Players over years, on rounds made by hand; and the commands about them, on an evening that was played."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.milestones import Deed, Number
from slomix_pipeline.rules.par import Attack, par
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import careers, maps, reading, standings
from slomix_pipeline.warehouse.careers import NotOnePlayer
from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline.warehouse.so_far import so_far_of
from slomix_pipeline.warehouse.standings import Standing
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key
from slomix_pipeline_tests.real_files import FOLDER
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

CYD = "CYD00003"


def found(played: Played, typed: str) -> list[str]:
    """Who is meant, one or several."""
    try:
        return [careers.find_player(played.conn, typed).guid]
    except NotOnePlayer as error:
        return [player.guid for player in error.found]


def test_a_player_is_found_by_every_name_that_he_used_and_by_his_guid(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada"}, {"guid": BOB, "name": "Adam"})
    played.round({"guid": ADA, "name": "Countess"}, number=2)
    played.round({"guid": ADA, "name": "Lady"}, match=2, invalid="filler map")
    for typed in (ADA, ADA.lower(), "ada", "countess", "COUNT", "unt", "lady"):
        assert found(played, typed) == [ADA], typed
    assert found(played, "ad") == [BOB, ADA]  # to choose from, by name
    assert found(played, "nobody") == found(played, "") == found(played, "%") == []
    assert careers.find_player(played.conn, "countess").aliases == ("Ada", "Countess", "Lady")


def test_who_never_played_in_a_round_that_counts_has_no_career(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada"}, invalid="filler map")
    assert found(played, "ada") == []


def test_a_person_is_found_by_all_that_he_was_called_and_has_one_career(played: Played) -> None:
    gun = {"mp40": {"kills": 5, "hits": 30, "shots": 90}}
    played.round({"guid": ADA, "name": "Ada", "kills": 70, "weapons": gun}, {"guid": CYD, "name": "Cyd", "kills": 1})
    played.round({"guid": BOB, "name": "Countess", "kills": 70, "weapons": gun}, session=2)
    played.decided("merge", ADA, BOB)
    for typed in (ADA, BOB, "ada", "countess"):
        assert found(played, typed) == [BOB], typed
    seen = career(played, "ada")
    assert (seen.name, seen.numbers.kills, seen.numbers.rounds) == ("Countess", 140, 2)
    assert [(own.weapon, own.kills) for own in seen.weapons] == [("mp40", 10)]
    assert {own.name for own in seen.aliases} == {"Ada", "Countess"}
    assert [night.kills for night in seen.form.nights] == [70, 70]
    assert [(own.number, own.step) for own in seen.milestones] == [(Number.KILLS, 100)]


def test_who_wishes_not_to_be_named_is_found_by_nothing(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada", "kills": 200}, {"guid": BOB, "name": "Bob", "kills": 1})
    played.decided("hide", ADA, name="Player 3F2A")
    assert found(played, ADA) == found(played, "ada") == found(played, "Player 3F2A") == []
    assert careers.unlocked_in(played.conn, "main:s1") == []


def career(played: Played, guid: str) -> careers.Career:
    return careers.career(played.conn, careers.find_player(played.conn, guid))


def test_a_career_shows_the_numbers_of_its_metrics_and_its_names(played: Played) -> None:
    gun = {"mp40": {"kills": 5, "hits": 30, "shots": 90, "headshots": 3}, "knife": {"deaths": 1}}
    played.round({"guid": ADA, "name": "Ada", "kills": 5, "deaths": 2, "weapons": gun})
    played.round({"guid": ADA, "name": "Countess", "kills": 4, "deaths": 1, "weapons": gun}, session=2)
    seen = career(played, ADA)
    assert (seen.name, seen.numbers.kills, seen.numbers.kd, seen.numbers.rounds) == ("Countess", 9, 3, 2)
    assert seen.numbers.accuracy is None  # not known of these rounds
    assert [(own.weapon, own.kills, own.shots) for own in seen.weapons] == [("mp40", 10, 180)]
    assert [(own.name, own.rounds) for own in seen.aliases] == [("Ada", 1), ("Countess", 1)]
    assert [night.session_key for night in seen.form.nights] == ["main:s2", "main:s1"]
    assert seen.form.usual_kd is None


def test_what_is_usual_is_of_the_nights_before_those_that_are_shown(played: Played) -> None:
    for night in range(1, 11):
        kills = 4 if night <= 5 else 8
        played.round({"guid": ADA, "kills": kills, "deaths": 2}, match=night, session=night)
    form = career(played, ADA).form
    assert [night.kd for night in form.nights] == [4] * 5
    assert form.usual_kd == 2


def won_match(played: Played, key: str, winner: str | None) -> None:
    played.conn.execute(
        """insert into match (match_key, session_key, position, map, status, winner, reason, policy)
           select %s, 'main:s1', 1 + (select count(*) from match), 'supply', 'complete', %s, '', 'map-wins/1'""",
        [key, winner],
    )
    rewrite_facts(played.conn, ["main:s1"])


def test_players_are_held_against_each_other_by_the_matches_that_both_played(played: Played) -> None:
    for winner in ("A", "draw", "B"):
        key = played.round({"guid": ADA}, {"guid": BOB, "side": 2}, {"guid": CYD})
        won_match(played, key, winner)
    played.conn.execute("update session_player set team = 'B' where guid = %s", [BOB])
    played.round({"guid": ADA})  # nobody decided it
    rewrite_facts(played.conn, ["main:s1"])
    met = standings.meetings(played.conn, ADA, BOB)
    assert (met.together, met.against) == (Standing(0, 0, 0), Standing(1, 1, 1))
    assert standings.meetings(played.conn, ADA, CYD).together == Standing(1, 1, 1)
    assert career(played, BOB).standing == Standing(1, 1, 1)


def test_a_match_counts_once_for_a_person_whatever_guids_he_played_it_under(played: Played) -> None:
    for winner in ("A", "draw"):
        key = played.round({"guid": ADA}, {"guid": BOB})
        played.round({"guid": CYD}, {"guid": BOB}, number=2)
        won_match(played, key, winner)
    played.decided("merge", ADA, CYD)
    assert career(played, CYD).standing == Standing(1, 1, 0)
    assert standings.meetings(played.conn, CYD, BOB).together == Standing(1, 1, 0)
    assert standings.meetings(played.conn, BOB, CYD).together == Standing(1, 1, 0)
    assert [night.rounds for night in career(played, CYD).form.nights] == [4]


def test_a_match_in_which_a_person_stood_on_both_teams_is_neither_won_nor_lost(played: Played) -> None:
    key = played.round({"guid": ADA}, {"guid": BOB})
    played.round({"guid": CYD, "side": 2}, {"guid": BOB}, number=2)
    won_match(played, key, "A")
    played.conn.execute("update session_player set team = 'B' where guid = %s", [CYD])
    rewrite_facts(played.conn, ["main:s1"])
    played.decided("merge", ADA, CYD)
    assert career(played, CYD).standing == Standing(0, 0, 0)
    assert standings.meetings(played.conn, CYD, BOB) == standings.Meetings(Standing(0, 0, 0), Standing(0, 0, 0))
    assert career(played, BOB).standing == Standing(1, 0, 0)


FOUR = {ADA: 1, "ADE00001": 1, BOB: 2, "BEN00002": 2}
TEAMS = "update session_player set team = 'B' where guid in ('BOB00002', 'BEN00002')"


def match_of_four(played: Played, winner: str, **sides: int) -> None:
    """Ada and Ade are team A, Bob and Ben B; ``sides``: who stood elsewhere than in the first match."""
    key = played.round(*({"guid": guid, "side": side} for guid, side in (FOUR | sides).items()))
    won_match(played, key, winner)
    played.conn.execute(TEAMS)
    rewrite_facts(played.conn, ["main:s1"])


def test_who_stood_against_his_team_in_a_match_neither_won_nor_lost_it(played: Played) -> None:
    match_of_four(played, "A")
    match_of_four(played, "B", **{ADA: 2})
    assert career(played, ADA).standing == Standing(1, 0, 0)
    assert career(played, "ADE00001").standing == Standing(1, 0, 1)
    assert career(played, BOB).standing == Standing(1, 0, 1)
    assert standings.meetings(played.conn, ADA, BOB).against == Standing(1, 0, 0)
    assert standings.meetings(played.conn, BOB, "ADE00001").against == Standing(1, 0, 1)


def test_who_changed_sides_between_two_rounds_of_a_match_neither_won_nor_lost_it(played: Played) -> None:
    match_of_four(played, "A")
    played.round(*({"guid": guid, "side": side} for guid, side in (FOUR | {ADA: 2}).items()), number=2)
    assert career(played, ADA).standing == Standing(0, 0, 0)
    assert career(played, BOB).standing == Standing(0, 0, 1)


def test_after_an_even_new_split_nobody_won_with_a_team_of_before(played: Played) -> None:
    match_of_four(played, "A", **{ADA: 2, BOB: 1})
    assert [career(played, guid).standing for guid in FOUR] == [Standing(0, 0, 0)] * 4


def test_a_comeback_is_not_his_who_stood_against_his_team_in_it(played: Played) -> None:
    for winner in "BBBAA":
        match_of_four(played, winner)
    match_of_four(played, "A", **{ADA: 2})
    told = {own.player.guid for own in careers.unlocked_in(played.conn, "main:s1") if own.deeds}
    assert told == {"ADE00001"}


def test_a_person_whose_own_guid_played_no_round_that_counts_has_his_career(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada"}, invalid="filler map")
    played.round({"guid": CYD, "name": "Cyd", "kills": 3})
    played.round({"guid": BOB, "name": "Bob"}, invalid="filler map")
    played.decided("merge", CYD, ADA)
    played.decided("merge", BOB, ADA)
    for guid in (ADA, BOB, CYD):
        player = careers.player_of(played.conn, guid)
        assert player and player.guid == ADA and careers.career(played.conn, player).numbers.kills == 3, guid


def test_two_servers_in_turn_make_two_nights(played: Played) -> None:
    for number in range(3):
        played.round({"guid": ADA}, minutes=20 * number)
        played.round({"guid": ADA}, minutes=20 * number + 10, server="other")
    assert [own.nights for own in so_far_of(played.conn, [ADA])[ADA]] == [1] + [2] * 5


def test_a_session_tells_what_was_reached_in_it(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada", "kills": 60}, {"guid": BOB, "kills": 1})
    played.round({"guid": ADA, "name": "Ada", "kills": 60}, {"guid": BOB, "kills": 1}, session=2)
    (unlocked,) = careers.unlocked_in(played.conn, "main:s2")
    assert (unlocked.player.guid, unlocked.player.name) == (ADA, "Ada")
    assert [(own.number, own.step, own.is_badge) for own in unlocked.milestones] == [(Number.KILLS, 100, False)]
    assert careers.unlocked_in(played.conn, "main:s1") == []


@pytest.mark.parametrize(("winners", "came_back_in"), [("BBBAAAA", 6), ("ABBBBAAA", 8), ("BBABAB", None)])
def test_a_comeback_is_a_deed_of_everybody_in_the_team_by_the_rule_of_its_message(
    played: Played, winners: str, came_back_in: int | None
) -> None:
    for winner in winners:
        won_match(played, played.round({"guid": ADA}, {"guid": BOB, "side": 2}), winner)
    played.conn.execute("update session_player set team = 'B' where guid = %s", [BOB])
    rewrite_facts(played.conn, ["main:s1"])
    told = [(own.player.guid, deed) for own in careers.unlocked_in(played.conn, "main:s1") for deed in own.deeds]
    came_back = [match.key for match in reading.matches(played.conn, ["main:s1"]) if match.caught_up_from]
    assert came_back == ([] if came_back_in is None else [f"main:r{came_back_in}"])
    assert [(guid, deed.deed, deed.match_key) for guid, deed in told] == [
        (ADA, Deed.COMEBACK, key) for key in came_back
    ]


def test_the_deeds_of_the_rules_are_told_by_the_database(played: Played) -> None:
    (row,) = played.rows("select pg_get_viewdef('attack_deed') as text")
    assert [deed for deed in Deed if f"'{deed}'" not in row["text"]] == [Deed.COMEBACK]  # a rule of its own


# --- an evening, by the commands ---


@pytest.fixture
def evening(pipeline: Pipeline, tmp_path: Path) -> Evening:
    played = play_evening(31, maps=6)
    write_evening(tmp_path / "archive", played)
    pipeline.import_(tmp_path / "archive")
    return played


def said(pipeline: Pipeline, *arguments: str) -> Any:
    done = pipeline.slomix(*arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_commands_tell_an_evening_as_it_was_played(pipeline: Pipeline, evening: Evening) -> None:
    true_kills: dict[str, int] = {}
    for sim_round in evening.rounds:
        for guid, player in sim_round.players.items():
            true_kills[guid] = true_kills.get(guid, 0) + player.kills
    board = said(pipeline, "board", "kills", "--min-rounds", "1")
    assert {row["guid"]: row["value"] for row in board} == true_kills
    assert [row["rank"] for row in board] == list(range(1, len(board) + 1))
    assert [row["value"] for row in board] == sorted(true_kills.values(), reverse=True)
    best = board[0]
    career = said(pipeline, "player", best["guid"])
    assert (career["guid"], career["name"], career["numbers"]["kills"]) == (best["guid"], best["name"], best["value"])
    standing = career["standing"]
    assert sum(standing.values()) == len(evening.matches)
    compared = said(pipeline, "compare", best["guid"], board[1]["guid"])
    assert [own["guid"] for own in compared["players"]] == [best["guid"], board[1]["guid"]]
    met = compared["meetings"]
    assert sum(met["together"].values()) + sum(met["against"].values()) == len(evening.matches)


def test_every_record_of_an_evening_names_the_bytes_that_it_is_from(pipeline: Pipeline, evening: Evening) -> None:
    bytes_of = {round_key(own): gamestats.dump(own.stats) for own in evening.rounds}
    records = said(pipeline, "records")
    kills = next(own for own in records if (own["kind"], own["level"]) == ("kills", "round"))
    assert kills["value"] == max(player.kills for own in evening.rounds for player in own.players.values())
    for record in records:
        assert record["sha256"] == hashlib.sha256(bytes_of[record["round_key"]]).hexdigest()
        assert record["file"] == record["round_key"].partition(":")[2] + ".txt"
    fastest = {own["map"]: own["value"] for own in records if own["kind"] == "attack"}
    for name, seconds in fastest.items():
        times = [own.duration_seconds for own in evening.rounds if own.map_name == name and own.attackers_won]
        assert seconds == min(map(int, times))


def test_a_full_hold_is_told_once_of_everybody_who_defended(pipeline: Pipeline, evening: Evening) -> None:
    rows = pipeline.rows(
        "select round_key from map_attack where not completed and seconds = limit_seconds and not given_up"
    )
    holds = [
        own for own in evening.rounds if not own.attackers_won and round_key(own) in {r["round_key"] for r in rows}
    ]
    assert holds
    with pipeline.database.connect() as conn:
        unlocked = careers.unlocked_in(conn, pipeline.export()["session"]["key"])
    told = {own.player.guid: deed.round_key for own in unlocked for deed in own.deeds if deed.deed is Deed.FULL_HOLD}
    defended: dict[str, str] = {}
    for hold in holds:
        for guid, player in hold.players.items():
            if player.side == hold.stats.header.defender_side:
                defended.setdefault(guid, round_key(hold))
    assert told == defended


def test_a_map_is_told_with_its_attacks(pipeline: Pipeline, evening: Evening) -> None:
    name = evening.matches[0].map_name
    seen = said(pipeline, "map", name[:-1])
    own = [match for match in evening.matches if match.map_name == name]
    assert (seen["name"], seen["matches"], seen["par"]["attacks"]) == (name, len(own), 2 * len(own))
    assert seen["par"]["completed"] == sum(half.attackers_won for match in own for half in (match.r1, match.r2))


def test_what_is_not_one_thing_ends_with_a_list_and_code_2(pipeline: Pipeline, evening: Evening) -> None:
    for arguments in (
        ("board", "fame"),
        ("board", "kills", "--map", "no such map"),
        ("board", "kills", "--since", "yesterday"),
        ("player", "no such player"),
        ("compare", min(evening.team_a), "no such player"),
        ("map", "no such map"),
    ):
        assert pipeline.slomix(*arguments).exit_code == 2, arguments
    some = next(letter for letter in "eaionrst" if _players_with(pipeline, letter) > 1)
    listed = pipeline.slomix("player", some)
    assert listed.exit_code == 2 and "players are meant by" in listed.stderr
    assert sum(guid in listed.stderr for guid in (*evening.team_a, *evening.team_b)) > 1


def _players_with(pipeline: Pipeline, letter: str) -> int:
    rows = pipeline.rows("select distinct guid from alias where lower(name) like '%%' || %s || '%%'", letter)
    return len(rows)


def test_a_board_in_the_terminal_shows_its_thresholds(pipeline: Pipeline, evening: Evening) -> None:
    board = pipeline.slomix("board", "accuracy")
    assert board.exit_code == 0
    assert "from 10 rounds, 300 damage and 1000 shots" in board.stdout


# --- real files; not part of the project ---

_needs_real_files = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no real files here: they are not part of the project"
)


@_needs_real_files
def test_the_pars_of_real_maps_are_the_known_ones(pipeline: Pipeline) -> None:
    pipeline.import_(FOLDER)
    with pipeline.database.connect() as conn:
        found = {name: maps.map_seen(conn, name) for name in ("te_escape2", "supply", "etl_adlernest")}
        attacks = conn.execute("select seconds, completed from map_attack where map = 'supply'").fetchall()
    told = {name: (seen.par.attacks, seen.par.completed, seen.par.par) for name, seen in found.items()}
    assert told == {"te_escape2": (14, 11, 263), "supply": (10, 7, 581), "etl_adlernest": (12, 10, 416)}
    assert (
        par((Attack(row["seconds"], row["completed"]) for row in attacks), found["supply"].limit_seconds)
        == found["supply"].par
    )
