"""What people decided otherwise than the rules, as the rules take it.

Belongs here: the kinds of decisions, and which team one means after the labels A and B changed.
Does not belong here: keeping them (``warehouse.overrides``), what each changes (the rule it overrides).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slomix_pipeline.rules.teams import TEAM_A, TEAM_B, Lineup, SessionTeams, assign_teams


class OverrideKind(StrEnum):
    """What a decision is about."""

    TEAM = "team"  # a player's team in a session
    WINNER = "winner"  # who won a match
    ROUND = "round"  # whether a round counts
    SESSION = "session"  # whether a session begins with a round


COUNTS, DOES_NOT_COUNT = "counts", "does not count"
CUT, JOIN = "cut", "join"
NOT_COUNTED = "not counted"


@dataclass(frozen=True, slots=True)
class Override:
    """One decision in force. ``round_key``: the round it is about, or one of the match or session it is about;
    ``roster``: GUIDs of the team that ``value`` meant when it was made."""

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


def meant_team(override: Override, teams: Mapping[str, str]) -> str:
    """What ``value`` is now: A and B by where most of the team that was meant stand, other values as they are.

    ``teams``: GUID to A or B. A session that grew at its front may have exchanged the labels.
    """
    if override.value not in (TEAM_A, TEAM_B):
        return override.value
    in_a = sum(teams.get(guid) == TEAM_A for guid in override.roster)
    in_b = sum(teams.get(guid) == TEAM_B for guid in override.roster)
    return override.value if in_a == in_b else TEAM_A if in_a > in_b else TEAM_B


def assign_decided_teams(
    lineups: Sequence[Lineup], overrides: Iterable[Override], rounds: Collection[str]
) -> SessionTeams:
    """The teams of a session of these rounds by the rules, and where people decided some, by those and the rules.

    Each decision means the teams as those before it left them: that is what its maker saw.
    """
    decided = [o for o in overrides if o.kind is OverrideKind.TEAM and o.round_key in rounds]
    fixed: dict[str, str] = {}
    for override in sorted(decided, key=lambda o: o.id):
        fixed[str(override.guid)] = meant_team(override, assign_teams(lineups, fixed).team_of)
    return assign_teams(lineups, fixed)
