"""The simulated evening: its files are whole, its sums agree, and it has what it promises."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.formats import gamestats, gametimes
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, PlayerLine, StatsFile
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.formats.times import parse_time
from slomix_pipeline.simulator.evening import MAPS, MAX_BOTS, play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, FalseStart, Files, Shape, Stay
from slomix_pipeline.simulator.values import Evening, SimMatch, SimRound, TruePlayer
from slomix_pipeline.simulator.writers import Writer
from slomix_pipeline.simulator.writing import place_for_live, play_live, round_files, write_evening, write_round
from slomix_pipeline_tests.any_evening import Plan, examples, plans

SEEDS = range(1, 5)
LJUBLJANA = ZoneInfo("Europe/Ljubljana")
MANY = examples(40)
SOME_EVENINGS = settings(max_examples=12, deadline=None, database=None)


@cache
def evening(seed: int = 1) -> Evening:
    return play_evening(seed, players_per_team=3 + seed % 4, leaver=seed == 2, reconnect=seed == 2)


def all_rounds() -> Iterator[SimRound]:
    for seed in SEEDS:
        yield from evening(seed).rounds


def all_matches() -> Iterator[SimMatch]:
    for seed in SEEDS:
        yield from evening(seed).matches


def files(played: Evening) -> dict[str, bytes]:
    return {name: data for sim_round in played.rounds for name, data in round_files(sim_round).items()}


def timing_and_stats(sim_round: SimRound) -> tuple[bytes, bytes]:
    contents = round_files(sim_round)
    return contents[f"gametimes/{sim_round.timing_name}"], contents[f"gamestats/{sim_round.stats_name}"]


def lines(stats: StatsFile) -> dict[str, PlayerLine]:
    return {line.guid: line for line in stats.players}


def check_laws(players: list[TruePlayer]) -> None:
    for side in (AXIS, ALLIES):
        assert sum(p.kills for p in players if p.side == side) == sum(p.deaths for p in players if p.side != side)
        assert sum(p.damage_given for p in players if p.side == side) == sum(
            p.damage_received for p in players if p.side != side
        )
    for one, other in (("team_damage_given", "team_damage_received"), ("revives_given", "times_revived")):
        assert sum(p.counters[one] for p in players) == sum(p.counters[other] for p in players)
    for weapon in {weapon for p in players for weapon in p.weapons}:
        held = [p.weapons[weapon] for p in players if weapon in p.weapons]
        assert sum(counts.kills for counts in held) == sum(counts.deaths for counts in held)
    for p in players:
        assert 0 <= p.headshots <= p.hits <= p.shots
        assert p.counters["headshot_kills"] <= p.kills
        assert p.counters["bullets_fired"] == p.shots
        assert p.revives_given == (p.weapons["syringe"].hits if "syringe" in p.weapons else 0)
        assert 0 <= p.seconds_dead <= p.seconds_played and p.seconds_played % 6 == 0
        assert min(p.counters.values()) >= 0


def check_files(played: Evening) -> None:
    for sim_round in played.rounds:
        timing, *_, stats = round_files(sim_round).values()
        assert gamestats.parse(stats) == sim_round.stats
        assert gamestats.dump(gamestats.parse(stats)) == stats
        assert replace(gametimes.parse(timing), raw={}) == sim_round.timing


@SOME_EVENINGS
@given(st.integers(0, 2**32), st.integers(3, 6), st.integers(1, 3), st.booleans(), st.booleans())
def test_every_evening_is_whole(seed: int, players: int, maps: int, leaver: bool, reconnect: bool) -> None:
    played = play_evening(seed, players_per_team=players, maps=maps, leaver=leaver, reconnect=reconnect)
    check_files(played)
    for sim_round in played.rounds:
        check_laws(list(sim_round.players.values()))
        assert set(lines(sim_round.stats)) == set(sim_round.players)
    assert {guid for r in played.rounds for guid in r.players} == played.team_a | played.team_b
    assert len(played.team_a) == len(played.team_b) == players and not played.team_a & played.team_b


@pytest.mark.parametrize("seed", SEEDS)
def test_files_of_a_whole_evening_parse_to_what_was_written(seed: int) -> None:
    check_files(evening(seed))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert files(play_evening(7, maps=2)) == files(play_evening(7, maps=2))
    assert files(play_evening(7, maps=2)) != files(play_evening(8, maps=2))


def test_round_1_files_hold_the_rounds_own_numbers() -> None:
    for sim_round in all_rounds():
        if sim_round.number == 1:
            for guid, line in lines(sim_round.stats).items():
                own = sim_round.players[guid]
                assert line.weapons == own.weapons
                assert {name: line.tail[name] for name in own.counters} == own.counters
                assert line.tail["minutes_played"] == own.seconds_played / 60
                assert (line.name, line.side) == (own.name, own.side)


def test_round_2_files_count_on_what_the_engine_counts_and_nothing_else() -> None:
    for match in all_matches():
        before, after = lines(match.r1.stats), lines(match.r2.stats)
        for guid, own in match.r2.players.items():
            line = after[guid]
            earlier = before.get(guid)
            if earlier is None or line.rounds == 0:
                assert line.weapons == own.weapons
                assert line.tail["damage_given"] == own.damage_given
                continue
            assert line.rounds == earlier.rounds + 1 and {line.side, earlier.side} == {AXIS, ALLIES}
            for column in ("hits", "shots", "kills", "deaths", "headshots"):
                assert line.total(column) - earlier.total(column) == getattr(own, column)
            for name in (
                "damage_given",
                "damage_received",
                "team_damage_given",
                "team_damage_received",
                "gibs",
                "self_kills",
                "team_kills",
                "team_gibs",
                "bullets_fired",
            ):
                assert (line.tail[name] or 0) - (earlier.tail[name] or 0) == own.counters[name]
            minutes = (line.tail["minutes_played"] or 0) - (earlier.tail["minutes_played"] or 0)
            assert round(minutes * 60) == own.seconds_played
            for name in ("xp", "killing_spree", "revives_given", "denied_playtime", "useful_kills", "multikills_2"):
                assert line.tail[name] == own.counters[name]


def test_ratios_are_what_the_script_makes_of_mixed_counts() -> None:
    match = evening().matches[-1]
    before, after = lines(match.r1.stats), lines(match.r2.stats)
    for guid, line in after.items():
        first, second = match.r1.players[guid], match.r2.players[guid]
        both = first.seconds_played + second.seconds_played
        assert line.tail["dpm"] == before[guid].tail["dpm"] == 0.0
        assert line.tail["dead_percent"] == pytest.approx(100 * second.seconds_dead / both, abs=0.051)
        assert line.tail["minutes_dead"] == pytest.approx(second.seconds_dead / 60, abs=0.051)
        alive = both - first.seconds_dead - second.seconds_dead
        assert line.tail["alive_percent"] == pytest.approx(100 * alive / both, abs=0.051)
        kills, deaths = line.total("kills"), line.total("deaths")
        assert line.tail["kd"] == pytest.approx(kills / deaths if deaths else kills + 1, abs=0.051)


def test_headers_say_what_the_engine_would_say() -> None:
    for match in all_matches():
        for half in (match.r1, match.r2):
            header = half.stats.header
            assert header.map_name == half.map_name and header.number == half.number
            assert header.defender_side == AXIS and (header.winner_side != AXIS) == half.attackers_won
            assert header.limit_seconds == half.limit_seconds
            if half.attackers_won:
                assert header.attack_seconds == half.duration_seconds < half.limit_seconds
            else:
                assert header.attack_time == header.limit
            assert 0 < (header.playtime_seconds or 0) - half.duration_seconds < 1
        assert match.r1.limit_seconds == MAPS[match.map_name]
        assert match.r2.stats.header.limit == match.r1.stats.header.attack_time


def test_the_winner_is_who_attacked_faster() -> None:
    for match in all_matches():
        first, second = match.times
        attacked_first = match.r1.team_on(ALLIES)
        attacked_second = match.r2.team_on(ALLIES)
        assert attacked_first != attacked_second
        if second is not None:
            assert match.winner == attacked_second and (first is None or second < first)
        else:
            assert match.winner == ("draw" if first is None else attacked_first)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_evening_has_everything_it_promises(seed: int) -> None:
    played = evening(seed)
    by_times = Counter((first is None, second is None) for first, second in (m.times for m in played.matches))
    assert by_times[False, False] and by_times[False, True]  # beaten, held
    assert by_times[True, False]  # a full hold that is decided all the same
    assert by_times[True, True]  # a draw
    assert any(a.map_name == b.map_name for a, b in pairwise(played.matches))
    assert len({m.map_name for m in played.matches}) == len(played.matches) - 1 == 6
    assert sum(played.score) == len(played.matches) and played.score.draws == by_times[True, True]

    (gave_up,) = [r for r in played.rounds if r.surrender_side]
    assert gave_up.surrender_side == gave_up.attackers_side and not gave_up.attackers_won
    assert (parse_time(gave_up.stats.header.attack_time) or 0) - gave_up.duration_seconds > 60
    assert gave_up.timing.end_reason == "surrender"
    assert gave_up.timing.duration_seconds == gave_up.duration_seconds


@pytest.mark.parametrize("seed", SEEDS)
def test_someone_comes_late_into_a_round_2_and_stays(seed: int) -> None:
    played = evening(seed)
    first_seen = {guid: i for i, r in reversed(list(enumerate(played.rounds))) for guid in r.players}
    ((late, index),) = [(guid, i) for guid, i in first_seen.items() if i]
    joined = played.rounds[index]
    assert joined.number == 2 and lines(joined.stats)[late].rounds == 0
    assert joined.players[late].seconds_played < joined.duration_seconds
    assert all(late in r.players for r in played.rounds[index:])


def test_swings_of_a_knife_are_taken_back_once() -> None:
    for seed in SEEDS:
        fallen = [
            own
            for r in evening(seed).rounds
            for own in r.players.values()
            if "knife" in own.weapons and own.weapons["knife"].shots < 0
        ]
        assert [own.weapons["knife"].shots for own in fallen] == [-2]
        assert all(c.shots >= 0 for r in evening(seed).rounds for p in r.stats.players for c in p.weapons.values())


def test_who_leaves_keeps_his_last_line_and_who_comes_back_starts_anew() -> None:
    played = evening(2)
    left = [
        (r, p)
        for r in played.rounds
        for p in r.players.values()
        if p.guid in played.team_a and p.seconds_played < r.duration_seconds
    ]
    ((half, leaver),) = left
    assert half.number == 2 and lines(half.stats)[leaver.guid].rounds == 1
    anew = [
        (m, guid)
        for m in played.matches
        for guid, line in lines(m.r2.stats).items()
        if line.rounds == 0 and guid in m.r1.players
    ]
    ((match, back),) = anew
    assert lines(match.r2.stats)[back].total("kills") == match.r2.players[back].kills


def test_a_map_played_again_at_once_starts_its_rounds_at_1() -> None:
    for seed in SEEDS:
        for before, match in pairwise(evening(seed).matches):
            expected = int(before.map_name == match.map_name)
            assert {line.rounds for line in match.r1.stats.players} == {expected}


def test_team_a_stands_on_side_1_first_and_sides_swap() -> None:
    for seed in SEEDS:
        played = evening(seed)
        assert played.rounds[0].team_on(AXIS) == "A"
        for match in played.matches:
            for guid in match.r1.sides.keys() & match.r2.sides.keys():
                assert {match.r1.sides[guid], match.r2.sides[guid]} == {AXIS, ALLIES}
            for half in (match.r1, match.r2):
                on_axis = {guid for guid, side in half.sides.items() if side == AXIS}
                assert on_axis <= (played.team_a if half.team_on(AXIS) == "A" else played.team_b)


def test_numbers_are_those_of_real_rounds() -> None:
    rows = [p for r in all_rounds() for p in r.players.values() if p.seconds_played >= 240]
    assert 6 <= median(p.kills for p in rows) <= 16 and max(p.kills for p in rows) <= 45
    assert 200 <= median(p.damage_given * 60 / p.seconds_played for p in rows) <= 330
    assert 28 <= median(100 * p.hits / p.shots for p in rows) <= 42
    assert 10 <= median(100 * p.seconds_dead / p.seconds_played for p in rows) <= 40


def test_names_are_awkward_and_people_keep_their_guids() -> None:
    people = {
        p.guid: p.name
        for seed in range(12)
        for r in play_evening(seed, players_per_team=6, maps=1).rounds
        for p in r.players.values()
    }
    names = "".join(people.values())
    assert len(people) == len({clean_name(name) for name in people.values()}) == 14
    assert all(sign in names for sign in ("_", "*", "|", "`", "~", "@", "^1", "^/", "ž"))
    assert not any(sign in names for sign in ('"', ";", "\\", "\n"))


def test_rosters_in_timing_records_are_those_who_played() -> None:
    for sim_round in evening().rounds:
        record = gametimes.parse(round_files(sim_round)[f"gametimes/{sim_round.timing_name}"])
        fields = {f["name"]: f["value"] for f in record.raw["payload"]["embeds"][0]["fields"]}
        for key, side in (("Axis_JSON", AXIS), ("Allies_JSON", ALLIES)):
            assert {p["guid"][:8] for p in json.loads(fields[key])} == {
                g for g, s in sim_round.sides.items() if s == side
            }
        deaths = {s["guid"][:8]: s["deaths"] for s in record.raw["meta"]["spawn_stats"]}
        assert all(deaths[guid] >= p.deaths for guid, p in sim_round.players.items())


def test_file_names_carry_the_end_in_local_time() -> None:
    ends_at = datetime(2026, 7, 3, 21, 59, 58, 900_000, tzinfo=UTC)
    last = play_evening(3, maps=2, ends_at=ends_at, zone=LJUBLJANA).rounds[-1]
    assert last.ended_at == ends_at.replace(microsecond=0)
    assert last.stats_name.startswith("2026-07-04-000001-") and last.stats_name.endswith("-round-2.txt")
    stats, timing = parse_file_name(last.stats_name), parse_file_name(last.timing_name)
    assert stats.stamp == datetime(2026, 7, 4, 0, 0, 1) and stats.map_name == timing.map_name == last.map_name
    assert timing.ended_at == last.ended_at
    assert last.stem == stats.stem


def test_rounds_follow_each_other_with_time_to_warm_up() -> None:
    for seed in SEEDS:
        for before, after in pairwise(evening(seed).rounds):
            started = after.ended_at - timedelta(seconds=after.duration_seconds)
            assert timedelta(seconds=45) <= started - before.ended_at <= timedelta(seconds=105)


@SOME_EVENINGS
@given(st.integers(0, 1200), st.integers(0, 10_000))
def test_an_evening_played_live_never_has_a_stamp_in_the_future(every_seconds: int, milliseconds: int) -> None:
    every = timedelta(seconds=every_seconds)
    starts_at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    placed = place_for_live(evening(), starts_at, every)
    late = [starts_at + index * every - r.stamp for index, r in enumerate(placed.rounds)]
    assert timedelta(0) <= min(late) < timedelta(seconds=1)
    if every_seconds < 150:
        assert late[-1] == min(late)  # the last round ends when it is written
    assert placed.rounds[-1].ended_at - placed.started_at < timedelta(hours=4)


def test_a_round_is_written_timing_record_first_and_leaves_nothing_else(tmp_path: Path) -> None:
    sim_round = evening().rounds[0]
    seen: list[str] = []

    def look() -> None:
        seen.extend(path.name for path in tmp_path.rglob("*.*"))

    write_round(tmp_path, sim_round, between=look)
    assert seen == [sim_round.timing_name]
    assert {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.*")} == round_files(sim_round)
    written = (tmp_path / "gamestats" / sim_round.stats_name).stat().st_mtime
    assert written == sim_round.stamp.timestamp()


def test_a_file_can_be_seen_growing(tmp_path: Path) -> None:
    sim_round = evening().rounds[0]
    sizes: list[int] = []
    write_round(tmp_path, sim_round, halfway=lambda: sizes.append(sum(p.stat().st_size for p in tmp_path.rglob("*.*"))))
    lengths = [len(data) for data in round_files(sim_round).values()]
    assert sizes == [sum(lengths[:n]) + length // 2 for n, length in enumerate(lengths)]
    assert (tmp_path / "gamestats" / sim_round.stats_name).read_bytes() == gamestats.dump(sim_round.stats)


def test_a_whole_evening_is_written_at_once(tmp_path: Path) -> None:
    write_evening(tmp_path, evening())
    assert {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.*")} == files(evening())


def test_a_live_evening_is_written_round_by_round(tmp_path: Path) -> None:
    told: list[str] = []

    def on_round(sim_round: SimRound) -> None:
        assert (tmp_path / "gamestats" / sim_round.stats_name).is_file()
        assert sim_round.stamp <= datetime.now(UTC)
        told.append(sim_round.stats_name)

    placed = play_live(evening(), tmp_path, timedelta(milliseconds=8), Event(), on_round)
    assert told == [r.stats_name for r in placed.rounds]
    assert {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*.*")} == files(placed)


def test_a_live_evening_stops_when_told_with_the_round_whole(tmp_path: Path) -> None:
    stop = Event()
    play_live(evening(), tmp_path, timedelta(seconds=0.4), stop, on_round=lambda _: stop.set())
    assert len(list(tmp_path.rglob("*.json"))) == len(list(tmp_path.rglob("*-round-?.txt"))) == 1


@pytest.mark.parametrize("players", [2, 7])
def test_teams_that_nobody_plays_are_refused(players: int) -> None:
    with pytest.raises(ValueError, match="3 to 6"):
        play_evening(players_per_team=players)


def test_maps_can_be_named_and_none_is_refused() -> None:
    assert [m.map_name for m in play_evening(maps=["supply", "my_new-map"]).matches] == ["supply", "my_new-map"]
    with pytest.raises(ValueError, match="needs a map"):
        play_evening(maps=0)


# --- matches of any shape ---


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
