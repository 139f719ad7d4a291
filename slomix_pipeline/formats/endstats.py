"""Endstats files: the awards of one round, and who killed whom, as the game server's endstats script writes them.

Belongs here: the lines, the table of awards, and which line is which in spite of two labels the script gets wrong.
Does not belong here: which round a file belongs to, who a name is, what an award counts (``rules.endstats``).
Source: the script's code (order, labels, value texts) and real files.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.names import decode, encode

MAX_BYTES = 1 << 20  # a full server's file has 40 kB
_MAX_LINE = 1_000
_VS_HEADER = "VS_HEADER"
_GUID = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class AwardKind:
    """What an award says. ``engine``: counted by the engine, whose counters go on from round 1; else by the script.

    ``unit``: of the first number in the value's text, of the only one for the tank; None is a plain count.
    """

    label: str
    name: str
    engine: bool = False
    unit: str | None = None


# In the order in which the script writes them: the order tells the two wrong labels apart.
AWARDS = (
    AwardKind("Most damage given", "damage_given", engine=True),
    AwardKind("Most damage received", "damage_received", engine=True),
    AwardKind("Most team damage given", "team_damage_given", engine=True),
    AwardKind("Most team damage received", "team_damage_received", engine=True),
    AwardKind("Most teamkills", "team_kills", engine=True),
    AwardKind("Most selfkills", "self_kills", engine=True),
    AwardKind("Most deaths", "deaths", engine=True),
    AwardKind("Most kills per minute", "kills_per_minute", engine=True, unit="per minute"),
    AwardKind("Most doublekills", "doublekills"),
    AwardKind("Most multikills", "multikills"),
    AwardKind("Quickest multikill w/ light weapons", "quickest_multikill", unit="kills in one chain"),
    AwardKind("Farthest riflenade kill", "farthest_riflenade_kill", unit="m"),
    AwardKind("Most light weapon kills", "light_weapon_kills"),
    AwardKind("Most pistol kills", "pistol_kills"),
    AwardKind("Most rifle kills", "rifle_kills"),
    AwardKind("Most riflenade kills", "riflenade_kills"),
    AwardKind("Most sniper kills", "sniper_kills"),
    AwardKind("Most knife kills", "knife_kills"),
    AwardKind("Most air support kills", "air_support_kills"),
    AwardKind("Most mine kills", "mine_kills"),
    AwardKind("Most grenade kills", "grenade_kills"),
    AwardKind("Most panzer kills", "panzer_kills"),
    AwardKind("Most mortar kills", "mortar_kills"),
    AwardKind("Most panzer deaths", "panzer_deaths"),
    AwardKind("Mortarmagnet", "mortar_deaths"),
    AwardKind("Most MG42 kills", "mg42_kills"),
    AwardKind("Most MG42 deaths", "mg42_deaths"),
    AwardKind("Most revives", "revives_given"),
    AwardKind("Most revived", "times_revived"),
    AwardKind("Best K/D ratio", "kd", engine=True, unit="kills per death"),
    AwardKind("Most dynamites planted", "dynamites_planted"),
    AwardKind("Most dynamites defused", "dynamites_defused"),
    AwardKind("Longest killing spree", "killing_spree"),
    AwardKind("Longest death spree", "death_spree"),
    AwardKind("Most objectives stolen", "objectives_stolen"),
    AwardKind("Most objectives returned", "objectives_returned"),
    AwardKind("Most corpse gibs", "gibs", engine=True),
    AwardKind("Most kill assists", "kill_assists"),
    AwardKind("Most killsteals", "kill_steals"),
    AwardKind("Most headshot kills", "headshot_kills"),
    AwardKind("Tank/Meatshield (Refuses to die)", "tank_ratio", engine=True, unit="ratio"),
    AwardKind("Full respawn king", "full_respawns", engine=True, unit="%"),
    AwardKind("Least time dead (What spawn?)", "least_time_dead", engine=True, unit="%"),
    AwardKind("Most playtime denied", "denied_playtime", unit="s"),
    AwardKind("Highest light weapons accuracy", "light_weapon_accuracy", engine=True, unit="%"),
    # Of the light weapons too, though the labels don't say so.
    AwardKind("Highest headshot accuracy", "light_weapon_headshot_percent", engine=True, unit="%"),
    AwardKind("Most headshots", "light_weapon_headshots", engine=True),
    AwardKind("Most bullets fired", "light_weapon_bullets", engine=True),
)
USELESS_KILLS = AwardKind("Most objectives stolen", "useless_kills")
# What stands in the place of the two wrong lines where the script is ours (``lua/endstats.lua``).
RIGHTLY_LABELLED = (
    AwardKind("Most useful kills (>Half respawn time left)", "useful_kills"),
    AwardKind("Most useless kills", "useless_kills"),
)

_KIND_OF_LABEL = {kind.label: kind for kind in (*AWARDS, *RIGHTLY_LABELLED)}
_SPREE, _STOLEN, _TANK = "Longest killing spree", "Most objectives stolen", "Tank/Meatshield (Refuses to die)"
_TWICE = {_SPREE, _STOLEN}  # labels that one run may write twice
_LABELS = list(_KIND_OF_LABEL)
_BETWEEN = set(_LABELS[_LABELS.index(_STOLEN) + 1 : _LABELS.index(_TANK) + 1])  # these stand between the two places
_USELESS_ABOVE = 3  # the script writes its most useless kills only above this


@dataclass(frozen=True, slots=True)
class Award:
    """One award line. ``player`` is a name cleaned by the engine, maybe empty; ``kind`` is None where the label is
    unknown, or does not tell what was counted."""

    label: str
    player: str
    text: str
    kind: AwardKind | None

    @property
    def value(self) -> float | None:
        """The number in the text; None where there is none."""
        found = _NUMBER.search(self.text)
        return float(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class Versus:
    """One opponent of a player: how often the player killed him, and was killed by him."""

    opponent: str
    kills: int
    deaths: int


@dataclass(frozen=True, slots=True)
class VersusBlock:
    """The opponents of one player; name and GUID are None in files of before 2026-08, which do not say whose they are
    (nor where one player's lines end). ``guid`` is empty where there is none that can be read."""

    subject: str | None
    guid: str | None
    lines: tuple[Versus, ...]


@dataclass(frozen=True, slots=True)
class EndstatsFile:
    """A whole endstats file, in the order of its lines."""

    awards: tuple[Award, ...]
    blocks: tuple[VersusBlock, ...]


def parse(data: bytes) -> EndstatsFile:
    """Reads an endstats file (LF or CRLF).

    Raises:
        FormatError: empty, cut, or a line that is neither an award nor a line of who killed whom.
    """
    awards: list[tuple[str, str, str]] = []
    labels: set[str] = set()
    blocks: list[tuple[str | None, str | None, list[Versus]]] = []
    for number, (label, second, third) in _lines(data):
        known = label in _KIND_OF_LABEL
        # Two numbers behind the label of an award: below a header it is an opponent's name, above a player's.
        if (
            _COUNT.fullmatch(second)
            and _COUNT.fullmatch(third)
            and (not known or (blocks and blocks[-1][0] is not None))
        ):
            if not blocks:
                blocks.append((None, None, []))
            blocks[-1][2].append(Versus(label, int(second), int(third)))
        elif label == _VS_HEADER:
            blocks.append((second, third.upper() if _GUID.fullmatch(third) else "", []))
        elif not third:
            raise FormatError(f"line {number}: an award without a value")
        elif blocks and not known:
            raise FormatError(f"line {number}: neither an award nor who killed whom")
        else:
            if blocks or (label in labels and label not in _TWICE):  # written to once more: the later run is the whole
                awards, labels, blocks = [], set(), []
            awards.append((label, second, third))
            labels.add(label)
    return EndstatsFile(
        _with_kinds(awards), tuple(VersusBlock(subject, guid, tuple(lines)) for subject, guid, lines in blocks)
    )


def _lines(data: bytes) -> Iterable[tuple[int, tuple[str, str, str]]]:
    if not data:
        raise FormatError("empty file")
    if len(data) > MAX_BYTES or b"\0" in data:
        raise FormatError("not an endstats file: too large, or with zero bytes")
    *lines, rest = data.split(b"\n")
    if rest:
        raise FormatError("cut: the last line has no end")
    texts = decode(data).split("\n")  # at once: no stray byte reaches over the end of a cell
    for number, (line, text) in enumerate(zip(lines, texts, strict=False), start=1):
        cells = text.removesuffix("\r").split("\t")
        if len(line) > _MAX_LINE or len(cells) != 3:
            raise FormatError(f"line {number}: {len(cells)} cells instead of 3")
        yield number, (cells[0], cells[1], cells[2])


def _with_kinds(lines: Sequence[tuple[str, str, str]]) -> tuple[Award, ...]:
    """The award lines with what they count. Two labels stand on lines of something else, and only the order tells:

    a second "Longest killing spree" repeats the first one's winner in place of the most useful kills, and "Most
    objectives stolen" behind it holds the most useless kills.
    """
    sprees, stolen, between = (_places(lines, labels) for labels in ({_SPREE}, {_STOLEN}, _BETWEEN))
    turned = min([*sprees[1:2], *between[:1]], default=len(lines))  # from here on the labels are wrong

    def kind(place: int, label: str, text: str) -> AwardKind | None:
        if label == _SPREE:
            return None if place > sprees[0] or place > turned or text in ("0", "1") else _KIND_OF_LABEL[label]
        if label == _STOLEN:
            if place > stolen[0] or place > turned:
                return USELESS_KILLS
            few = _COUNT.fullmatch(text) is not None and int(text) <= _USELESS_ABOVE
            told = few or place < max([*sprees, *between], default=-1)
            return _KIND_OF_LABEL[label] if told else None
        return _KIND_OF_LABEL.get(label)

    return tuple(Award(*line, kind(place, line[0], line[2])) for place, line in enumerate(lines))


def _places(lines: Sequence[tuple[str, str, str]], labels: Collection[str]) -> list[int]:
    return [place for place, (label, _, _) in enumerate(lines) if label in labels]


def dump(file: EndstatsFile) -> bytes:
    """The bytes the script would have written: awards, then who killed whom."""
    lines = [(award.label, award.player, award.text) for award in file.awards]
    for block in file.blocks:
        if block.subject is not None and block.guid is not None:
            lines.append((_VS_HEADER, block.subject, block.guid))
        lines += [(line.opponent, str(line.kills), str(line.deaths)) for line in block.lines]
    return encode("".join("\t".join(cells) + "\n" for cells in lines))
