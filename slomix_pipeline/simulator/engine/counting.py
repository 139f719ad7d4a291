"""What a played round comes to for each person, worked out from its log once it is over.

Belongs here: the definitions of every counter of a stats file, over events. Nothing is taken from the scripts or from
``rules``: they are compared with this.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.simulator.engine.truth import Event, TrueRound

ASSIST_WITHIN = 1500  # ms before a death
CHAIN_WITHIN = 3000  # ms from kill to kill
SPREE_FROM = 3


@dataclass
class Numbers:
    """One person's round: ``counters`` by the names of the stats file's fields; absent is 0."""

    weapons: dict[str, WeaponCounts] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)
    victims: Counter[str] = field(default_factory=Counter)


def numbers_of(played: TrueRound) -> dict[str, Numbers]:
    """Everybody's numbers, by GUID."""
    found: defaultdict[str, Numbers] = defaultdict(Numbers)
    _weapons(played.log, found)
    _deeds(played.log, found)
    for place, event in enumerate(played.log):
        if event.kind == "death":
            _death(played, place, found)
    for guid in list(found):
        _sprees(played.log, guid, found[guid].counters)
        _multikills(played.log, guid, found[guid].counters)
    for guid, one in found.items():
        one.counters["denied_playtime"] = sum(_kept_out(played, guid)) // 1000
        one.counters["bullets_fired"] = sum(counts.shots for counts in one.weapons.values())
    return dict(found)


def _weapons(log: Sequence[Event], found: defaultdict[str, Numbers]) -> None:
    rows: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for event in log:
        if event.weapon is None:
            continue
        weapon = WEAPONS[event.weapon]
        if event.kind == "shot":
            rows[event.who, weapon]["shots"] += 1
        elif event.kind == "hit" and not event.friendly:
            rows[event.who, weapon]["hits"] += 1
            rows[event.who, weapon]["headshots"] += event.head
        elif event.kind == "revive":
            rows[event.who, weapon]["hits"] += 1
        elif event.kind == "death" and _by_enemy(event):
            rows[event.who, weapon]["deaths"] += 1
            rows[event.other, weapon]["kills"] += 1
    for (guid, weapon), row in rows.items():
        found[guid].weapons[weapon] = WeaponCounts(
            row["hits"], row["shots"], row["kills"], row["deaths"], row["headshots"]
        )


def _deeds(log: Sequence[Event], found: defaultdict[str, Numbers]) -> None:
    simple = {"gib": "gibs", "plant": "dynamites_planted", "defuse": "dynamites_defused", "repair": "repairs"}
    for event in log:
        one = found[event.who].counters
        if event.kind == "hit":
            kind = "team_damage" if event.friendly else "damage"
            one[f"{kind}_given"] += event.points
            found[event.other].counters[f"{kind}_received"] += event.points
        elif event.kind == "gib" and event.friendly:
            one["team_gibs"] += 1
        elif event.kind in simple:
            one[simple[event.kind]] += 1
        elif event.kind == "revive":
            one["revives_given"] += 1
            found[event.other].counters["times_revived"] += 1
        elif event.kind == "touch":
            one["objectives_returned" if event.own else "objectives_stolen"] += 1
        elif event.kind == "xp":
            one["xp"] += event.points


def _by_enemy(death: Event) -> bool:
    return bool(death.other) and death.other != death.who and not death.friendly


def _death(played: TrueRound, place: int, found: defaultdict[str, Numbers]) -> None:
    death = played.log[place]
    if death.other == death.who:
        found[death.who].counters["self_kills"] += 1
        found[death.who].counters["full_self_kills"] += death.by_command and death.wait >= death.interval - 2000
    elif death.other and death.friendly:
        found[death.other].counters["team_kills"] += 1
    elif death.other:
        killer = found[death.other]
        killer.victims[death.who] += 1
        killer.counters["useful_kills"] += death.wait * 2 >= death.interval
        killer.counters["useless_kills"] += death.wait < 5000
        _who_helped(played.log, place, found)


def _who_helped(log: Sequence[Event], place: int, found: defaultdict[str, Numbers]) -> None:
    death = log[place]
    life = [e for e in log[:place] if death.who in (e.who if e.kind != "hit" else e.other, "")]
    ends = [i for i, e in enumerate(life) if e.kind in ("death", "gone")]
    hits = [e for e in life[ends[-1] + 1 if ends else 0 :] if e.kind == "hit" and not e.friendly]
    if hits and hits[-1].who == death.other and hits[-1].head and not death.explosive:
        found[death.other].counters["headshot_kills"] += 1
    late = [e for e in hits if death.ms - e.ms <= ASSIST_WITHIN]
    helpers = {e.who for e in late} - {death.other}
    bullets = {guid: sum(e.points for e in late if e.who == guid and not e.explosive) for guid in {e.who for e in late}}
    for guid in helpers:
        found[guid].counters["kill_assists"] += 1
    if not death.explosive and any(bullets[guid] > bullets.get(death.other, 0) for guid in helpers):
        found[death.other].counters["kill_steals"] += 1


def _story(log: Sequence[Event], guid: str) -> str:
    """A person's round in letters: K killed, k killed while dead himself, D died, M died by a mate's hand, G left."""
    letters, dead = [], False
    for event in log:
        if event.kind == "death" and event.other == guid and _by_enemy(event):
            letters.append("k" if dead else "K")
        if event.who != guid:
            continue
        if event.kind == "death":
            letters.append("M" if event.friendly and event.other != guid else "D")
            dead = True
        elif event.kind in ("back", "away", "gone"):
            dead = False
            letters += "G" if event.kind == "gone" else ""
    return "".join(letters)


def _sprees(log: Sequence[Event], guid: str, counters: Counter[str]) -> None:
    story = _story(log, guid)
    kills = max(map(len, re.split("[DMG]", story.replace("k", ""))))
    deaths = max(map(len, re.split("[KkG]", story.replace("M", ""))))
    counters["killing_spree"] = kills if kills >= SPREE_FROM else 0
    counters["death_spree"] = deaths if deaths >= SPREE_FROM else 0


def _multikills(log: Sequence[Event], guid: str, counters: Counter[str]) -> None:
    for chain in _chains(log, guid):
        if len(chain) > 1:
            counters[f"multikills_{min(len(chain), 6)}"] += 1


def _chains(log: Sequence[Event], guid: str) -> Iterator[list[int]]:
    """Moments of kills, each soon after the one before, while he was on the server."""
    chain: list[int] = []
    for event in log:
        left = event.kind == "gone" and event.who == guid
        killed = event.kind == "death" and event.other == guid and _by_enemy(event)
        if chain and (left or (killed and event.ms - chain[-1] >= CHAIN_WITHIN)):
            yield chain
            chain = []
        if killed:
            chain.append(event.ms)
    yield chain


def _kept_out(played: TrueRound, guid: str) -> Iterator[int]:
    """For how long each victim was out of the game, in ms: until he was back or gone, or the round over."""
    for place, death in enumerate(played.log):
        if death.kind != "death" or death.other != guid or not _by_enemy(death):
            continue
        own = [e for e in played.log if e.who == death.who and e.kind in ("death", "back", "away", "gone")]
        before, after = _around(own, played.log[:place], death)
        if before is None or before.kind != "death":  # else he was down already
            yield next((e.ms for e in after if e.kind != "death"), played.played_ms) - death.ms


def _around(own: Sequence[Event], earlier: Sequence[Event], death: Event) -> tuple[Event | None, Sequence[Event]]:
    count = sum(e.who == death.who and e.kind in ("death", "back", "away", "gone") for e in earlier)
    return own[count - 1] if count else None, own[count + 1 :]
