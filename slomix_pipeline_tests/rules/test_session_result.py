"""From the rounds of a session to its result in one go."""

from datetime import UTC, datetime

from slomix_pipeline.formats.gamestats import parse
from slomix_pipeline.rules.overrides import NOT_COUNTED, OverrideKind
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.session_result import session_result
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import LengthFrom
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.simulator.golden import NIGHT, golden_night
from slomix_pipeline_tests.rules.test_overrides import override

EVENING = golden_night(datetime(2031, 5, 7, 23, tzinfo=UTC), UTC)
ROUNDS = [FiledRound(r.stem, r.stamp, r.label, parse(r.stats_bytes)) for r in EVENING.rounds]
RESULT = session_result(ROUNDS, DEFAULT_WINDOW, ())


def test_a_session_has_places_numbers_timings_teams_and_matches_of_all_its_rounds() -> None:
    keys = {entry.key for entry in ROUNDS}
    assert keys == RESULT.rounds.placed.keys() == RESULT.rounds.players.keys() == RESULT.timings.keys()
    assert {RESULT.teams.members(Team.A), RESULT.teams.members(Team.B)} == {
        frozenset(EVENING.team_a),
        frozenset(EVENING.team_b),
    }
    assert [match.result.winner for match in RESULT.matches] == [won.winner for won in NIGHT]


def test_the_order_of_the_files_changes_nothing() -> None:
    assert session_result(ROUNDS[::-1], DEFAULT_WINDOW, ()).matches == RESULT.matches


def test_the_limit_is_no_clock_of_a_match() -> None:
    told = {key for key, timing in RESULT.timings.items() if timing.duration.source is not LengthFrom.LIMIT}
    halves = [half for match in RESULT.matches for half in (match.first, match.second) if half]
    assert {half.key for half in halves if half.clock.seconds is not None} == told


def test_what_people_decided_stands_above_the_files_and_moves_along_with_the_team() -> None:
    first, second = (match.first.key for match in RESULT.matches[:2])
    other = {"A": Team.B, "B": Team.A}[NIGHT[0].winner]
    roster = tuple(RESULT.teams.members(other))
    decided = session_result(
        ROUNDS,
        DEFAULT_WINDOW,
        (),
        decisions=[
            override(OverrideKind.WINNER, first, "A" if other is Team.B else "B", roster=roster),
            override(OverrideKind.WINNER, second, NOT_COUNTED, id=2),
        ],
    ).matches
    assert [(match.result.winner, match.result.source) for match in decided[:2]] == [
        (Winner(other), Source.OVERRIDE),
        (None, Source.OVERRIDE),
    ]
    assert decided[2:] == RESULT.matches[2:]


def test_a_round_that_people_took_out_counts_in_no_match() -> None:
    taken_out = override(OverrideKind.ROUND, RESULT.matches[-1].first.key, "does not count")
    result = session_result(ROUNDS, DEFAULT_WINDOW, (), decisions=[taken_out])
    assert result.matches[-1].result.winner is None and result.matches[:-1] == RESULT.matches[:-1]
