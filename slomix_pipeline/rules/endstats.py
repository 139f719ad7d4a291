"""Which round an endstats file belongs to, who its names are, and what its awards count.

Belongs here: merging the files of one round, the link by the clock, names to GUIDs, the scope of an award.
Does not belong here: the lines (``formats.endstats``).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from slomix_pipeline.formats.endstats import Award, AwardKind, EndstatsFile, VersusBlock
from slomix_pipeline.formats.gamestats import PlayerLine, StatsFile
from slomix_pipeline.rules.identity import has_identity, is_bot
from slomix_pipeline.rules.linking import WITHIN_WINDOW, Clocked, Link, LinkClass, link_records

# Older scripts named the file anew for every table they wrote: a second that ends in between splits it.
SPLIT_WITHIN = timedelta(seconds=2)


class Scope(StrEnum):
    """What an award's number covers."""

    THIS_ROUND = "this_round"
    BOTH_ROUNDS = "both_rounds"


def award_scope(kind: AwardKind | None, label: int) -> Scope | None:
    """In a file labelled round 2, what the engine counted covers both rounds. None where the kind is unknown."""
    if kind is None:
        return None
    return Scope.BOTH_ROUNDS if kind.engine and label == 2 else Scope.THIS_ROUND


@dataclass(frozen=True, slots=True)
class EndstatsLink:
    """The endstats of one round: the keys of its files in order, or why there are none (``tie``, ``none``)."""

    keys: tuple[str, ...]
    link_class: LinkClass
    reason: str | None


def link_endstats(rounds: Sequence[Clocked], files: Iterable[Clocked]) -> dict[str, EndstatsLink]:
    """The endstats of every round, by round key: the 30 s rule, one to one, a tie links nothing.

    All moments are the game server's wall clock, which wrote both names: no time zone is needed.
    """
    parts = _joined(files)
    links = link_records(rounds, [first for first, _ in parts])
    keys = {first.key: keys for first, keys in parts}
    return {key: _as_endstats(link, keys) for key, link in links.items()}


def _joined(files: Iterable[Clocked]) -> list[tuple[Clocked, tuple[str, ...]]]:
    """The files of one round together: the first of them, and the keys of all."""
    parts: list[tuple[Clocked, tuple[str, ...]]] = []
    for file in sorted(files, key=lambda f: (f.map_name.lower(), f.number or 0, f.at, f.key)):  # their names have one
        if parts and _same_round(parts[-1][0], file):
            first, keys = parts[-1]
            parts[-1] = (first, (*keys, file.key))
        else:
            parts.append((file, (file.key,)))
    return parts


def _same_round(first: Clocked, other: Clocked) -> bool:
    same = first.map_name.lower() == other.map_name.lower() and first.number == other.number
    return same and other.at - first.at <= SPLIT_WITHIN


def _as_endstats(link: Link, keys: Mapping[str, tuple[str, ...]]) -> EndstatsLink:
    if link.link_class is LinkClass.EXACT_END:
        return EndstatsLink(keys[str(link.record_key)], link.link_class, None)
    if link.link_class is LinkClass.TIE:
        return EndstatsLink((), link.link_class, link.reason)
    return EndstatsLink((), LinkClass.NONE, f"no endstats file {WITHIN_WINDOW} of the file stamp")


@dataclass(frozen=True, slots=True)
class ResolvedAward:
    """An award with who got it: ``guid`` is None when nobody in the round has the name, two have, or he has no
    identity."""

    award: Award
    guid: str | None
    scope: Scope | None


@dataclass(frozen=True, slots=True)
class ResolvedVersus:
    """How often one player killed another and was killed by him. ``player`` is None in files that don't say whose line
    it is."""

    player: str | None
    guid: str | None
    opponent: str
    opponent_guid: str | None
    kills: int
    deaths: int


def merged(parts: Iterable[EndstatsFile]) -> EndstatsFile:
    """The files of one round as one. Awards are written in one go: where a later part has them too, the script ran
    once more, and that run is the whole."""
    whole = EndstatsFile((), ())
    for part in parts:
        whole = part if part.awards else EndstatsFile(whole.awards, whole.blocks + part.blocks)
    return whole


def resolve_awards(file: EndstatsFile, stats: StatsFile, label: int) -> list[ResolvedAward]:
    """The awards of a round, with the players of its stats file. ``label``: the round number as labelled."""
    guids = _guids_by_name(stats.players)
    return [ResolvedAward(award, guids.get(award.player), award_scope(award.kind, label)) for award in file.awards]


def resolve_duels(file: EndstatsFile, stats: StatsFile) -> list[ResolvedVersus]:
    """Who killed whom in a round, with the players of its stats file."""
    guids = _guids_by_name(stats.players)
    bots = {line.guid for line in stats.players if is_bot(line)}
    people = {line.guid for line in stats.players} - bots

    def owner(block: VersusBlock) -> str | None:
        """By the GUID in the header; bots share theirs, so a bot is known by his name."""
        if block.subject is None or block.guid is None:
            return None
        if block.guid[:8] in people:
            return block.guid[:8]
        namesake = guids.get(block.subject)
        return namesake if namesake in bots else None

    return [
        ResolvedVersus(block.subject, owner(block), v.opponent, guids.get(v.opponent), v.kills, v.deaths)
        for block in file.blocks
        for v in block.lines
    ]


def _guids_by_name(players: Iterable[PlayerLine]) -> dict[str, str | None]:
    """GUID by the name as the engine cleans it; None where two share it (never a guess), or he has no identity."""
    guids: dict[str, str | None] = {}
    for line in players:
        name = engine_clean_name(line.name)
        guids[name] = None if name in guids or not has_identity(line.guid) else line.guid
    return guids


_ENGINE_COLOUR = re.compile(r"\^[!-\]_-~\x80-\U0010ffff]")


@lru_cache(maxsize=1024)  # the same people play every evening
def engine_clean_name(name: str) -> str:
    """A raw name as the engine's own cleaner leaves it: no colour codes, nothing but printable ASCII."""
    return re.sub(r"[^ -~]", "", _ENGINE_COLOUR.sub("", name))
