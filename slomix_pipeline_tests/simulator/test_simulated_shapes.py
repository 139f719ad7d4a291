"""Simulated matches of any shape: who comes and goes, false starts, files that are missing, scripts of long ago."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from slomix_pipeline.formats import gamestats, gametimes
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, StatsFile
from slomix_pipeline.simulator.evening import MAX_BOTS, play_courses
from slomix_pipeline.simulator.matches import Course, FalseStart, Files, Shape, Stay
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writers import Writer
from slomix_pipeline.simulator.writing import round_files
from slomix_pipeline_tests.any_evening import Plan, examples, plans
from slomix_pipeline_tests.simulator.laws import check_laws, lines

MANY = examples(40)


def one_match(stays: Mapping[int, Stay] | None = None, **course: Any) -> Evening:
    """A match of 4 against 4 on a map of 10 minutes; ``stays`` by player, of whom 0 to 3 are team A."""
    return play_courses(3, [Course("supply", 600, Shape.BEATEN, stays or {}, **course)])


def person(played: Evening, number: int) -> str:
    """The GUID of a player by his number: they come in the order of the line-up."""
    return list(one_match().rounds[0].players)[number]


@MANY
@given(plans())
def test_the_files_of_matches_of_any_shape_are_whole_and_their_sums_agree(plan: Plan) -> None:
    played = plan.play()
    for sim_round in played.rounds:
        check_laws(list(sim_round.players.values()))
        timing, *_, stats = round_files(sim_round).values()
        assert with_tenths(gamestats.parse(stats)) == with_tenths(sim_round.stats)
        assert gametimes.parse(timing).number == sim_round.label == gamestats.parse(stats).header.number
        name = parse_file_name(sim_round.stats_name)
        assert (name.map_name, name.number) == (sim_round.map_name, sim_round.label)
    assert [r.stem for r in played.rounds] == [r.stem for r in sorted(played.rounds, key=lambda r: r.stamp)]


def with_tenths(stats: StatsFile) -> StatsFile:
    """Tails as they are printed: what is not whole has one decimal."""
    return replace(
        stats,
        players=tuple(
            replace(p, tail={k: None if v is None else round(v, 1) for k, v in p.tail.items()}) for p in stats.players
        ),
    )


@MANY
@given(plans())
def test_everybody_was_killed_by_those_whose_victim_he_was(plan: Plan) -> None:
    for sim_round in plan.play().rounds:
        killed_by: Counter[str] = Counter()
        for player in sim_round.players.values():
            assert sum(player.victims.values()) == player.kills
            killed_by.update(player.victims)
        assert killed_by == Counter({key: p.deaths for key, p in sim_round.players.items() if p.deaths})


@pytest.mark.parametrize(
    ("stay", "lines_of", "rounds", "sides"),
    [
        (None, (1, 2), (0, 1), (AXIS, ALLIES)),
        (Stay.AWAY, (), (), ()),
        (Stay.JOINS_R1, (1, 2), (0, 1), (AXIS, ALLIES)),
        (Stay.JOINS_R2, (2,), (0,), (ALLIES,)),
        (Stay.JOINS_BETWEEN, (2,), (1,), (ALLIES,)),
        (Stay.LEAVES_R1, (1,), (0,), (AXIS,)),
        (Stay.LEAVES_BETWEEN, (1,), (0,), (AXIS,)),
        (Stay.LEAVES_R2, (1, 2), (0, 1), (AXIS, ALLIES)),
        (Stay.RECONNECTS, (1, 2), (0, 0), (AXIS, ALLIES)),
        (Stay.RECONNECTS_UNSEEN, (1, 2), (0, 1), (AXIS, ALLIES)),
        (Stay.WATCHES_END_R1, (1, 2), (0, 1), (SPECTATOR, ALLIES)),
        (Stay.WATCHES_END_R2, (1, 2), (0, 1), (AXIS, SPECTATOR)),
        (Stay.SITS_OUT_R2, (1, 2), (0, 1), (AXIS, SPECTATOR)),
        (Stay.GOES_OVER_R1, (1, 2), (0, 1), (ALLIES, ALLIES)),
        (Stay.GOES_OVER_AND_BACK_R2, (1, 2), (0, 1), (AXIS, ALLIES)),
        (Stay.REFUNDED, (1, 2), (0, 1), (AXIS, ALLIES)),
    ],
)
def test_who_comes_and_goes_has_the_lines_that_the_engine_would_leave(
    stay: Stay | None, lines_of: tuple[int, ...], rounds: tuple[int, ...], sides: tuple[int, ...]
) -> None:
    played = one_match({1: stay} if stay else {})
    guid = person(played, 1)
    (match,) = played.matches
    found = {r.number: line for r in (match.r1, match.r2) if (line := lines(r.stats).get(guid))}
    assert tuple(found) == lines_of
    assert tuple(line.rounds for line in found.values()) == rounds
    assert tuple(line.side for line in found.values()) == sides
    goes_on = len(found) == 2 and stay not in (Stay.RECONNECTS, Stay.RECONNECTS_UNSEEN)
    if 2 in found and guid in match.r2.players:
        before = match.r1.players[guid].kills if goes_on else 0
        assert found[2].total("kills") - before == match.r2.players[guid].kills
    assert (guid in match.r2.players) == (2 in found and stay is not Stay.SITS_OUT_R2)


def test_who_sits_a_round_out_has_a_line_in_which_nothing_moved() -> None:
    played = one_match({1: Stay.SITS_OUT_R2})
    guid = person(played, 1)
    before, after = (lines(r.stats)[guid] for r in played.rounds)
    assert after.weapons == before.weapons
    for name in ("damage_given", "minutes_played", "self_kills", "alive_percent", "kd"):
        assert after.tail[name] == before.tail[name]
    assert after.tail["xp"] == after.tail["minutes_dead"] == 0


def test_a_false_start_leaves_a_file_of_its_own_and_an_aborted_one_the_label_of_the_other_round() -> None:
    played = one_match(starts=[FalseStart.ABORTED, FalseStart.REPLAYED])
    assert [(r.number, r.label, r.status) for r in played.rounds] == [
        (1, 2, "aborted"),
        (1, 1, "superseded"),
        (1, 1, "complete"),
        (2, 2, "complete"),
    ]
    aborted, superseded, *_ = played.rounds
    assert "round-2" in aborted.stats_name and "-R2-" in aborted.timing_name
    assert aborted.stats.header.playtime_seconds is None and aborted.stats.header.playtime == "-" + str(
        aborted.duration_seconds * 1000
    )
    assert {line.rounds for line in aborted.stats.players} == {0}
    assert superseded.team_on(AXIS) == "B" and len(superseded.players) == 7


@pytest.mark.parametrize(
    ("files", "left"),
    [
        (Files.BOTH, [(1, "complete"), (2, "complete")]),
        (Files.ONLY_R1, [(1, "r1_only")]),
        (Files.ONLY_R2, [(2, "r2_only")]),
        (Files.R2_ABORTED, [(1, "r1_only"), (2, "aborted")]),
    ],
)
def test_of_a_match_only_the_files_that_are_left_are_rounds(files: Files, left: list[tuple[int, str]]) -> None:
    played = one_match(files=files)
    assert [(r.number, r.status) for r in played.rounds] == left
    assert len(played.matches) == (files is Files.BOTH)


def test_a_round_one_without_its_second_is_superseded_when_the_map_is_played_again() -> None:
    half = Course("supply", 600, Shape.BEATEN, files=Files.ONLY_R1)
    for other, status in (("supply", "superseded"), ("te_escape2", "r1_only")):
        played = play_courses(1, [half, replace(half, map_name=other, files=Files.BOTH)])
        assert played.rounds[0].status == status
        first_valid = next(r for r in played.rounds if r.valid)
        assert first_valid.team_on(AXIS) == "A"


def test_bots_share_a_guid_in_files_and_nothing_in_the_truth() -> None:
    first = one_match(bots=MAX_BOTS).rounds[0]
    assert [line.guid for line in first.stats.players].count("OMNIBOT0") == MAX_BOTS
    assert sum(p.fighter.is_bot for p in first.players.values()) == MAX_BOTS
    assert not first.valid


def test_who_goes_over_to_the_enemy_kills_on_both_sides_and_the_teams_stay_as_they_are() -> None:
    played = one_match({1: Stay.GOES_OVER_R1, 6: Stay.GOES_OVER_AND_BACK_R2})
    (match,) = played.matches
    for half, number, times in ((match.r1, 1, 1), (match.r2, 6, 2)):
        guid = person(played, number)
        assert [deed.kind for deed in half.deeds if deed.who == guid].count("switch") == times
        victims = {half.players[victim].side for victim in half.players[guid].victims}
        assert victims == {AXIS, ALLIES}
        assert {half.team_on(side) for side in (AXIS, ALLIES)} == {"A", "B"}
    assert match.winner in ("A", "B", "draw")


def test_a_reset_match_leaves_attempts_without_a_file() -> None:
    played = one_match(starts=[FalseStart.REPLAYED], resets=True)
    assert [(r.number, r.status) for r in played.restarted] == [(2, "restarted"), (1, "restarted")]
    assert [(r.number, r.status) for r in played.rounds] == [(1, "superseded"), (1, "complete"), (2, "complete")]
    ends = [r.ended_at for r in (played.rounds[0], *played.restarted, *played.rounds[1:])]
    assert ends == sorted(ends)


def test_a_renamed_player_keeps_his_guid() -> None:
    played = one_match(renames={1: "^3other"})
    guid = person(played, 1)
    first, second = (lines(r.stats)[guid] for r in played.rounds)
    assert first.name != second.name == "^3other"
    assert second.total("hits") > first.total("hits")


@pytest.mark.parametrize(("tail", "missing"), [(33, 5), (36, 2), (37, 1), (38, 0)])
def test_older_scripts_leave_out_what_they_did_not_know(tail: int, missing: int) -> None:
    old = Writer(tail, 8, line_end="\r\n", held_time="0:00")
    first, second = play_courses(3, [Course("supply", 600, Shape.DOUBLE_HOLD, writers=(old, old))]).rounds
    assert b"\r\n" in first.stats_bytes and gamestats.parse(first.stats_bytes).tail_fields == tail
    assert first.stats.header.playtime is None
    assert (first.stats.header.attack_time, second.stats.header.attack_time) == ("10:00", "0:00")
    for line in first.stats.players:
        own = first.players[line.guid]
        assert list(line.tail.values()).count(None) == missing
        assert (line.tail["bullets_fired"] == own.counters["bullets_fired"]) == (tail == 38)
        assert line.tail["denied_playtime"] in (None, own.counters["denied_playtime"])
