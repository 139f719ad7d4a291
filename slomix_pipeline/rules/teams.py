"""Teams A and B of a session: who plays with whom, over every side swap, and how sure that is.

Team A is who stood on side 1 (Axis) in the session's earliest valid round 1. Identity is the GUID.
Where a round gives no majority its newcomers stay open: a tie is never guessed.
Belongs here: who is in which team, and what a person should know about it. Does not belong here: what a team is
called (``team_names``), who won (``scoring``).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from slomix_pipeline.formats.gamestats import ALLIES, AXIS

OPEN = "open"  # what a person may decide of a player instead of a team

# The community's stats bot calls its teams sure from this share of rounds on in which everybody stands with his team.
CONSISTENT_SHARE = 0.7
# The same bot's limit of what may stay open in teams that are still half sure.
OPEN_AT_MEDIUM = 1
# Ours: from this share of a round's known players on, it takes a new split of the lobby to put them against their
# teams. In 3 v 3 one exchanged pair is a third; fewer are single players who changed sides.
RESPLIT_SHARE = 1 / 3


class Team(StrEnum):
    """The two teams of a session. Who is in neither is open."""

    A = "A"
    B = "B"


class TeamConfidence(StrEnum):
    """How sure the teams of a session are."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FlagKind(StrEnum):
    """What a person should know about the teams of a session."""

    SUBSTITUTION = "substitution"  # of one team some left and others came
    TEAM_REPLACED = "team_replaced"  # a whole team left, and another roster stands against the same opponents
    ROSTER_CHANGED = "roster_changed"  # the lobby was split anew: players of both teams side by side
    CHANGED_SIDES = "changed_sides"  # one player stood against his team: of him the round says nothing
    OPEN_PLAYER = "open_player"
    TIE = "tie"  # which side was which team can't be told


@dataclass(frozen=True, slots=True)
class Lineup:
    """Who stood where in one valid round: GUID to side (1 Axis, 2 Allies). No spectators, no bots."""

    key: str
    number: int
    sides: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Flag:
    """``rounds``: keys of those concerned, in order of play. ``players``: who came, changed sides or stays open;
    ``gone``: who left for them. GUIDs in alphabetical order."""

    kind: FlagKind
    rounds: tuple[str, ...]
    team: str | None = None
    players: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionTeams:
    """The teams of a session. ``team_of``: GUID to A or B; ``open``: GUID of who stays open, and why.

    ``reasons``: for the confidence, in words.
    """

    team_of: Mapping[str, str]
    open: Mapping[str, str]
    confidence: TeamConfidence
    reasons: tuple[str, ...]
    flags: tuple[Flag, ...]

    def members(self, team: str) -> frozenset[str]:
        """Who is in a team."""
        return frozenset(guid for guid, own in self.team_of.items() if own == team)


_NOBODY_FIXED: Mapping[str, str] = {}


def assign_teams(lineups: Sequence[Lineup], fixed: Mapping[str, str] = _NOBODY_FIXED) -> SessionTeams:
    """The teams of a session. ``lineups``: its valid rounds in order of play.

    ``fixed``: GUID to what a person decided, A, B or ``OPEN``; it wins over everything, and others are told by it.

    Newcomers join the team that holds the majority of their side; where nobody on it is known, the opponents of the
    team that holds the other side. So a substitute inherits the team. On a tie they stay open until another round
    decides. Who changes sides later keeps his first team.
    """
    lineups = [lineup for lineup in lineups if lineup.sides]
    team_of = _told_teams(lineups, fixed)
    players = {guid for lineup in lineups for guid in lineup.sides}
    undecided = sorted(players - team_of.keys() - fixed.keys())
    why_open = {guid: _why_open(guid, lineups, team_of) for guid in undecided}
    why_open |= {guid: "a person decided that he stays open" for guid, what in fixed.items() if what == OPEN}
    flags = (*_changes(lineups, team_of), *_mixed(lineups, team_of), *_open(lineups, undecided))
    confidence, reasons = _confidence(lineups, team_of, flags, len(fixed))
    return SessionTeams(team_of, why_open, confidence, reasons, flags)


def other_team(team: str) -> Team:
    """A for B and back."""
    return Team.B if team == Team.A else Team.A


def team_on_axis(sides: Mapping[str, int], teams: Mapping[str, str]) -> Team | None:
    """The team that stood on the Axis side, by the majority of known players; None on a tie or without any."""
    votes = 0
    for guid, side in sides.items():
        if guid in teams:
            votes += 1 if (teams[guid] == Team.A) == (side == AXIS) else -1
    return None if votes == 0 else Team.A if votes > 0 else Team.B


def team_on_side(side: int, sides: Mapping[str, int], teams: Mapping[str, str]) -> Team | None:
    """The team that stood on ``side``; None when that can't be told."""
    axis_team = team_on_axis(sides, teams)
    return axis_team if axis_team is None or side == AXIS else other_team(axis_team)


# --- who is in which team ---


def _told_teams(lineups: Sequence[Lineup], fixed: Mapping[str, str]) -> dict[str, str]:
    told = {**_first_teams(lineups, fixed), **fixed}
    teams = {guid: team for guid, team in told.items() if team != OPEN}
    while True:
        known = len(teams)
        for lineup in lineups:
            joins = {side: _team_of_newcomers(side, lineup.sides, teams) for side in (AXIS, ALLIES)}
            for guid, side in lineup.sides.items():
                if guid not in fixed and (team := joins[side]):
                    teams.setdefault(guid, team)
        if len(teams) == known:
            return teams


def _first_teams(lineups: Sequence[Lineup], fixed: Mapping[str, str]) -> dict[str, str]:
    first = next((lineup for lineup in lineups if lineup.number == 1), None)
    axis_team: str = Team.A
    if first is None and lineups:
        first, axis_team = lineups[0], Team.B  # of a round 2: its Allies stood on side 1 in the missing round 1
    if first is None:
        return {}
    told = {other_team(team) for team in _fixed_team(ALLIES, first, fixed)} | _fixed_team(AXIS, first, fixed)
    if len(told) > 1:
        return {}  # a person put both sides into one team
    axis_team = told.pop() if told else axis_team
    return {guid: axis_team if side == AXIS else other_team(axis_team) for guid, side in first.sides.items()}


def _fixed_team(side: int, lineup: Lineup, fixed: Mapping[str, str]) -> set[str]:
    """The team into which a person put most of a side, if any; moving one player does not move all others."""
    on_side = [guid for guid, own in lineup.sides.items() if own == side]
    counts = Counter(fixed.get(guid) for guid in on_side)
    return {team for team in Team if 2 * counts[team] > len(on_side)}


def _team_of_newcomers(side: int, sides: Mapping[str, int], teams: Mapping[str, str]) -> str | None:
    known_beside_them = {guid: s for guid, s in sides.items() if s == side and guid in teams}
    return team_on_side(side, known_beside_them or sides, teams)


def _why_open(guid: str, lineups: Iterable[Lineup], team_of: Mapping[str, str]) -> str:
    own = [lineup for lineup in lineups if guid in lineup.sides]
    known = [(s == lineup.sides[guid]) for lineup in own for other, s in lineup.sides.items() if other in team_of]
    if not known:
        return "nobody he played with or against is in a team"
    where = "beside him" if any(known) else "against him"
    return f"as many of team A as of team B stood {where}"


# --- what a person should know ---


def _changes(lineups: Sequence[Lineup], team_of: Mapping[str, str]) -> Iterator[Flag]:
    """Substitutions and replaced teams, team by team."""
    for team in Team:
        last: set[str] = set()  # the team as it last stood
        extra: set[str] = set()  # came in the round before, for nobody: a leaver's line stays in the file of his round
        seen: set[str] = set()
        seen_opponents: set[str] = set()
        for lineup in lineups:
            now, opponents = _members(lineup, team, team_of), _members(lineup, other_team(team), team_of)
            came, gone = now - last, last - now
            if min(len(now), len(seen)) > 1 and not now & seen and 2 * len(opponents & seen_opponents) > len(opponents):
                yield Flag(FlagKind.TEAM_REPLACED, (lineup.key,), team, _sorted(now), _sorted(last))
                extra = set()
            elif now and gone and (new := came | extra & now):
                yield Flag(FlagKind.SUBSTITUTION, (lineup.key,), team, _sorted(new), _sorted(gone))
                extra = set()
            else:
                extra = came if seen else set()
            last = now or last
            seen |= now
            seen_opponents |= opponents


def _members(lineup: Lineup, team: str, team_of: Mapping[str, str]) -> set[str]:
    return {guid for guid in lineup.sides if team_of.get(guid) == team}


def _mixed(lineups: Sequence[Lineup], team_of: Mapping[str, str]) -> list[Flag]:
    """New splits, players against their team, ties; rounds with the same finding together."""
    rounds: dict[tuple[FlagKind, str | None, tuple[str, ...]], list[str]] = {}
    for lineup in lineups:
        for finding in _mixed_in(lineup, team_of):
            rounds.setdefault(finding, []).append(lineup.key)
    return [Flag(kind, tuple(keys), team, players) for (kind, team, players), keys in rounds.items()]


def _mixed_in(lineup: Lineup, team_of: Mapping[str, str]) -> Iterator[tuple[FlagKind, str | None, tuple[str, ...]]]:
    known = sum(guid in team_of for guid in lineup.sides)
    against = _against(lineup, team_of)
    if against is None:
        if known:
            yield FlagKind.ROSTER_CHANGED, None, ()
        yield FlagKind.TIE, None, ()
    elif len(against) > 1 and len(against) >= RESPLIT_SHARE * known:
        yield FlagKind.ROSTER_CHANGED, None, against
    else:
        for guid in against:
            yield FlagKind.CHANGED_SIDES, team_of[guid], (guid,)


def _against(lineup: Lineup, team_of: Mapping[str, str]) -> tuple[str, ...] | None:
    """Who stood against his team; None when the sides can't be told apart as teams."""
    axis_team = team_on_axis(lineup.sides, team_of)
    if axis_team is None:
        return None
    return _sorted(
        guid
        for guid, side in lineup.sides.items()
        if guid in team_of and (team_of[guid] == axis_team) != (side == AXIS)
    )


def _open(lineups: Sequence[Lineup], undecided: Iterable[str]) -> list[Flag]:
    return [
        Flag(FlagKind.OPEN_PLAYER, tuple(lineup.key for lineup in lineups if guid in lineup.sides), None, (guid,))
        for guid in undecided
    ]


def _sorted(guids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(guids))


# --- how sure it is ---


def _confidence(
    lineups: Sequence[Lineup], team_of: Mapping[str, str], flags: Sequence[Flag], fixed: int
) -> tuple[TeamConfidence, tuple[str, ...]]:
    """Low: a new split, a team without anybody, or more than one open; high: nobody open, and nearly every round shows
    everybody with his team; else medium. ``fixed``: of how many players a person decided."""
    if not lineups:
        return TeamConfidence.LOW, ("no round counts",)
    consistent = sum(_against(lineup, team_of) == () for lineup in lineups)
    mixed = {key for flag in flags if flag.kind is FlagKind.ROSTER_CHANGED for key in flag.rounds}
    undecided = sum(flag.kind is FlagKind.OPEN_PLAYER for flag in flags)
    doubts = [f"nobody is in team {team}" for team in Team if team not in team_of.values()]
    doubts += [f"the lobby was split anew in {_count(len(mixed), 'round')}"] if mixed else []
    doubts += [f"{_count(undecided, 'player')} can't be told"] if undecided > OPEN_AT_MEDIUM else []
    reasons = [
        *(doubts or ["everybody's team can be told" if not undecided else "1 player can't be told"]),
        f"everybody stands with his team in {consistent} of {_count(len(lineups), 'round')}",
        *(f"team {flag.team} was replaced" for flag in flags if flag.kind is FlagKind.TEAM_REPLACED),
        *([f"a person decided of {_count(fixed, 'player')}"] if fixed else []),
    ]
    if doubts:
        return TeamConfidence.LOW, tuple(reasons)
    sure = not undecided and consistent >= CONSISTENT_SHARE * len(lineups)
    return TeamConfidence.HIGH if sure else TeamConfidence.MEDIUM, tuple(reasons)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- in words ---


def flag_text(flag: Flag, names: Mapping[str, str]) -> str:
    """A flag in words, without its rounds. ``names``: of players, by GUID."""
    players, gone = (", ".join(names.get(guid) or guid for guid in guids) for guids in (flag.players, flag.gone))
    match flag.kind:
        case FlagKind.SUBSTITUTION:
            return f"substitution in team {flag.team}: {players} for {gone}"
        case FlagKind.TEAM_REPLACED:
            return f"team {flag.team} was replaced: {players} for {gone}"
        case FlagKind.ROSTER_CHANGED:
            return f"roster changed: {players or 'as many as not'} stood against their team"
        case FlagKind.CHANGED_SIDES:
            return f"{players} changed sides and stood against team {flag.team}, his own"
        case FlagKind.OPEN_PLAYER:
            return f"the team of {players} stays open"
        case FlagKind.TIE:
            return "which side was which team can't be told"
