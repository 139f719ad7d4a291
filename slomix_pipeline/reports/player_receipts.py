"""One player's receipt: his lines in the files, and how each number of the round came out of them.

Belongs here: lines as written, both files' values beside the own number, and the sum written out.
Does not belong here: the sum itself. Own numbers come from the database; how they were made is told by the policy table
and by the signs the rules name, and a test works every sum written here out again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.gamestats import PlayerLine, WeaponCounts
from slomix_pipeline.formats.names import decode, readable
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.reports.wording import SIDES, number
from slomix_pipeline.rules.counters import restart_signs
from slomix_pipeline.rules.differential import (
    CARRIED_OVER,
    COUNTER_RESET,
    CUMULATIVE,
    STAYED_LONGER,
    RoundPlayer,
    seconds,
)
from slomix_pipeline.rules.policy import POLICY, WEAPON_COLUMNS, Policy
from slomix_pipeline.warehouse.receipts import PlayerStored

# Where a field's own number is stored, when it is not under the field's name.
_STORED_AS = {"minutes_played": "seconds_played", "minutes_dead": "seconds_dead"}
_NOT_KEPT = "tank_ratio"
# Ratios over own numbers of the round, as the views compute them: what is divided, by what, times what.
_RATIOS = {
    "kd": ("kills", "deaths", ""),
    "dpm": ("damage_given", "seconds_played", " x 60"),
    "dead_percent": ("seconds_dead", "seconds_played", " x 100"),
    "accuracy": ("hits", "shots", " x 100"),
    "headshot_percent": ("headshots", "hits", " x 100"),
}
_POLICY_WORDS = {Policy.CUMULATIVE: "cumulative", Policy.THIS_ROUND: "this round", Policy.RECOMPUTE: "recompute"}


class Made(StrEnum):
    """How a player's own numbers of a round came about, as receipts name it."""

    FIRST = "first"
    DIFFERENCE = "difference"
    RESTARTED = "restarted"
    JOINED = "joined"
    ORPHAN = "orphan"
    CARRIED_OVER = "carried_over"
    STAYED_LONGER = "stayed_longer"
    ABSENT = "absent"

    @property
    def holds_more(self) -> bool:
        """Whether his counters hold more than the round, so that what is cumulative is unknown."""
        return self in (Made.ORPHAN, Made.CARRIED_OVER, Made.STAYED_LONGER)


_HOW_MADE = {
    Made.FIRST: "round 1: its file holds this round alone, so every number is taken as it is",
    Made.DIFFERENCE: "round 2: what counts on from round 1 is this file's number minus that of round 1's file",
    Made.RESTARTED: (
        "round 2, but his counters began anew after round 1: every number is taken as it is, nothing subtracted"
    ),
    Made.JOINED: "round 2, and he has no line in round 1's file: every number is taken as it is",
    Made.ORPHAN: (
        "the file counts on from a round 1 that is not here, or in which his line can't be told: what is cumulative is "
        "unknown"
    ),
    Made.CARRIED_OVER: (
        "his counters go on from the file before, an earlier play of the map: what is cumulative is unknown"
    ),
    Made.STAYED_LONGER: (
        "he is said to have been there for longer than the round can have lasted, so his counters hold more than it "
        "(a pause, an attempt that was broken off, an earlier play): what is cumulative is unknown"
    ),
    Made.ABSENT: "no entry: nothing was counted for him in this round (he sat it out, or only watched)",
}


def how_made(own: RoundPlayer | None, is_first: bool, before: PlayerLine | None) -> Made:
    """Which of the ways it was. ``own``: as the rules have him, None without an entry; ``before``: his line in round
    1's file."""
    if own is None:
        return Made.ABSENT
    flagged = {
        CARRIED_OVER: Made.CARRIED_OVER,
        STAYED_LONGER: Made.STAYED_LONGER,
        CUMULATIVE: Made.ORPHAN,
        COUNTER_RESET: Made.RESTARTED,
    }
    if found := [made for flag, made in flagged.items() if flag in own.flags]:
        return found[0]
    if is_first:
        return Made.FIRST
    return Made.DIFFERENCE if before else Made.JOINED


def signs_of_restart(made: Made, before: PlayerLine | None, line: PlayerLine) -> list[str]:
    """What told that his counters began anew; empty when they did not."""
    if made is not Made.RESTARTED or before is None:
        return []
    return restart_signs(before, line) or ["none of his own: most of the lobby restarted, and only so it adds up"]


def line_in(data: bytes, line: PlayerLine) -> tuple[int, str]:
    """The number (from 1) and the text of a player's line in a file; tabs stay, other control characters are spaces.

    GUIDs of bots and of who has no identity are ours, not the file's: they are found by everything else.
    """
    lines = gamestats.parse(data).players
    index = next(i for i, found in enumerate(lines) if replace(found, guid=line.guid) == line)
    raw = data.split(b"\n")[index + 1].removesuffix(b"\r")
    return index + 2, "\t".join(readable(part) for part in decode(raw).split("\t"))


@dataclass(frozen=True)
class Case:
    """All there is of one player in one round. ``before``: his line in round 1's file, for a round 2. ``stored``: his
    own numbers with their ratios, None without an entry; ``weapons``: those of his weapons, then empty."""

    line: PlayerLine
    before: PlayerLine | None
    made: Made
    stored: PlayerStored | None
    weapons: Mapping[str, WeaponCounts]


def player_receipt(case: Case) -> dict[str, Any]:
    """The numbers of a player, field by field and weapon by weapon."""
    line, before, stored = case.line, case.before, case.stored
    return {
        "guid": line.guid,
        "name": line.clean_name,
        "side": SIDES[stored.side] if stored and stored.side else None,
        "side_in_file": SIDES[line.side],
        "side_in_round_1": SIDES[before.side] if before else None,
        "rounds": line.rounds,
        "rounds_in_round_1": before.rounds if before else None,
        "made": case.made,
        "how": _HOW_MADE[case.made],
        "signs": signs_of_restart(case.made, before, line),
        "flags": list(stored.flags) if stored else [],
        "fields": list(_fields(case)),
        "weapons": list(_weapons(case)),
    }


def _fields(case: Case) -> Iterator[dict[str, Any]]:
    line, before = case.line, case.before
    for column in WEAPON_COLUMNS:
        yield _field(case, column, before.total(column) if before else None, line.total(column), Policy.CUMULATIVE)
    for name in TAIL_FIELDS:
        yield _field(case, name, before.tail[name] if before else None, line.tail[name], POLICY[name])
    for name in ("accuracy", "headshot_percent"):
        yield _field(case, name, None, None, Policy.RECOMPUTE)


def _field(case: Case, name: str, before: float | None, value: float | None, policy: Policy) -> dict[str, Any]:
    own_as = _STORED_AS.get(name, name)
    own = case.stored.numbers[own_as] if case.stored and name != _NOT_KEPT else None
    return {
        "field": name,
        "round_1": before,
        "file": value,
        "policy": _POLICY_WORDS[policy],
        "own_as": own_as,
        "own": own,
        "how": _how(case, name, before, value, own),
    }


def _how(case: Case, name: str, before: float | None, value: float | None, own: float | None) -> str:
    """How a field's own number came about, the sum written out."""
    if case.made is Made.ABSENT:
        return ""
    if name == _NOT_KEPT:
        return "not kept"
    if name in _RATIOS:
        return _ratio(name, own, case.stored)
    if own is None:
        return _why_unknown(case, name, before, value)
    if name == "minutes_dead":
        return _dead(value, own)
    subtracted = case.made is Made.DIFFERENCE and POLICY.get(name, Policy.CUMULATIVE) is not Policy.THIS_ROUND
    if name == "minutes_played":
        return f"{number(value)} - {number(before)} min = {own} s" if subtracted else f"{number(value)} min = {own} s"
    if not subtracted:
        return "as it is"
    return _alive(case) if name == "alive_percent" else f"{number(value)} - {number(before)} = {own}"


def _ratio(name: str, own: float | None, stored: PlayerStored | None) -> str:
    above, below, factor = _RATIOS[name]
    counted, by = (stored.numbers[part] if stored else None for part in (above, below))
    if own is None:
        unknown = [part for part, value in ((above, counted), (below, by)) if value is None]
        return f"unknown: {' and '.join(unknown)} unknown" if unknown else f"nothing to divide by: {below} is {by}"
    return f"{counted}{factor} / {by}" if by else f"{counted}, for {below} is 0"


def _why_unknown(case: Case, name: str, before: float | None, value: float | None) -> str:
    if value is None:
        return "unknown: this writer does not write it"
    if name == "minutes_dead":
        return "unknown, as the time played is"
    if case.made.holds_more:
        return "unknown: holds more than this round"
    if name == "bullets_fired":
        return "unknown: another unit before 38 fields"
    return "unknown: round 1's file has none" if before is None else "unknown: no time between the two"


def _dead(value: float | None, own: float) -> str:
    raw = seconds(value)
    capped = "" if raw == own else f", capped at the {own} s he was there"
    return f"{number(value)} min = {raw} s{capped}"


def _alive(case: Case) -> str:
    """Shares of growing times: what is alive in this round is the one's part less the other's."""
    assert case.before is not None
    (share1, time1), (share2, time2) = (
        (float(line.tail["alive_percent"] or 0), float(line.tail["minutes_played"] or 0))
        for line in (case.before, case.line)
    )
    return f"({share2:g} x {time2:g} - {share1:g} x {time1:g}) / {time2 - time1:.1f}, within 0 to 100"


def _weapons(case: Case) -> Iterator[dict[str, Any]]:
    """Every weapon that either file or the own numbers know, each with its numbers in all three."""
    before = case.before.weapons if case.before else {}
    for weapon in WEAPONS:
        if weapon in before or weapon in case.line.weapons:
            yield {
                "weapon": weapon,
                "round_1": _counts(before.get(weapon)),
                "file": _counts(case.line.weapons.get(weapon)),
                "own": _counts(case.weapons.get(weapon)),
            }


def _counts(counts: WeaponCounts | None) -> dict[str, int] | None:
    return counts and {column: getattr(counts, column) for column in WEAPON_COLUMNS}
