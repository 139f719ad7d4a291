"""The rules over whole evenings of real files, whose results are known.

The files hold real players' names and are no part of the project: without the folder these tests are skipped.
Its place is ``../shared/real`` beside the checkout, or what SLOMIX_REAL_FILES names. Nobody is named here:
players are told apart by their numbers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from random import Random

import pytest

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, parse
from slomix_pipeline.rules.differential import round_one_players
from slomix_pipeline.rules.laws import Finding, header_law, lobby_laws, pair_laws
from slomix_pipeline.rules.plausibility import disagreeing_ratios, implausible_numbers, outscored_its_first_round
from slomix_pipeline.rules.scoring import winner_by_header, winner_by_time
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions
from slomix_pipeline.rules.teams import FlagKind, TeamConfidence
from slomix_pipeline.rules.timing import Duration, LengthFrom, attackers_gave_up, round_duration, surrender_side
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline_tests.real_files import (
    FOLDER,
    TOTALS_2025_10_02,
    Session,
    damage,
    kills_deaths_damage,
    known,
    read_all,
    session_of,
)

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason="no real files here: they are not part of the project (SLOMIX_REAL_FILES names a folder)",
)


@pytest.fixture(scope="module")
def files() -> dict[str, FiledRound]:
    return read_all()


@pytest.fixture(scope="module")
def sessions(files: dict[str, FiledRound]) -> dict[str, Session]:
    """All sessions by the stamp of their first round, to the minute."""
    groups = group_into_sessions(Stamped(r.key, r.stamp) for r in files.values())
    return {f"{g[0].stamp:%Y-%m-%d %H:%M}": Session([files[entry.key] for entry in g]) for g in groups}


# --- whole evenings ---


@pytest.mark.parametrize(
    ("begin", "rounds", "winners"),
    [
        ("2025-10-02 21:18", 20, "BBBAABBBBB"),
        ("2025-10-19 21:26", 24, "ABABABAAAAAB"),
        ("2025-10-21 21:14", 16, "A-ABBBAB"),
    ],
)
def test_an_evening_ends_as_it_was_played(sessions: dict[str, Session], begin: str, rounds: int, winners: str) -> None:
    assert len(sessions[begin].rounds) == rounds
    assert sessions[begin].winners == winners
    assert {p.status for p in sessions[begin].placed.values()} == {Status.COMPLETE}


def test_the_totals_of_a_whole_evening_are_the_known_ones(sessions: dict[str, Session]) -> None:
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for players in sessions["2025-10-02 21:18"].players.values():
        for p in players:
            given, received = damage(p)
            totals[p.guid].update(
                kills=known(p.kills),
                deaths=known(p.deaths),
                given=given,
                received=received,
                hits=known(p.hits),
                shots=known(p.shots),
                headshots=known(p.headshots),
                played=known(p.seconds_played),
                dead=known(p.seconds_dead),
            )
    rows = [
        (
            t["kills"],
            t["deaths"],
            t["given"],
            t["received"],
            round(t["played"] / 60, 1),
            round(t["given"] * 60 / t["played"], 1),
            round(100 * t["hits"] / t["shots"], 2),
            round(100 * t["headshots"] / t["hits"], 2),
            round(t["dead"] / 60, 1),
        )
        for t in totals.values()
    ]
    assert sorted(rows, reverse=True) == TOTALS_2025_10_02
    assert sum(row[0] for row in rows) == sum(row[1] for row in rows) == 927
    assert sum(row[2] for row in rows) == sum(row[3] for row in rows) == 185_311


def test_an_evening_over_midnight_is_one_session_and_its_last_match_one_match(sessions: dict[str, Session]) -> None:
    evening = sessions["2025-10-19 21:26"]
    assert evening.rounds[-1].key.startswith("2025-10-20-000043")
    assert evening.placed[evening.rounds[-1].key].match_key.startswith("2025-10-19-235307")


def test_the_same_map_three_times_in_a_row_is_three_matches(sessions: dict[str, Session]) -> None:
    matches = [(a, b) for a, b in sessions["2025-10-19 21:26"].matches if a.map_name == "te_escape2"]
    assert [(a.key[11:17], b.key[11:17]) for a, b in matches] == [
        ("221915", "222424"),
        ("222945", "223403"),
        ("223859", "224215"),
    ]
    assert [b.stats.header.limit for _, b in matches] == ["7:31", "3:47", "3:47"]
    assert [a.stats.header.attack_time for a, _ in matches] == ["7:31", "3:47", "3:47"]


def test_a_long_hole_parts_an_evening_and_a_file_in_it_joins_it_whatever_the_order(
    files: dict[str, FiledRound],
) -> None:
    rounds = [Stamped(r.key, r.stamp) for r in files.values() if r.key.startswith("2025-10-26")]
    groups = group_into_sessions(rounds)
    assert [len(group) for group in groups] == [7, 8]
    late = Stamped("late", groups[0][-1].stamp + timedelta(minutes=30))
    for seed in range(5):
        shuffled = Random(seed).sample([*rounds, late], len(rounds) + 1)
        assert [len(group) for group in group_into_sessions(shuffled)] == [16]


@pytest.mark.parametrize("begin", ["2025-10-02 21:18", "2025-10-19 21:26", "2025-10-21 21:14", "2025-10-26 21:39"])
def test_of_a_whole_evening_the_teams_are_sure_and_nothing_is_odd(sessions: dict[str, Session], begin: str) -> None:
    teams = sessions[begin].teams
    assert (teams.confidence, teams.open, teams.flags) == (TeamConfidence.HIGH, {}, ())
    assert len(teams.members("A")) == len(teams.members("B")) == 3


def test_a_team_that_left_and_another_clan_that_came_in_its_place_are_one_team_b(sessions: dict[str, Session]) -> None:
    evening = [session for begin, session in sessions.items() if begin.startswith("2025-11-01")]
    if not evening:
        pytest.skip("the files of this evening are not among those here")
    teams = evening[0].teams
    first = next(iter(evening[0].lineups.values()))
    assert teams.members("A") >= {guid for guid, side in first.sides.items() if side == AXIS}
    (flag,) = [flag for flag in teams.flags if flag.kind is FlagKind.TEAM_REPLACED]
    assert (flag.team, len(flag.players), len(flag.gone)) == ("B", 5, 3)


# --- single rounds ---


def test_the_numbers_of_a_round_2_are_its_own(sessions: dict[str, Session]) -> None:
    stem = "2025-10-02-212249-etl_adlernest-round-2"
    players = session_of(sessions, stem).players[stem]
    assert kills_deaths_damage(players) == [
        (2, 5, 1262),
        (3, 8, 788),
        (5, 4, 859),
        (5, 5, 724),
        (6, 4, 939),
        (7, 2, 1447),
    ]
    assert sum(known(p.kills) for p in players) == sum(known(p.deaths) for p in players) == 28


def test_every_number_of_one_player_of_a_round_2_is_his_own(sessions: dict[str, Session]) -> None:
    stem = "2025-10-02-212249-etl_adlernest-round-2"
    (p,) = [p for p in session_of(sessions, stem).players[stem] if p.kills == 7]
    assert damage(p) == (1447, 695)
    assert (p.hits, p.shots, p.headshots, p.seconds_played, p.seconds_dead) == (72, 201, 9, 228, 12)
    assert (p.counters["gibs"], p.counters["self_kills"]) == (6, 6)
    assert p.alive_percent == pytest.approx(96.2, abs=0.05)


def test_shots_the_engine_took_back_are_no_reset(sessions: dict[str, Session]) -> None:
    stem = "2025-10-02-214239-supply-round-2"
    (p,) = [p for p in session_of(sessions, stem).players[stem] if (p.kills, p.deaths) == (10, 7)]
    assert (p.hits, p.shots, p.flags) == (118, 283, ())
    assert p.weapons is not None and sum(counts.shots for counts in p.weapons.values()) == 285


def test_the_one_player_whose_counters_restarted_keeps_his_line_and_the_lobby_adds_up(
    sessions: dict[str, Session],
) -> None:
    stem = "2025-10-26-203013-etl_sp_delivery-round-2"
    lobby = session_of(sessions, stem).players[stem]
    (p,) = [p for p in lobby if "counter_reset" in p.flags]
    assert (p.kills, p.deaths, damage(p), p.seconds_played) == (14, 9, (1449, 2350), 666)
    assert sum(known(p.kills) for p in lobby) == sum(known(p.deaths) for p in lobby) == 84
    assert sum(damage(p)[0] for p in lobby) == sum(damage(p)[1] for p in lobby) == 15404


def test_nobody_elses_counters_restarted(sessions: dict[str, Session]) -> None:
    resets = [
        p for s in sessions.values() for players in s.players.values() for p in players if "counter_reset" in p.flags
    ]
    assert len(resets) == 1


def test_dead_time_above_the_time_played_is_capped_and_flagged(sessions: dict[str, Session]) -> None:
    stem = "2025-10-19-215817-supply-round-2"
    (p,) = [p for p in session_of(sessions, stem).players[stem] if p.seconds_dead_raw == 13242]
    assert (p.seconds_dead, p.seconds_played, p.flags) == (510, 510, ("dead_time_capped",))


def test_an_aborted_round_1_counts_nowhere_and_the_match_around_it_is_whole(sessions: dict[str, Session]) -> None:
    evening = sessions["2025-10-26 19:17"]
    aborted = evening.placed["2025-10-26-200001-etl_sp_delivery-round-2"]
    assert (aborted.status, aborted.number, aborted.partner) == (Status.ABORTED, 1, None)
    assert aborted.key not in evening.lineups
    assert [(a.key[11:17], b.key[11:17]) for a, b in evening.matches][-1] == ("201727", "203013")
    assert {p.status for p in evening.placed.values()} == {Status.COMPLETE, Status.ABORTED}


def test_attackers_who_gave_up_are_told_by_the_time_played(sessions: dict[str, Session]) -> None:
    stem = "2025-10-19-225156-sw_goldrush_te-round-1"
    evening = session_of(sessions, stem)
    header = next(r for r in evening.rounds if r.key == stem).stats.header
    duration = round_duration(header, Status.COMPLETE, [p.seconds_played for p in evening.players[stem]])
    assert header.attack_seconds == 720
    assert duration == Duration(510.0, LengthFrom.PLAYERS)
    assert attackers_gave_up(header, surrender_side(header, Status.COMPLETE, duration)) is True


# --- what files say ---


def test_a_header_says_what_was_played(files: dict[str, FiledRound]) -> None:
    stats = files["2025-10-02-211808-etl_adlernest-round-1"].stats
    header = stats.header
    assert (header.number, header.defender_side, header.winner_side) == (1, AXIS, ALLIES)
    assert (header.limit_seconds, header.attack_seconds, header.playtime_seconds) == (600, 231, None)
    assert Counter(line.side for line in stats.players) == {AXIS: 3, ALLIES: 3}


def test_a_file_of_a_header_alone_is_refused_with_a_clear_reason() -> None:
    with pytest.raises(FormatError, match="only a header line"):
        parse((FOLDER / "2024-09-12-174949-supply-round-2.txt").read_bytes())


def test_a_33_field_file_does_not_shift_its_multikills(sessions: dict[str, Session]) -> None:
    stem = "2024-04-16-220731-te_escape2-round-1"
    players = session_of(sessions, stem).players[stem]
    assert [p.counters["multikills_2"] for p in players if p.counters["useful_kills"] == 9] == [1]
    for name in ("denied_playtime", "useless_kills", "full_self_kills", "repairs", "revives_given"):
        assert {p.counters[name] for p in players} == {None}


def test_kills_are_the_weapon_blocks_and_a_differing_ratio_of_the_writer_is_noticed(
    files: dict[str, FiledRound],
) -> None:
    stats = files["2025-10-02-213333-supply-round-1"].stats
    guids = disagreeing_ratios(stats)
    lines = [line for line in stats.players if line.guid in guids]
    assert (12, 15, 0.9) in [(line.total("kills"), line.total("deaths"), line.tail["kd"]) for line in lines]


# --- laws over all pairs ---


def test_every_pair_is_confirmed_by_its_time_to_beat_and_by_header_and_time(sessions: dict[str, Session]) -> None:
    matches = [match for session in sessions.values() for match in session.matches]
    assert len(matches) == 37
    for first, second in matches:
        one, two = first.stats.header, second.stats.header
        assert two.limit_seconds == one.attack_seconds
        assert winner_by_header(one, two) == winner_by_time(one.limit_seconds, one.attack_seconds, two.attack_seconds)
    assert not any(placed.flags for session in sessions.values() for placed in session.placed.values())


def broken_laws(findings: Iterable[Finding]) -> list[str]:
    return [finding.law for finding in findings if finding.holds is False]


def test_every_law_holds_in_every_file_but_that_of_the_reconnect(
    files: dict[str, FiledRound],
) -> None:
    broken = {}
    for key, entry in files.items():
        findings = [*lobby_laws(round_one_players(entry.stats)), header_law(entry.stats.header, entry.number)]
        if laws := broken_laws(findings):
            broken[key] = laws
    assert broken == {
        "2025-10-26-203013-etl_sp_delivery-round-2": [
            "kills = deaths",
            "Axis kills = Allies deaths",
            "Allies kills = Axis deaths",
            "damage given = received",
            "team damage given = received",
        ],
    }


def test_every_law_holds_in_every_round_of_a_match_and_only_the_reconnected_player_did_not_go_on(
    sessions: dict[str, Session],
) -> None:
    broken = []
    for session in sessions.values():
        for first, second in session.matches:
            one, two = session.players[first.key], session.players[second.key]
            findings = [*lobby_laws(one), *lobby_laws(two), *pair_laws(first.stats, second.stats)]
            broken += [(second.key, finding) for finding in findings if finding.holds is not True]
            assert not outscored_its_first_round(one, two)
    ((key, finding),) = broken
    assert key == "2025-10-26-203013-etl_sp_delivery-round-2"
    assert (finding.law, finding.numbers) == ("rounds go up by one", "5 of 6 shared players")


def test_no_real_number_is_above_what_can_be_done_and_no_counters_were_carried_over(
    sessions: dict[str, Session],
) -> None:
    players = [people for session in sessions.values() for people in session.players.values()]
    assert [odd for people in players for odd in implausible_numbers(people)] == []
    assert {flag for people in players for p in people for flag in p.flags} <= {
        "cumulative",
        "counter_reset",
        "dead_time_capped",
    }
