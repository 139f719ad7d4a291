"""Points: what matches and whole sessions give under each policy, and the laws that any score keeps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, Header
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.score_policies import DEFAULT_POLICY, POLICIES, Points, points
from slomix_pipeline.rules.scoring import (
    Clock,
    Confidence,
    Half,
    MatchResult,
    Source,
    Winner,
    score_session,
)
from slomix_pipeline.rules.stats_files import accept_stats
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline.simulator.values import Evening, SimMatch
from slomix_pipeline_tests.any_evening import Plan, examples, plans
from slomix_pipeline_tests.building import make_header, swapped
from slomix_pipeline_tests.rules.scoring_steps import (
    A_ON_ALLIES,
    A_ON_AXIS,
    MIXED,
    TEAMS,
    a_match,
    given_points,
    headers,
    score,
    told,
)

# --- points ---


@pytest.mark.parametrize(
    ("first", "second", "map_wins", "per_round", "two_point"),
    [
        (300, None, (1, 0), (2, 0), (2, 0)),  # A sets a time, B does not beat it
        (300, 240, (0, 1), (1, 1), (0, 2)),  # A sets a time, B beats it
        (None, 570, (0, 1), (0, 2), (0, 2)),  # A is held, B completes
        (None, None, (0, 0), (1, 1), (1, 1)),  # both are held
    ],
)
def test_what_a_match_gives_under_each_policy(
    first: int | None,
    second: int | None,
    map_wins: tuple[int, int],
    per_round: tuple[int, int],
    two_point: tuple[int, int],
) -> None:
    result = score(*headers(600, first, second))
    expected = {"map-wins/1": map_wins, "per-round/1": per_round, "two-point/1": two_point}
    assert {policy: given_points(result, policy) for policy in POLICIES} == expected


def test_what_is_not_counted_gives_no_points_under_any_policy() -> None:
    assert [points(policy, None, False) for policy in POLICIES] == [None, None, None]


def test_points_that_hang_on_what_nobody_knows_are_unknown() -> None:
    result = score(make_header(1, winner=0, attack_time="?"), make_header(2, winner=ALLIES, attack_time="5:00"))
    assert (result.winner, result.first.completed) == ("B", None)
    assert [given_points(result, policy) for policy in POLICIES] == [(0, 1), None, (0, 2)]


def test_the_default_is_one_point_per_map() -> None:
    assert DEFAULT_POLICY == "map-wins/1" and DEFAULT_POLICY in POLICIES


# --- a known evening, with invented times ---

KNOWN_WINNERS = "BABBBAABABB"


def known_evening(won_in_round_1: set[int]) -> list[MatchResult]:
    """The community's evening of 2026-02-02; ``won_in_round_1``: matches, from 1 on, whose round 2 beat nothing."""
    results = []
    for number, winner in enumerate(KNOWN_WINNERS, start=1):
        held = number in won_in_round_1
        a_attacks_first = (winner == "A") == held
        sides = A_ON_ALLIES if a_attacks_first else A_ON_AXIS
        results.append(score(*headers(720, 400, None if held else 350), sides))
    return results


def total(results: list[MatchResult], policy: str) -> tuple[int, int]:
    given = [given_points(result, policy) or Points(0, 0) for result in results]
    return sum(p.a for p in given), sum(p.b for p in given)


def test_the_known_evening_ends_7_to_4_for_team_b_while_its_rounds_alone_would_have_made_it_11_to_11() -> None:
    results = known_evening(won_in_round_1={1, 2, 5, 9})  # two of each team
    assert "".join(str(result.winner) for result in results) == KNOWN_WINNERS
    assert {policy: total(results, policy) for policy in POLICIES} == {
        "map-wins/1": (4, 7),
        "per-round/1": (11, 11),
        "two-point/1": (8, 14),
    }


# --- a session's matches ---


def test_the_matches_of_a_session_come_in_order_of_play_each_with_both_halves() -> None:
    matches = score_session([*a_match(number=1), *a_match(number=2)], TEAMS)
    assert [(m.first.key, m.second and m.second.key) for m in matches] == [("m1r1", "m1r2"), ("m2r1", "m2r2")]
    assert [m.result.winner for m in matches] == ["A", "A"]


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.COMPLETE])
def test_half_a_match_is_not_counted_for_the_reason_of_its_place(status: Status) -> None:
    (match,) = score_session(a_match(status), TEAMS)
    assert told(match.result) == (None, None, "as it was played")
    assert match.result.confidence is (Confidence.AMBIGUOUS if status is Status.AMBIGUOUS else Confidence.MISSING)


def test_round_1_alone_tells_who_attacked_and_how_that_went() -> None:
    (match,) = score_session(a_match(Status.R1_ONLY), TEAMS)
    assert (match.result.first, match.result.second) == (("A", 300, True), (None, None, None))


def test_round_2_alone_tells_who_attacked_in_round_2() -> None:
    half = replace(a_match(Status.R2_ONLY)[0], number=2)
    (match,) = score_session([half], TEAMS)
    assert (match.result.first.team, match.result.second.team) == (None, "A")


def test_an_aborted_round_has_neither_a_time_nor_an_end() -> None:
    (match,) = score_session(a_match(Status.ABORTED), TEAMS)
    assert match.result.first == ("A", None, None)


def test_a_match_of_a_round_that_can_not_count_is_not_counted() -> None:
    (match,) = score_session(a_match(unscored="bots took part"), TEAMS)
    assert told(match.result) == (None, None, "bots took part")
    assert match.result.confidence is Confidence.MISSING


def test_the_same_map_again_is_another_match() -> None:
    again = [*a_match(number=1), *a_match(number=2), *a_match(number=3)]
    assert [m.first.match_key for m in score_session(again, TEAMS)] == ["m1r1", "m2r1", "m3r1"]


# --- laws ---

times = st.none() | st.integers(1, 599)


@given(times, times, st.booleans())
def test_exchanging_the_teams_exchanges_the_winner(first: int | None, second: int | None, on_axis: bool) -> None:
    one, two = headers(600, first, second)
    sides = A_ON_AXIS if on_axis else A_ON_ALLIES
    mine, theirs = score(one, two, sides).winner, score(one, two, swapped(sides)).winner
    assert mine is not None and theirs == (Winner.DRAW if mine == Winner.DRAW else other_team(mine))


FIELD = st.sampled_from([0, 1, 2, 3, None])
SHOWN = st.sampled_from(["", "?", "0:00", "5:00", "8:00", "10:00", "71:05"])
HEADERS = st.builds(make_header, st.just(1), winner=FIELD, defender=FIELD, limit=SHOWN, attack_time=SHOWN)
CLOCKS = st.builds(Clock, st.sampled_from([None, 0, 1, 2]), st.none() | st.floats(0, 900))


@given(HEADERS, HEADERS, CLOCKS, CLOCKS, st.sampled_from([A_ON_AXIS, A_ON_ALLIES, MIXED, {}]))
def test_whatever_the_headers_say_a_result_has_its_source_and_never_contradicts_its_own_rounds(
    first: Header, second: Header, first_clock: Clock, second_clock: Clock, sides: dict[str, int]
) -> None:
    result = score(first, second, sides, first_clock, second_clock)
    assert (result.winner is None) == (result.source is None)
    assert result.reason
    done = {result.first.team: result.first.completed, result.second.team: result.second.completed}
    if result.winner == Winner.DRAW:
        assert True not in done.values()
    elif result.winner:
        assert done[Team(result.winner)] is True
    if result.source is Source.TIME:
        assert result.confidence is Confidence.TIME_FALLBACK and result.by_header is None
    if result.confidence is Confidence.VERIFIED_HEADER:
        assert result.by_time in (None, result.by_header)


# --- whole evenings ---


def played_halves(evening: Evening) -> list[Half]:
    """The rounds of a simulated evening as the rules place them."""
    rounds = {r.stem: FiledRound(r.stem, r.stamp, r.label, accept_stats(r.stats_bytes)) for r in evening.rounds}
    found = work_out(list(rounds.values()), DEFAULT_WINDOW, ())
    return [
        Half(
            key,
            place.partner,
            place.match_key,
            place.number,
            place.status,
            place.reason,
            found.validities[key].unscored_reason,
            entry.map_name,
            entry.stats.header,
            {p.guid: p.side for p in found.players[key] if p.side},
        )
        for key, entry in rounds.items()
        for place in [found.placed[key]]
    ]


def truth_per_round(match: SimMatch) -> Points:
    """A point for whoever had the better of each round."""
    better = [half.team_on(half.winner_side) for half in (match.r1, match.r2)]
    return Points(better.count("A"), better.count("B"))


@examples(60)
@given(plans())
def test_the_score_of_any_evening_is_as_it_was_played_under_every_policy(plan: Plan) -> None:
    evening = plan.play()
    teams = dict.fromkeys(evening.team_a, "A") | dict.fromkeys(evening.team_b, "B")
    counting = {m.r1.stem: m for m in evening.matches if m.r1.valid and m.r2.valid}
    for match in score_session(played_halves(evening), teams):
        result, played = match.result, counting.get(match.first.key)
        assert result.winner == (played.winner if played else None), match
        given = {policy: given_points(result, policy) for policy in POLICIES}
        if played is None:
            assert set(given.values()) == {None}
            continue
        assert (result.source, result.confidence) == ("header", Confidence.VERIFIED_HEADER)
        assert [result.first.completed, result.second.completed] == [time is not None for time in played.times]
        assert given["per-round/1"] == truth_per_round(played) and sum(given["per-round/1"] or ()) == 2
        assert sum(given["two-point/1"] or ()) == 2
        assert sum(given["map-wins/1"] or ()) == (0 if played.winner == "draw" else 1)
