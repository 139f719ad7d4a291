"""Who won a match on the stopwatch, by what, and how sure that is.

The faster attack wins; nobody completes: a draw; equal times: the attackers of round 1, who set the time. The
headers' winners decide, times are the fallback; what can't be decided is not counted, which is another thing than a
draw. What a person decided stands above both.
Does not belong here: how many points that gives (``rules.score_policies``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.teams import Team, other_team, team_on_side
from slomix_pipeline.rules.values import (
    Status,
    attack_succeeded,
    attackers_side,
    ended_early,
    shows_a_preset,
    stopwatch_seconds,
    with_true_limit,
)


class Winner(StrEnum):
    """Who won a match or a session; None where it is not counted, or open."""

    A = "A"
    B = "B"
    DRAW = "draw"


class Faster(StrEnum):
    """Whose attack won a match by one way of telling."""

    FIRST = "first"  # the attackers of round 1
    SECOND = "second"
    DRAW = "draw"  # nobody completed the map


class Source(StrEnum):
    """What decided a match."""

    HEADER = "header"
    TIME = "time"
    OVERRIDE = "override"  # a person


class Confidence(StrEnum):
    """How sure the files alone are of a result, also where a person decided otherwise."""

    VERIFIED_HEADER = "verified_header"  # the headers tell, and the times don't say otherwise
    TIME_FALLBACK = "time_fallback"  # the headers don't tell, the times do
    AMBIGUOUS = "ambiguous"  # what is there contradicts itself: header and times, the rosters, the pair
    MISSING = "missing"  # what it takes is not there, or does not count


class Clock(NamedTuple):
    """What is known of a round's end beside its header. ``surrender_side``: who gave up in the engine's own words
    (0 nobody, None not told); ``seconds``: how long the round was, None where only its limit tells."""

    surrender_side: int | None = None
    seconds: float | None = None


NO_CLOCK = Clock()


class Attack(NamedTuple):
    """One round's attack. ``team``: who attacked; ``seconds``: as the stopwatch shows it, a copy of the limit where it
    failed (``attack_time``); ``completed``: whether it succeeded. None where that can't be told."""

    team: Team | None = None
    seconds: int | None = None
    completed: bool | None = None


UNKNOWN_ATTACK = Attack()


@dataclass(frozen=True, slots=True)
class MatchResult:
    """``winner``: None for not counted. ``reason`` is for people. ``attackers_side``: of both
    rounds (the players swap, the sides don't). ``by_header``, ``by_time``: by that alone."""

    winner: Winner | None
    source: Source | None
    reason: str
    confidence: Confidence
    attackers_side: int | None = None
    first: Attack = UNKNOWN_ATTACK
    second: Attack = UNKNOWN_ATTACK
    by_header: Faster | None = None
    by_time: Faster | None = None

    @property
    def both_completed(self) -> bool | None:
        """Whether both attacks succeeded; None when that can't be told."""
        done = (self.first.completed, self.second.completed)
        return False if False in done else None if None in done else True


@dataclass(frozen=True, slots=True)
class Half:
    """One round as part of a match. ``sides``: GUID to side of who is known and stood on one; ``reason``: why it has
    its place; ``unscored_reason``: why no match of it can count."""

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
    clock: Clock = NO_CLOCK


@dataclass(frozen=True, slots=True)
class ScoredMatch:
    """A match with its result. ``first`` is the round it began with, or the only one there is."""

    first: Half
    second: Half | None
    result: MatchResult


def score_session(
    halves: Sequence[Half], teams: Mapping[str, str], decided: Mapping[str, tuple[Winner | None, str]] | None = None
) -> list[ScoredMatch]:
    """The matches of a session in order of play. ``halves``: its rounds in order; ``teams``: GUID to A or B.

    ``decided``: by match key the winner (None: not counted) and the reason, where a person decided.
    """
    by_key = {half.key: half for half in halves}
    pairs = [(half, by_key.get(half.partner or "")) for half in halves if half.key == half.match_key]
    scored = [ScoredMatch(first, second, _by_files(first, second, teams)) for first, second in pairs]
    return [_as_decided(match, (decided or {}).get(match.first.match_key)) for match in scored]


def _as_decided(match: ScoredMatch, decision: tuple[Winner | None, str] | None) -> ScoredMatch:
    if decision is None or match.first.status is Status.SUPERSEDED:  # it was played again since
        return match
    winner, reason = decision
    return replace(match, result=replace(match.result, winner=winner, source=Source.OVERRIDE, reason=reason))


def _by_files(first: Half, second: Half | None, teams: Mapping[str, str]) -> MatchResult:
    if second is None or first.status is not Status.COMPLETE:
        return _half_a_match(first, teams)
    result = score_match(first.header, second.header, first.sides, second.sides, teams, first.clock, second.clock)
    if unscored := first.unscored_reason or second.unscored_reason:
        return replace(result, winner=None, source=None, reason=unscored, confidence=Confidence.MISSING)
    return result


def _half_a_match(half: Half, teams: Mapping[str, str]) -> MatchResult:
    side = attackers_side(half.header)
    team = None if side is None else team_on_side(side, half.sides, teams)
    attack = Attack(team, attack_time(half.header, half.clock), attack_succeeded(half.header))
    if half.status is Status.ABORTED:  # its header holds presets
        attack = Attack(team)
    return MatchResult(
        None,
        None,
        half.reason or f"the match is {half.status}",
        Confidence.AMBIGUOUS if half.status is Status.AMBIGUOUS else Confidence.MISSING,
        side,
        *((attack, UNKNOWN_ATTACK) if half.number == 1 else (UNKNOWN_ATTACK, attack)),
    )


def attack_time(header: Header, clock: Clock) -> int | None:
    """Seconds of a round's attack: what the stopwatch shows, a copy of the limit where the attack failed.

    When the defenders gave up the attack is completed at that time, also where the stopwatch shows the limit. Where no
    time stands, how long the round was tells; where nobody says who won either, whether it lasted to the limit. A
    stopwatch at the limit of a round that ended sooner is a preset: then nothing tells.
    """
    shown, limit, lasted = stopwatch_seconds(header), header.limit_seconds, clock.seconds
    at_limit = shown is None or (limit is not None and shown >= limit)
    if at_limit and lasted and clock.surrender_side and clock.surrender_side == header.defender_side:
        return round(lasted)
    if shows_a_preset(header, lasted):
        return None
    if shown is not None:
        return shown
    if attack_succeeded(header):
        return int(lasted) if lasted else None
    held = attack_succeeded(header) is False or ended_early(lasted, limit) is False
    return limit if held else None


def _time_to_compare(header: Header, clock: Clock) -> int | None:
    """For ``winner_by_time``: an attack that was given up completed nothing, whatever the stopwatch shows."""
    gave_up = clock.surrender_side and clock.surrender_side == attackers_side(header)
    return 0 if gave_up else attack_time(header, clock)


def winner_by_time(
    limit: int | None, first: int | None, second: int | None, second_limit: int | None = None
) -> Faster | None:
    """Whose attack won by both attack times in seconds; a time equal to the round's own limit is a full hold.

    ``second_limit``: what round 2 was played for, when that is known: scripts shorten it on some maps. None when a time
    is unknown. Without a limit any positive time completes.
    """
    if first is None or second is None:
        return None
    first_done, second_done = _completes(limit, first), _completes(second_limit or limit, second)
    if first_done and second_done:
        return Faster.FIRST if first <= second else Faster.SECOND
    return Faster.FIRST if first_done else Faster.SECOND if second_done else Faster.DRAW


def _completes(limit: int | None, seconds: int) -> bool:
    return seconds > 0 and (not limit or seconds < limit)


def winner_by_header(first: Header, second: Header) -> Faster | None:
    """Whose attack won by the winners in both headers; None when they don't tell.

    Round 2 is played for round 1's time: an attack that succeeds in it was faster.
    """
    first_done, second_done = attack_succeeded(first), attack_succeeded(second)
    if second_done:
        return Faster.SECOND
    if second_done is None or first_done is None:
        return None
    return Faster.FIRST if first_done else Faster.DRAW


def score_match(
    first: Header,
    second: Header,
    first_sides: Mapping[str, int],
    second_sides: Mapping[str, int],
    teams: Mapping[str, str],
    first_clock: Clock = NO_CLOCK,
    second_clock: Clock = NO_CLOCK,
) -> MatchResult:
    """The result of a complete match. Sides: GUID to side in each round; teams: GUID to A or B."""
    limit = first.limit_seconds
    written, second = second, with_true_limit(second, first)
    longer = (written.limit_seconds or 0) > (second.limit_seconds or 0)
    compared = _time_to_compare(first, first_clock), _time_to_compare(second, second_clock)
    by_header, by_time = winner_by_header(first, second), winner_by_time(limit, *compared, second.limit_seconds)
    if attack_succeeded(second) and compared[1] is not None and compared[1] in (compared[0], second.limit_seconds):
        by_time = None  # beaten within the second that is printed
    source, outcome = (Source.HEADER, by_header) if by_header else (Source.TIME, by_time)
    side = attackers_side(first) or attackers_side(second)
    # Everybody changes sides: who attacks in round 2 stands where round 1's attackers stood.
    teams_seen = tuple(side and team_on_side(side, sides, teams) for sides in (first_sides, second_sides))
    attackers = teams_seen[0] or (other_team(teams_seen[1]) if teams_seen[1] else None)
    completed = _completed(outcome, first, second, None if compared[0] is None else _completes(limit, compared[0]))
    told = MatchResult(
        None,
        None,
        "",
        Confidence.MISSING,
        side,
        Attack(attackers, attack_time(first, first_clock), completed[0]),
        Attack(other_team(attackers) if attackers else None, attack_time(second, second_clock), completed[1]),
        by_header,
        by_time,
    )
    if outcome is None:
        return replace(told, reason="neither the headers nor the times tell who won")
    if source is Source.TIME and _contradicts(outcome, first, second):
        return replace(
            told, reason="what the headers tell and the times contradict each other", confidence=Confidence.AMBIGUOUS
        )
    if outcome is Faster.DRAW:
        winner, reason = Winner.DRAW, "nobody completed the map"
    elif side is None:
        return replace(told, reason="the headers do not tell which side attacked")
    elif attackers is None or teams_seen[0] == teams_seen[1]:
        return replace(told, reason=_ROSTERS[attackers is None], confidence=Confidence.AMBIGUOUS)
    else:
        winner = Winner(attackers if outcome is Faster.FIRST else other_team(attackers))
        reason = _story(outcome, told)
    return replace(
        told, winner=winner, source=source, reason=reason, confidence=_confidence(told, first, second, longer)
    )


_ROSTERS = {
    True: "roster changed: the sides can't be told apart as teams",
    False: "roster changed: by their players the same team attacked in both rounds",
}


def _confidence(told: MatchResult, first: Header, second: Header, longer: bool) -> Confidence:
    """``longer``: whether round 2's own limit is above what it can have been played for."""
    if told.by_header is None:
        return Confidence.TIME_FALLBACK
    defenders = {attackers_side(first), attackers_side(second)} - {None}
    if told.by_time not in (None, told.by_header) or len(defenders) > 1 or longer:
        return Confidence.AMBIGUOUS
    return Confidence.VERIFIED_HEADER


def _completed(
    outcome: Faster | None, first: Header, second: Header, first_by_time: bool | None
) -> tuple[bool | None, bool | None]:
    """Which of both attacks succeeded, in keeping with the outcome."""
    by_header = attack_succeeded(first), attack_succeeded(second)
    if outcome is Faster.SECOND:
        return first_by_time if by_header[0] is None else by_header[0], True
    return by_header if outcome is None else (outcome is Faster.FIRST, False)


def _contradicts(outcome: Faster, first: Header, second: Header) -> bool:
    """Whether the one header that tells says another thing of its round than the times do of both."""
    needs = {Faster.FIRST: (True, None), Faster.SECOND: (None, True), Faster.DRAW: (False, False)}[outcome]
    told = attack_succeeded(first), attack_succeeded(second)
    return any(None not in (need, says) and need != says for need, says in zip(needs, told, strict=True))


def _story(outcome: Faster, told: MatchResult) -> str:
    first, second = (_shown(attack) for attack in (told.first, told.second))
    if outcome is Faster.FIRST:
        return f"round 1 set {first}, round 2 did not beat it"
    if told.first.completed is False:
        return f"round 1 was held, round 2 completed in {second}"
    if told.first.seconds is not None and told.first.seconds == told.second.seconds:
        return f"round 2 beat {first} by less than a second"
    return f"round 2 beat {first} with {second}"


def _shown(attack: Attack) -> str:
    return "an unknown time" if attack.seconds is None else format_time(attack.seconds)
