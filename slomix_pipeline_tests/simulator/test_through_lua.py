"""Evenings whose files our game-side scripts write: what the rules make of them is what was played."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from slomix_pipeline.actions.demo_truth import as_logged, as_simulated
from slomix_pipeline.cli.main import main
from slomix_pipeline.formats import endstats, gametimes
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.rules.endstats import resolve_awards, resolve_duels
from slomix_pipeline.rules.laws import header_law, lobby_laws, pair_laws
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import SessionRounds, work_out
from slomix_pipeline.rules.stats_files import parse_stats
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline.simulator.awards import endstats_name
from slomix_pipeline.simulator.evening import play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, FalseStart, Files, Shape
from slomix_pipeline.simulator.rough import play_rough_evening
from slomix_pipeline.simulator.through_lua import PlayedRound, play_through_lua, write_evening_through_lua
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline_tests.any_evening import partners, untrue_numbers


def written(
    evening: Evening, played: Iterable[PlayedRound]
) -> tuple[dict[str, bytes], list[FiledRound], SessionRounds]:
    """All files, the rounds among them, and what the rules make of these."""
    files = {file.name.rpartition("/")[2]: file.content for one in played for file in one.files}
    rounds = []
    for name, content in files.items():
        parsed = parse_file_name(name)
        if parsed.kind is FileKind.STATS:
            assert parsed.stamp is not None and parsed.number is not None
            stamp = parsed.stamp.replace(tzinfo=evening.rounds[0].zone)
            rounds.append(FiledRound(parsed.stem, stamp, parsed.number, parse_stats(content)))
    return files, rounds, work_out(rounds, DEFAULT_WINDOW, ())


def test_an_evening_through_the_scripts_is_told_as_it_was_played() -> None:
    evening = play_evening(5, maps=3, leaver=True, reconnect=True)
    files, rounds, session = written(evening, play_through_lua(evening))
    assert {name for r in evening.rounds for name in (r.stats_name, r.timing_name, endstats_name(r))} == set(files)
    partner = partners(evening)
    for sim_round, entry in zip(evening.rounds, rounds, strict=True):
        players = session.players[entry.key]
        assert untrue_numbers(players, sim_round, partner[sim_round.stem]) == []
        assert session.placed[entry.key].status is Status.COMPLETE
        assert all(finding.holds for finding in [*lobby_laws(players), header_law(entry.stats.header, entry.number)])
        check_record(files, sim_round)
        check_awards(files, sim_round, entry)
    for match in evening.matches:
        first, second = (next(e for e in rounds if e.key == half.stem) for half in (match.r1, match.r2))
        assert all(finding.holds for finding in pair_laws(first.stats, second.stats))


def check_record(files: dict[str, bytes], sim_round: SimRound) -> None:
    record = gametimes.parse(files[sim_round.timing_name])
    truth = sim_round.timing
    for name in (
        "map_name",
        "number",
        "started_at",
        "ended_at",
        "duration_seconds",
        "limit_seconds",
        "pause_count",
        "winner_side",
        "defender_side",
        "surrender_side",
    ):
        assert getattr(record, name) == getattr(truth, name), name
    won = "objective" if sim_round.attackers_won else "time_expired"
    assert record.end_reason == ("surrender" if sim_round.surrender_side else won)


def check_awards(files: dict[str, bytes], sim_round: SimRound, entry: FiledRound) -> None:
    """All that is the round's own; sums of both rounds are in the scripts' own tests."""
    file = endstats.parse(files[endstats_name(sim_round)])
    awards = resolve_awards(file, entry.stats, entry.number)
    assert len(awards) > 15
    for one in awards:
        kind = one.award.kind
        assert kind is not None and one.guid is not None and one.scope is not None
        counters = sim_round.players[one.guid].counters
        if one.scope.value == "this_round" and kind.name in counters:
            assert one.award.value == counters[kind.name], kind.name
    duels = {(one.guid, one.opponent_guid): one.kills for one in resolve_duels(file, entry.stats) if one.kills}
    there = set(sim_round.players) - {deed.who for deed in sim_round.deeds if deed.kind == "leave"}
    assert duels == {
        (guid, victim): kills
        for guid, own in sim_round.players.items()
        for victim, kills in own.victims.items()
        if {guid, victim} <= there
    }


def test_rounds_that_were_left_or_played_again_carry_their_own_number() -> None:
    evening = play_courses(
        4,
        [
            Course("supply", 240, Shape.BEATEN, starts=[FalseStart.ABORTED, FalseStart.REPLAYED]),
            Course("te_escape2", 240, Shape.SURRENDER, files=Files.R2_ABORTED, bots=2),
        ],
    )
    _, rounds, session = written(evening, play_through_lua(evening))
    placed = [session.placed[entry.key] for entry in rounds]
    assert (
        [place.number for place in placed] == [r.number for r in evening.rounds] == [entry.number for entry in rounds]
    )
    assert [place.status.value for place in placed] == [r.status for r in evening.rounds]


class Rough(NamedTuple):
    evening: Evening
    played: list[PlayedRound]


@pytest.fixture(scope="module")
def rough() -> Rough:
    evening = play_rough_evening(4)
    return Rough(evening, list(play_through_lua(evening)))


def test_a_rough_evening_is_told_as_it_was_played(rough: Rough) -> None:
    evening = rough.evening
    files, rounds, session = written(*rough)
    placed = [session.placed[entry.key] for entry in rounds]
    assert [(p.status.value, p.number) for p in placed] == [(r.status, r.number) for r in evening.rounds]
    partner = partners(evening)
    for sim_round, entry in zip(evening.rounds, rounds, strict=True):
        if sim_round.status == "complete":
            assert untrue_numbers(session.players[entry.key], sim_round, partner[sim_round.stem]) == []
            check_record(files, sim_round)
        assert (endstats_name(sim_round) in files) == (sim_round.status != "aborted")
    assert any(sim_round.surrender_side for sim_round in evening.rounds)
    keyless = [p for entry in rounds for p in session.players[entry.key] if "no_identity" in p.flags]
    assert len({player.guid for player in keyless}) == len(keyless) == 2


def test_the_engines_log_and_the_simulator_tell_the_same_of_a_rough_evening(rough: Rough) -> None:
    logged = as_logged(rough.evening, [one.truth for one in rough.played])
    assert logged == as_simulated(rough.evening)
    assert {one.status for one in logged} == {"complete", "aborted", "superseded", "r1_only"}


def test_a_match_that_is_reset_leaves_records_of_what_was_broken_off_and_nothing_else(rough: Rough) -> None:
    broken_off = [one for one in rough.played if one.truth.ended_by == "map_restart"]
    assert [one.truth.number for one in broken_off] == [2, 1]
    for one in broken_off:
        (file,) = one.files
        record = gametimes.parse(file.content)
        assert (record.number, record.aborted, record.end_reason) == (one.truth.number, True, "map_restart")


def test_files_have_the_times_they_would_have_on_the_game_server(tmp_path: Path) -> None:
    evening = play_evening(6, maps=1)
    write_evening_through_lua(tmp_path, evening)
    for sim_round in evening.rounds:
        end = sim_round.ended_at.timestamp()
        folders = {"gametimes": (sim_round.timing_name,), "gamestats": (endstats_name(sim_round), sim_round.stats_name)}
        times = [
            (tmp_path / folder / name).stat().st_mtime - end for folder, names in folders.items() for name in names
        ]
        assert times == [0, 1, 3]


def test_without_lupa_the_demo_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "lupa.lua54", None)
    monkeypatch.setenv("SLOMIX_HOME", str(tmp_path))
    result = CliRunner().invoke(main, ["demo", "--through-lua"])
    assert result.exit_code == 1
    assert "lupa" in result.output and "pip install lupa" in result.output
