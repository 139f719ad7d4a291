"""What the teams of a session are called: a known team's name, a clan tag that its players share, else the letter.

Belongs here: finding the name, and where it is from. The same players always give the same name.
Does not belong here: who is in which team (``teams``).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from slomix_pipeline.rules.teams import Team, other_team

# Ours: below these nobody would call it a tag of a team.
TAGGED_PLAYERS, TAGGED_SHARE = 2, 2 / 3
NAME_LENGTH = range(2, 25)  # in characters, of tags and of known teams

# What stands between a tag and a name, or around a tag. Other signs may be part of it.
_PARTS = re.compile(r"[^\s.|,:;/\\=~<>()\[\]{}«»_-]+")
_OUTER_SIGNS = re.compile(r"^\W+|\W+$")


LETTER_COLOURS: dict[str, int] = {Team.A: 0x3498DB, Team.B: 0xE74C3C}


class NameSource(StrEnum):
    """Where a team's name is from."""

    KNOWN = "known"
    TAG = "tag"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class KnownTeam:
    """A team that somebody named. ``colour``: 0xRRGGBB, None for the usual ones of A and B."""

    name: str
    colour: int | None
    guids: frozenset[str]


@dataclass(frozen=True, slots=True)
class TeamName:
    """What team A or B of a session is called."""

    team: str
    name: str
    source: NameSource
    colour: int | None = None

    @property
    def shown_colour(self) -> int:
        """0xRRGGBB: its own, else that of its letter."""
        return LETTER_COLOURS[self.team] if self.colour is None else self.colour

    @property
    def shown(self) -> str:
        """The name with its letter, by which scores and lists go."""
        return self.name if self.source is NameSource.LETTER else f"{self.name} ({self.team})"


UNNAMED: dict[str, TeamName] = {team: TeamName(team, f"Team {team}", NameSource.LETTER) for team in Team}


def name_teams(rosters: Mapping[str, Mapping[str, str]], known: Iterable[KnownTeam]) -> dict[str, TeamName]:
    """The names of both teams. ``rosters``: of A and B, GUID to name without colour codes."""
    found = _known_names(rosters, list(known))
    taken = {name.name.casefold() for name in found.values()}
    for team in Team:
        tag = common_tag(rosters[team].values(), rosters[other_team(team)].values())
        if team not in found and tag and tag.casefold() not in taken:
            found[team] = TeamName(team, tag, NameSource.TAG)
    return UNNAMED | found


def _known_names(rosters: Mapping[str, Mapping[str, str]], known: Sequence[KnownTeam]) -> dict[str, TeamName]:
    fitting = {team: _fitting(rosters[team], known) for team in Team}
    if fitting[Team.A] == fitting[Team.B]:
        return {}  # a clan among itself
    return {team: TeamName(team, one.name, NameSource.KNOWN, one.colour) for team, one in fitting.items() if one}


def _fitting(roster: Mapping[str, str], known: Sequence[KnownTeam]) -> KnownTeam | None:
    """The known team that most of the players are of, unless another has as many of them."""
    shared = {one: len(one.guids & roster.keys()) for one in known}
    most = max(shared.values(), default=0)
    best = [one for one, count in shared.items() if count == most]
    return best[0] if len(best) == 1 and 2 * most > len(roster) else None


def common_tag(names: Iterable[str], opponents: Iterable[str]) -> str | None:
    """The clan tag that stands before or behind most of these names, as most of them spell it; nobody among the
    opponents has it. None when there is none.

    Of two tags the one of more players, then the longer one.
    """
    tagged = [_possible_tags(name) for name in names]
    theirs = {tag for name in opponents for tag in _possible_tags(name)}
    carriers = Counter(tag for tags in tagged for tag in tags)
    enough = max(TAGGED_PLAYERS, TAGGED_SHARE * len(tagged))
    common = [tag for tag, count in carriers.items() if count >= enough and tag not in theirs]
    if not common:
        return None
    best = max(common, key=lambda tag: (carriers[tag], len(tag), tag))
    spellings = Counter(tags[best] for tags in tagged if best in tags)
    return max(spellings, key=lambda spelling: (spellings[spelling], spelling))


def _possible_tags(name: str) -> dict[str, str]:
    """What may be a tag in a name, with its spelling there: its first or its last words, not all of them."""
    words = _PARTS.findall(name)
    splits = range(1, len(words))
    spelled = [" ".join(part) for at in splits for part in (words[:at], words[at:])]
    tags = [_OUTER_SIGNS.sub("", text) for text in spelled]
    return {tag.casefold(): tag for tag in tags if len(tag) in NAME_LENGTH}
