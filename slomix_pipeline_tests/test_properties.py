"""Whatever way an evening goes: what is stored is what was played, and how the files came never matters."""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from slomix_pipeline.actions.importing import Summary, import_folder
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.gameserver.local import LocalFolder
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.laws import lobby_laws
from slomix_pipeline.rules.linking import LINK_WINDOW
from slomix_pipeline.rules.pairing import pair_rounds
from slomix_pipeline.rules.policy import COUNTERS
from slomix_pipeline.rules.rounds import own_numbers
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import SOME_EVENING, play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, FalseStart, Files, Shape
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writers import Writer
from slomix_pipeline.simulator.writing import round_files, write_round
from slomix_pipeline.stages.chain import OF_A_ROUND, nobody_watches, run_stages
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse.rework import stale_rounds
from slomix_pipeline_tests.any_evening import (
    LJUBLJANA,
    Plan,
    examples,
    hours_can_be_told,
    may_count_on,
    partners,
    plans,
    untrue_numbers,
)
from slomix_pipeline_tests.as_played import differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

MANY = examples(60)
# Each has some seconds of work for a database: too much to look for a smaller example when one fails.
FEW = settings(
    max_examples=5,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def filed(sim_round: SimRound) -> FiledRound:
    return FiledRound(sim_round.stem, sim_round.stamp, sim_round.label, accept_stats(sim_round.stats_bytes))


# --- the rules ---


@MANY
@given(plans())
def test_the_rules_find_out_what_became_of_every_round_and_what_everybody_did_and_it_adds_up(plan: Plan) -> None:
    evening = plan.play()
    rounds = [filed(r) for r in evening.rounds]
    placed = pair_rounds(rounds)
    others = partners(evening)
    assert {key: (p.status, p.number) for key, p in placed.items()} == {
        r.stem: (r.status, r.number) for r in evening.rounds
    }
    assert {key: p.partner for key, p in placed.items() if p.partner} == {
        key: other.stem for key, other in others.items()
    }
    found = own_numbers(rounds, placed)
    for sim_round in evening.rounds:
        players = found[sim_round.stem]
        assert untrue_numbers(players, sim_round, others.get(sim_round.stem)) == []
        laws = {finding.law: finding for finding in lobby_laws(players)}
        assert [finding for finding in laws.values() if finding.holds is False] == []
        known = not may_count_on(sim_round, others.get(sim_round.stem))
        assert laws["kills = deaths"].holds is (True if known else None)


@pytest.mark.parametrize("seed", [21, 25, 30])
def test_a_round_one_after_a_short_aborted_one_is_not_taken_for_one_that_counts_on(seed: int) -> None:
    """Nobody's counters are below those of a minute of play, yet nobody was there for longer than the round."""
    course = Course("supply", 720, Shape.BEATEN, starts=[FalseStart.ABORTED])
    evening = play_courses(seed, [course], players_per_team=3)
    rounds = [filed(r) for r in evening.rounds]
    found = own_numbers(rounds, pair_rounds(rounds))
    for sim_round in evening.rounds:
        other = partners(evening).get(sim_round.stem)
        assert untrue_numbers(found[sim_round.stem], sim_round, other) == []


HALF = Course("supply", 600, Shape.HELD, files=Files.ONLY_R1)
OTHER_HALF = Course("supply", 600, Shape.BEATEN, files=Files.ONLY_R2)
INVENTED_TIME = Writer(held_time="71:05")


@pytest.mark.parametrize(
    "evenings",
    [
        pytest.param([[HALF, OTHER_HALF]], id="after a round 1 with the same sides, whose round 2 was lost"),
        pytest.param([[HALF], [OTHER_HALF]], id="after a round 1 with the other sides, whose round 2 was lost"),
        pytest.param(
            [[replace(OTHER_HALF, shape=Shape.FULL_HOLD, starts=[FalseStart.REPLAYED])]],
            id="after a round 1 that was replayed",
        ),
        pytest.param(
            [[replace(OTHER_HALF, shape=Shape.HELD, writers=(INVENTED_TIME, INVENTED_TIME))]],
            id="with an invented time",
        ),
    ],
)
def test_a_round_two_whose_round_one_was_lost_never_shows_the_sum_of_both(evenings: list[list[Course]]) -> None:
    played = [
        sim_round
        for number, courses in enumerate(evenings)
        for sim_round in play_courses(1, courses, ends_at=SOME_EVENING + timedelta(minutes=25 * number)).rounds
    ]
    rounds = [filed(r) for r in played]
    found = own_numbers(rounds, pair_rounds(rounds))
    (second,) = [r for r in played if r.status == "r2_only"]
    wrong = [
        f"{p.guid} {p.kills} kills of {second.players[p.guid].kills}"
        for p in found[second.stem]
        if p.kills not in (None, second.players[p.guid].kills)
    ]
    assert wrong == []


# --- the database ---

_servers = (f"srv{number:05d}" for number in itertools.count())


class Folder:
    """A game server of its own in the pipeline's database, whose files come in one import after the other."""

    def __init__(self, pipeline: Pipeline, zone: str) -> None:
        self.pipeline, self.zone, self.server = pipeline, zone, next(_servers)
        self.path = pipeline.folder.parent / self.server
        settings = pipeline.settings.model_copy(update={"server": self.server})
        self.tools = Tools(pipeline.database, settings, pipeline.gameserver)

    def import_(self, files: dict[str, bytes]) -> Summary:
        """Imports these files beside those that are there, and lets ``rework_sensor`` do what is left to do."""
        for name, content in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_bytes(content)
        summary = import_folder(
            self.path, self.tools, lambda: nullcontext(Channels()), timezone=self.zone, progress=nobody_watches
        )
        self._rework()
        return summary

    def play(self, rounds: Iterable[SimRound]) -> None:
        """Has the files of rounds come one round after the other, and the sensors take them in, as in life."""
        here = {
            "SERVER": self.server,
            "TIMEZONE": self.zone,
            "GAMESERVER_DIR": str(self.path),
            "LOOKBACK": "36500 d",
        }
        live = replace(self.pipeline, gameserver=LocalFolder(self.path), discord=None, cursors={}, run_keys=set())
        for name in (GAMESTATS, GAMETIMES):
            (self.path / name).mkdir(parents=True)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in here.items():
                patch.setenv(f"SLOMIX_{name}", value)
            for sim_round in rounds:
                write_round(self.path, sim_round)
                for name in (GAMETIMES, GAMESTATS):
                    live.work_off(
                        live.tick(name, seconds=0.5), f"ingest_{'rounds' if name == GAMESTATS else 'timings'}"
                    )
        self._rework()

    def _rework(self) -> None:
        for _ in range(3):  # a stamp that a record puts right makes other rounds' results stale
            run_stages(OF_A_ROUND, self._stale(), self.tools)
        assert self._stale() == []
        self.pipeline.check_facts()

    def _stale(self) -> list[str]:
        with self.pipeline.database.connect() as conn:
            return [
                stale.round_key
                for stale in stale_rounds(conn, load_settings(publish_max_age=timedelta(0)))
                if stale.round_key.startswith(self.server)
            ]

    def contents(self) -> set[str]:
        """Every row of every table that is about this server, without its name and without how the files came."""
        return {
            f"{table}: {row.replace(self.server, 'srv')}"
            for table, rows in self.pipeline.contents().items()
            if table != "file"
            for row in rows
            if self.server in row
        }

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query whose only parameter is a pattern that this server's keys match."""
        return self.pipeline.rows(query, f"{self.server}:%")


def assert_same(found: Collection[str], expected: Collection[str]) -> None:
    """Equal rows; else the rows of one side only, which pytest would hide in the middle of all others."""
    wrong = [f"found {row}" for row in found if row not in expected]
    wrong += [f"missing {row}" for row in expected if row not in found]
    assert not wrong, "\n".join(sorted(wrong))


def all_files(rounds: Iterable[SimRound]) -> dict[str, bytes]:
    return {name: content for sim_round in rounds for name, content in round_files(sim_round).items()}


def clock_changes_between_its_files(sim_round: SimRound) -> bool:
    """Whether a round's endstats file has the wall clock of before a clock change, and its stats file that of after:
    nothing in their names says so, and another round of the map may have ended an hour away."""
    names = [parse_file_name(Path(name).name) for name in round_files(sim_round)]
    of_kind = {name.kind: name.stamp for name in names if name.stamp is not None}
    endstats_at = of_kind.get(FileKind.ENDSTATS, of_kind[FileKind.STATS])
    return abs(of_kind[FileKind.STATS] - endstats_at) > LINK_WINDOW


def stored_players(folder: Folder) -> dict[str, list[RoundPlayer]]:
    """Everybody's own numbers as the database has them, by round stem."""
    weapons: dict[tuple[str, str], dict[str, WeaponCounts]] = defaultdict(dict)
    for w in folder.rows("select * from round_weapon where round_key like %s"):
        counts = WeaponCounts(w["hits"], w["shots"], w["kills"], w["deaths"], w["headshots"])
        weapons[w["round_key"], w["guid"]][w["weapon"]] = counts
    players = defaultdict(list)
    for p in folder.rows("select * from round_player where round_key like %s"):
        own = {name: p[name] for name in RoundPlayer.__dataclass_fields__ if name in p}
        rows = None if p["kills"] is None else weapons[p["round_key"], p["guid"]]
        counters = {name: p[name] for name in COUNTERS}
        players[stem_of(p["round_key"])].append(RoundPlayer(**own, weapons=rows, counters=counters))
    return players


def stem_of(key: str) -> str:
    return key.partition(":")[2]


def untruths(folder: Folder, evening: Evening) -> list[str]:
    """What the database has otherwise than it was played."""
    rounds = {stem_of(r["round_key"]): r for r in folder.rows("select * from round where round_key like %s")}
    wrong = differences(
        {stem: (r["status"], r["number"], r["valid"]) for stem, r in rounds.items()},
        {r.stem: (r.status, r.number, r.valid) for r in evening.rounds},
    )
    players, others = stored_players(folder), partners(evening)
    for r in evening.rounds:
        wrong += untrue_numbers(players[r.stem], r, others.get(r.stem))
    winners = {m["match_key"]: m["winner"] for m in folder.rows("select * from match where match_key like %s")}
    wrong += differences(
        {stem_of(key): winner for key, winner in winners.items()},
        {r.stem: None for r in evening.rounds if r.stem not in others}
        | {m.r1.stem: m.winner if m.r1.valid and m.r2.valid else None for m in evening.matches},
    )
    sessions = folder.rows("select * from session_round where round_key like %s order by position")
    assert len({row["session_key"] for row in sessions}) == 1
    wrong += differences([stem_of(row["round_key"]) for row in sessions], [r.stem for r in evening.rounds])
    return wrong + untrue_teams(folder, evening)


def untrue_teams(folder: Folder, evening: Evening) -> list[str]:
    """Nobody is ever put into the wrong team; who was in the first valid round is known."""
    teams = {p["guid"]: p["team"] for p in folder.rows("select * from session_player where session_key like %s")}
    truth = dict.fromkeys(evening.team_a, "A") | dict.fromkeys(evening.team_b, "B")
    wrong = [f"{guid} is in team {team}" for guid, team in teams.items() if team not in (None, truth.get(guid))]
    first = next((r for r in evening.rounds if r.valid and r.number == 1), None)
    seen = [line.guid for line in first.stats.players if line.side < 3] if first else []
    return wrong + [f"{guid} is in no team" for guid in seen if teams[guid] is None]


@FEW
@given(plans(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_database_has_what_was_played_in_whatever_order_the_files_came(
    pipeline: Pipeline, plan: Plan, random: Random, imports: int
) -> None:
    evening = plan.play()
    assume(hours_can_be_told(evening))
    at_once, by_and_by = Folder(pipeline, str(plan.zone)), Folder(pipeline, str(plan.zone))
    files = all_files(evening.rounds)
    summary = at_once.import_(files)
    waiting = sum(map(clock_changes_between_its_files, evening.rounds))
    assert (summary.ingested, summary.waiting, summary.quarantined) == (len(files) - waiting, waiting, [])
    assert untruths(at_once, evening) == []
    names = random.sample(sorted(files), len(files))
    for part in range(imports):
        by_and_by.import_({name: files[name] for name in names[part::imports]})
    assert_same(by_and_by.contents(), at_once.contents())
    assert by_and_by.import_(files).ingested == 0
    assert_same(by_and_by.contents(), at_once.contents())


@FEW
@given(plans(max_matches=2))
def test_an_import_comes_to_the_same_as_rounds_that_came_one_by_one(pipeline: Pipeline, plan: Plan) -> None:
    """But for what is said of the way of a timing record, which tells of looks into a folder."""
    evening = plan.play()
    imported, live = Folder(pipeline, str(plan.zone)), Folder(pipeline, str(plan.zone))
    imported.import_(all_files(evening.rounds))
    live.play(evening.rounds)
    found, expected = ({row for row in f.contents() if "'timing_chain'" not in row} for f in (live, imported))
    assert_same(found, expected)


def test_a_round_in_the_hour_that_comes_twice_is_put_right_by_a_timing_record_that_comes_later(
    pipeline: Pipeline,
) -> None:
    ends_at = datetime(2025, 10, 26, 1, 20, tzinfo=UTC)  # 02:20 for the second time
    evening = play_evening(3, maps=1, ends_at=ends_at, zone=LJUBLJANA)
    at_once, by_and_by = Folder(pipeline, str(LJUBLJANA)), Folder(pipeline, str(LJUBLJANA))
    files = all_files(evening.rounds)
    at_once.import_(files)
    by_and_by.import_({name: content for name, content in files.items() if name.endswith(".txt")})
    by_and_by.import_(files)
    assert untruths(at_once, evening) == []
    assert_same(by_and_by.contents(), at_once.contents())


def twice_played(before: timedelta, starts: Sequence[FalseStart] = ()) -> Evening:
    """A map in each of the hours that the clock change makes one of, ``starts`` in the first; by the wall clock, the
    second match ends so long before the first one does."""
    ends_at = datetime(2025, 10, 26, 1, 20, tzinfo=UTC)
    first, again = (
        play_courses(3, [course], players_per_team=3, ends_at=at, zone=LJUBLJANA)
        for course, at in (
            (Course("supply", 600, Shape.HELD, starts=starts), ends_at - timedelta(hours=1) + before),
            (Course("supply", 600, Shape.BEATEN), ends_at),
        )
    )
    return replace(first, matches=(*first.matches, *again.matches))


def in_two_parts(pipeline: Pipeline, files: dict[str, bytes], first: Iterable[str]) -> Folder:
    folder = Folder(pipeline, str(LJUBLJANA))
    folder.import_({name: files[name] for name in first})
    folder.import_(files)
    return folder


def test_a_map_that_ended_half_a_minute_less_than_an_hour_ago_moves_no_round_into_the_wrong_hour(
    pipeline: Pipeline,
) -> None:
    evening = twice_played(timedelta(seconds=26))
    files = all_files(evening.rounds)
    assert untruths(in_two_parts(pipeline, files, files), evening) == []
    assert untruths(in_two_parts(pipeline, files, other_records_first(evening)), evening) == []


def test_awards_of_the_second_of_two_equal_hours_say_nothing_of_a_round_that_was_replayed_in_the_first(
    pipeline: Pipeline,
) -> None:
    evening = twice_played(timedelta(minutes=12), [FalseStart.REPLAYED])
    replayed, own = evening.rounds[:2]
    assert replayed.stem < evening.matches[1].r2.stem < own.stem
    files = all_files(evening.rounds)
    assert untruths(in_two_parts(pipeline, files, files), evening) == []
    assert untruths(in_two_parts(pipeline, files, other_records_first(evening)), evening) == []


def test_two_plays_of_a_map_just_an_hour_apart_are_marked_in_whatever_order_their_records_came(
    pipeline: Pipeline,
) -> None:
    evening = twice_played(timedelta(seconds=5))
    files = all_files(evening.rounds)
    at_once = in_two_parts(pipeline, files, files)
    by_and_by = in_two_parts(pipeline, files, other_records_first(evening))
    marked = at_once.rows("select round_key from parsed_round where stamp_ambiguous and round_key like %s")
    assert {stem_of(row["round_key"]) for row in marked} == {match.r2.stem for match in evening.matches}
    assert_same(by_and_by.contents(), at_once.contents())


def other_records_first(evening: Evening) -> set[str]:
    """The stats files of the second play of a map, and no timing records but those of the first."""
    first, again = evening.matches
    records = {name for name in all_files([first.r1, first.r2]) if name.startswith("gametimes")}
    return records | {name for name in all_files([again.r1, again.r2]) if not name.startswith("gametimes")}


def test_the_outcome_of_a_check_follows_when_another_rounds_run_links_the_timing_record(pipeline: Pipeline) -> None:
    evening = play_evening(3, maps=1)
    at_once, by_and_by = Folder(pipeline, "UTC"), Folder(pipeline, "UTC")
    files = all_files(evening.rounds)
    at_once.import_(files)
    first = all_files(evening.rounds[:1])
    by_and_by.import_({name: content for name, content in first.items() if name.endswith(".txt")})
    by_and_by.import_(files)
    assert_same(by_and_by.contents(), at_once.contents())


@FEW
@given(plans(max_matches=2), st.integers(0, 99), st.integers(0, 99))
def test_a_replaced_file_changes_only_what_depends_on_it(pipeline: Pipeline, plan: Plan, which: int, who: int) -> None:
    evening = plan.play()
    earlier = replace(plan, seed=plan.seed + 1, ends_at=plan.ends_at - timedelta(days=2)).play()
    folder = Folder(pipeline, str(plan.zone))
    folder.import_(all_files([*earlier.rounds, *evening.rounds]))
    before = folder.contents()
    target = evening.rounds[which % len(evening.rounds)]
    players = list(target.stats.players)
    line = players[who % len(players)]
    players[who % len(players)] = replace(line, tail=line.tail | {"xp": 31_001, "team_gibs": 31_002})
    stats = replace(target.stats, players=tuple(players))
    folder.import_({f"gamestats/{target.stats_name}": gamestats.dump(stats)})

    # Its match's rounds, and a round 1 of the map right after it, which is looked at for counters carried over.
    rounds = list(evening.rounds)
    may_change = {target.stem, *(r.stem for r in rounds[rounds.index(target) + 1 :][:1])}
    may_change |= {other.stem for stem, other in partners(evening).items() if stem == target.stem}
    session = f"srv:{rounds[0].stem[:17]}"
    # The check of a score names teams, and teams are the session's: another round may count now, or no more.
    of_session = {f"'partition_key': 'srv:{r.stem}', 'check_name': 'score_sources'" for r in rounds}
    others = [
        row
        for row in before ^ folder.contents()
        if not any(text in row for text in (*may_change, session, *of_session))
    ]
    assert_same(others, [])
    assert any("31001" in row for row in folder.contents())
