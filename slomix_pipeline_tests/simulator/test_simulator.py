"""The simulated evening: its files are whole, its sums agree, and it has what it promises."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.formats import gamestats, gametimes
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.formats.times import parse_time
from slomix_pipeline.simulator.evening import MAPS, play_evening
from slomix_pipeline.simulator.values import Evening, SimMatch, SimRound
from slomix_pipeline.simulator.writing import place_for_live, play_live, round_files, write_evening, write_round
from slomix_pipeline_tests.simulator.laws import check_laws, lines

SEEDS = range(1, 5)
LJUBLJANA = ZoneInfo("Europe/Ljubljana")
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
