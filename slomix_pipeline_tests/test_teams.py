"""Teams A and B of a session: they persist over every swap of sides, and a tie is never guessed."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.rules.teams import Lineup, assign_teams, other_team, swapped, team_on_axis, team_on_side
from slomix_pipeline.rules.values import other_side


def lineup(axis: str, allies: str, number: int = 1, key: str = "r") -> Lineup:
    """Who stood where; players are single letters."""
    return Lineup(key, number, dict.fromkeys(axis, AXIS) | dict.fromkeys(allies, ALLIES))


def teams_of(*lineups: Lineup) -> tuple[str, ...]:
    """The members of A and of B, in alphabetical order."""
    teams = assign_teams(lineups)
    return tuple("".join(sorted(guid for guid in teams if teams[guid] == team)) for team in "AB")


def test_without_rounds_there_are_no_teams() -> None:
    assert assign_teams([]) == {}


def test_team_a_stood_on_the_axis_side_in_the_earliest_round_1() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyz", "abc", 2)) == ("abc", "xyz")


def test_without_a_round_1_team_a_stood_on_the_allied_side_of_the_earliest_round_2() -> None:
    assert teams_of(lineup("xyz", "abc", 2), lineup("abc", "xyz", 2)) == ("abc", "xyz")


def test_teams_persist_over_swaps_of_sides() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyz", "abc"), lineup("abc", "xyz")) == ("abc", "xyz")


def test_a_newcomer_joins_the_team_that_holds_his_side() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyzn", "abc")) == ("abc", "nxyz")


def test_a_substitute_inherits_the_leavers_team() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("xyz", "abn")) == ("abcn", "xyz")


def test_a_new_clan_on_the_other_side_is_the_opposing_team() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("abc", "mnopq")) == ("abc", "mnopqxyz")


def test_a_player_who_changes_sides_keeps_his_first_team() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("abx", "yzc")) == ("abc", "xyz")


def test_a_newcomer_between_one_of_each_team_stays_open() -> None:
    assert teams_of(lineup("ab", "xy"), lineup("axn", "by")) == ("ab", "xy")


def test_a_tie_on_his_own_side_is_not_decided_by_the_other_side() -> None:
    assert teams_of(lineup("abc", "xyz"), lineup("axn", "byz")) == ("abc", "xyz")


def test_a_newcomer_among_strangers_opposite_of_a_mixed_side_stays_open() -> None:
    assert teams_of(lineup("ab", "xy"), lineup("mn", "ax")) == ("ab", "xy")


def test_the_majority_of_his_own_side_decides_over_the_other_side() -> None:
    assert teams_of(lineup("abcde", "xyz"), lineup("abxn", "cdeyz")) == ("abcden", "xyz")


def test_an_open_newcomer_is_decided_by_a_later_round() -> None:
    assert teams_of(lineup("ab", "xy"), lineup("axn", "by"), lineup("xyn", "ab")) == ("ab", "nxy")


def test_players_decided_late_help_to_decide_an_earlier_round() -> None:
    rounds = lineup("ab", "xy"), lineup("mn", "pq"), lineup("abm", "xyp")
    assert teams_of(*rounds) == ("abmn", "pqxy")


def test_who_stood_on_a_side_is_told_by_the_majority_of_known_players() -> None:
    teams = {"a": "A", "b": "A", "x": "B", "y": "B"}
    sides = lineup("xyb", "an").sides
    assert team_on_axis(sides, teams) == "B"
    assert (team_on_side(AXIS, sides, teams), team_on_side(ALLIES, sides, teams)) == ("B", "A")


def test_a_tie_or_a_round_of_strangers_tells_nothing() -> None:
    teams = {"a": "A", "b": "A", "x": "B", "y": "B"}
    assert team_on_axis(lineup("ax", "by").sides, teams) is None
    assert team_on_side(ALLIES, lineup("mn", "pq").sides, teams) is None


# --- laws ---

PLAYERS = "abcdefgh"
sides = st.dictionaries(st.sampled_from(PLAYERS), st.sampled_from((AXIS, ALLIES)), max_size=8)
sessions = st.lists(st.tuples(st.sampled_from((1, 2)), sides), max_size=8).map(
    lambda rounds: [Lineup(f"round {i}", number, who) for i, (number, who) in enumerate(rounds)]
)


@given(sessions, st.randoms())
def test_the_order_of_the_players_within_a_round_is_irrelevant(lineups: list[Lineup], random: Random) -> None:
    shuffled = [Lineup(r.key, r.number, dict(random.sample(list(r.sides.items()), len(r.sides)))) for r in lineups]
    assert assign_teams(shuffled) == assign_teams(lineups)


@given(sessions, st.permutations(PLAYERS))
def test_guids_are_only_names(lineups: list[Lineup], others: list[str]) -> None:
    renamed = dict(zip(PLAYERS, others, strict=True))
    changed = [Lineup(r.key, r.number, {renamed[g]: side for g, side in r.sides.items()}) for r in lineups]
    assert assign_teams(changed) == {renamed[guid]: team for guid, team in assign_teams(lineups).items()}


@given(sessions)
def test_nobody_is_in_two_teams_and_only_players_are_in_one(lineups: list[Lineup]) -> None:
    teams = assign_teams(lineups)
    assert set(teams.values()) <= {"A", "B"}
    assert teams.keys() <= {guid for r in lineups for guid in r.sides}


@given(sessions)
def test_a_swap_of_all_sides_in_all_rounds_exchanges_the_teams(lineups: list[Lineup]) -> None:
    changed = [Lineup(r.key, r.number, swapped(r.sides)) for r in lineups]
    assert assign_teams(changed) == {guid: other_team(team) for guid, team in assign_teams(lineups).items()}


@given(sessions)
def test_a_swap_of_all_sides_in_a_later_round_changes_nothing(lineups: list[Lineup]) -> None:
    first = next((r for r in lineups if r.number == 1), lineups[0] if lineups else None)
    changed = [r if r is first else Lineup(r.key, r.number, swapped(r.sides)) for r in lineups]
    assert assign_teams(changed) == assign_teams(lineups)


@given(sides, st.dictionaries(st.sampled_from(PLAYERS), st.sampled_from(("A", "B"))))
def test_the_two_sides_never_hold_the_same_team(who: dict[str, int], teams: dict[str, str]) -> None:
    on_axis, on_allies = (team_on_side(side, who, teams) for side in (AXIS, ALLIES))
    assert (on_axis is None and on_allies is None) or {on_axis, on_allies} == {"A", "B"}


def test_swapping_twice_changes_nothing() -> None:
    assert other_side(other_side(AXIS)) == AXIS
    assert other_team(other_team("A")) == "A"
