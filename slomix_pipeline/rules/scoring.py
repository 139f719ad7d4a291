"""The stopwatch score: who won a map, one point per map.

Policy ``map-wins/1``: the faster attack wins; nobody completes: a draw (no point); equal times: the attackers of
round 1, who set the time. The header's winners decide, times are the fallback; what can't be decided is not
counted, which is another thing than a draw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.teams import other_team, swapped, team_on_side
from slomix_pipeline.rules.values import Status, attack_succeeded, attackers_side

POLICY = "map-wins/1"
DRAW = "draw"
FIRST, SECOND = "first", "second"  # the attackers of round 1, of round 2


@dataclass(frozen=True, slots=True)
class MatchResult:
    """``winner``: "A", "B", "draw", or None for not counted. ``source``: header or time. ``reason`` for people."""

    winner: str | None
    source: str | None
    reason: str
    attackers_first: str | None = None


@dataclass(frozen=True, slots=True)
class Half:
    """One round as part of a match. ``sides``: GUID to side of who stood on one; ``reason``: why it has its place;
    ``unscored_reason``: why no match of it can count."""

    key: str
    partner: str | None
    match_key: str
    number: int
    status: Status
    reason: str | None
    unscored_reason: str | None
    map_name: str
    header: Header
    sides: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ScoredMatch:
    """A match with its result. ``first`` is the round it began with, or the only one there is."""

    first: Half
    second: Half | None
    result: MatchResult


def score_session(halves: Sequence[Half], teams: Mapping[str, str]) -> list[ScoredMatch]:
    """The matches of a session in order of play. ``halves``: its rounds in order; ``teams``: GUID to A or B."""
    by_key = {half.key: half for half in halves}
    pairs = [(half, by_key.get(half.partner or "")) for half in halves if half.key == half.match_key]
    return [ScoredMatch(first, second, _result(first, second, teams)) for first, second in pairs]


def _result(first: Half, second: Half | None, teams: Mapping[str, str]) -> MatchResult:
    if second is None or first.status is not Status.COMPLETE:
        attackers = attacking_team(first.header, first.sides, teams) if first.number == 1 else None
        return MatchResult(None, None, first.reason or f"the match is {first.status}", attackers)
    if unscored := first.unscored_reason or second.unscored_reason:
        return MatchResult(None, None, unscored)
    return score_match(first.header, second.header, first.sides, second.sides, teams)


def winner_by_time(limit: int | None, first: int | None, second: int | None) -> str | None:
    """FIRST, SECOND or DRAW by both attack times in seconds; a time equal to the limit is a full hold.

    None when a time is unknown. Without a limit any positive time completes.
    """
    if first is None or second is None:
        return None
    first_done = first > 0 and (not limit or first < limit)
    second_done = second > 0 and (not limit or second < limit)
    if first_done and second_done:
        return FIRST if first <= second else SECOND
    return FIRST if first_done else SECOND if second_done else DRAW


def winner_by_header(first: Header, second: Header) -> str | None:
    """FIRST, SECOND or DRAW by the winners in both headers; None when they don't tell.

    Round 2 is played for round 1's time: an attack that succeeds in it was faster.
    """
    first_done, second_done = attack_succeeded(first), attack_succeeded(second)
    if second_done:
        return SECOND
    if second_done is None or first_done is None:
        return None
    return FIRST if first_done else DRAW


def score_match(
    first: Header,
    second: Header,
    first_sides: Mapping[str, int],
    second_sides: Mapping[str, int],
    teams: Mapping[str, str],
) -> MatchResult:
    """The result of a complete match. Sides: GUID to side in each round; teams: GUID to A or B."""
    source, outcome = "header", winner_by_header(first, second)
    if outcome is None:
        source, outcome = "time", winner_by_time(first.limit_seconds, first.attack_seconds, second.attack_seconds)
    if outcome is None:
        return MatchResult(None, None, "neither the headers nor the times tell who won")
    side = attackers_side(first) or attackers_side(second)
    team = side and (team_on_side(side, first_sides, teams) or team_on_side(side, swapped(second_sides), teams))
    if outcome == DRAW:
        return MatchResult(DRAW, source, "nobody completed the map", team or None)
    if side is None:
        return MatchResult(None, None, "the headers do not tell which side attacked")
    if not team:
        return MatchResult(None, None, "roster changed: the sides can't be told apart as teams")
    winner = team if outcome == FIRST else other_team(team)
    return MatchResult(winner, source, _story(outcome, first, second), attackers_first=team)


def attacking_team(header: Header, sides: Mapping[str, int], teams: Mapping[str, str]) -> str | None:
    """The team that attacked in a round with these sides; None when that can't be told."""
    side = attackers_side(header)
    return None if side is None else team_on_side(side, sides, teams)


def _story(outcome: str, first: Header, second: Header) -> str:
    if outcome == SECOND:
        if attack_succeeded(first) is False:
            return f"round 1 was held, round 2 completed in {second.attack_time}"
        return f"round 2 beat {first.attack_time} with {second.attack_time}"
    return f"round 1 set {first.attack_time}, round 2 did not beat it"
