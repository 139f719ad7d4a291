"""What people decided otherwise than the rules, as the rules take it.

Belongs here: the kinds of decisions, and which team one means after the labels A and B changed.
Does not belong here: keeping them (``warehouse.overrides``), what each changes (the rule it overrides).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from slomix_pipeline.formats.gamestats import StatsFile
from slomix_pipeline.rules.counters import counts_on
from slomix_pipeline.rules.pairing import COUNTS_ON, PLAYED_AS_FIRST, Placed
from slomix_pipeline.rules.teams import Lineup, SessionTeams, Team, assign_teams
from slomix_pipeline.rules.values import Status


class OverrideKind(StrEnum):
    """What a decision is about."""

    TEAM = "team"  # a player's team in a session
    WINNER = "winner"  # who won a match
    ROUND = "round"  # whether a round counts
    SESSION = "session"  # whether a session begins with a round
    PAIR = "pair"  # of which round 1 a round was the round 2, though it was played as a round 1


COUNTS, DOES_NOT_COUNT = "counts", "does not count"
CUT, JOIN = "cut", "join"
NOT_COUNTED = "not counted"


@dataclass(frozen=True, slots=True)
class Override:
    """One decision in force. ``round_key``: the round it is about, or one of the match or session it is about;
    ``value``: what was decided, of a pair the key of its round 1; ``roster``: GUIDs of the team that ``value`` meant
    when it was made."""

    id: int
    kind: OverrideKind
    round_key: str
    guid: str | None
    value: str
    roster: tuple[str, ...]
    reason: str
    made_by: str
    made_at: datetime

    @property
    def in_words(self) -> str:
        """Who decided it and why."""
        return f"decided by {self.made_by}: {self.reason}"


def of_kind(overrides: Iterable[Override], kind: OverrideKind) -> dict[str, Override]:
    """The decisions of a kind, by the round they are about; not for those about players."""
    return {override.round_key: override for override in overrides if override.kind is kind}


def decided_text(kind: OverrideKind, value: str) -> str:
    """What was decided, for people."""
    return f"round 2 of {value}" if kind is OverrideKind.PAIR else value


def place_as_decided(
    placed: Mapping[str, Placed], overrides: Iterable[Override], stats: Mapping[str, StatsFile]
) -> dict[str, Placed]:
    """The places of a session's rounds, where people decided some otherwise than the rules. ``stats``: their files.

    Two rounds 1 can be the halves of a match, unless it turned out since that one was broken off. A replaced round 1
    that is to count is a round 1 without a round 2.
    """
    decided = dict(placed)
    for override in sorted(overrides, key=lambda o: o.id):
        place = decided.get(override.round_key)
        if place is None:
            continue
        if override.kind is OverrideKind.PAIR and override.value in decided:
            if _can_be_half(decided[override.value]) and _can_be_half(place):
                decided |= _paired(decided, override, counts_on(stats[override.value], stats[place.key]))
            else:
                why = f"{override.in_words}, which rests: what was broken off, or a round 2 already, is no half of it"
                decided[place.key] = replace(place, reason=f"{place.reason}; {why}" if place.reason else why)
        elif override.kind is OverrideKind.ROUND and override.value == COUNTS and place.status is Status.SUPERSEDED:
            reason = f"{place.reason}; {override.in_words}"
            decided[place.key] = replace(place, status=Status.R1_ONLY, reason=reason)
    return decided


def _can_be_half(place: Placed) -> bool:
    return place.number == 1 and place.status is not Status.ABORTED


def _paired(placed: Mapping[str, Placed], override: Override, second_counts_on: bool) -> dict[str, Placed]:
    """The two rounds of a decided pair, and who loses a partner by it."""
    flags = (PLAYED_AS_FIRST, COUNTS_ON) if second_counts_on else (PLAYED_AS_FIRST,)
    first, second = override.value, override.round_key
    left = [place for place in placed.values() if place.partner in (first, second) and place.key not in (first, second)]
    status = {1: Status.R1_ONLY, 2: Status.R2_ONLY}
    match = Placed(first, first, 1, Status.COMPLETE, partner=second, reason=override.in_words)
    return {
        first: match,
        second: replace(match, key=second, number=2, partner=first, flags=flags),
        **{
            place.key: Placed(
                place.key,
                place.key,
                place.number,
                status[place.number],
                reason=f"{place.partner} is part of another match, {override.in_words}",
            )
            for place in left
        },
    }


def meant_team(value: str, roster: Collection[str], teams: Mapping[str, str | None]) -> str:
    """What a decided ``value`` is now: A and B by where most of the team that was meant stand, other values as they
    are.

    ``teams``: GUID to A or B. A session that grew at its front may have exchanged the labels.
    """
    if value not in tuple(Team):
        return value
    in_a = sum(teams.get(guid) == Team.A for guid in roster)
    in_b = sum(teams.get(guid) == Team.B for guid in roster)
    return value if in_a == in_b else Team.A if in_a > in_b else Team.B


def assign_decided_teams(
    lineups: Sequence[Lineup], overrides: Iterable[Override], rounds: Collection[str]
) -> SessionTeams:
    """The teams of a session of these rounds by the rules, and where people decided some, by those and the rules.

    Each decision means the teams as those before it left them: that is what its maker saw.
    """
    decided = [o for o in overrides if o.kind is OverrideKind.TEAM and o.round_key in rounds]
    fixed: dict[str, str] = {}
    for override in sorted(decided, key=lambda o: o.id):
        fixed[str(override.guid)] = meant_team(override.value, override.roster, assign_teams(lineups, fixed).team_of)
    return assign_teams(lineups, fixed)
