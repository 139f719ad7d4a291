"""What the game server's endstats script makes of a round: its awards, and who killed whom.

Belongs here: which number an award shows, who gets it, how it is printed, and the two labels the script gets wrong.
Does not belong here: what becomes of the file (``rules.endstats``, from which nothing is taken: it would confirm
itself). Simpler than in life: who left before the end is still listed.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from slomix_pipeline.formats.filenames import stats_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, PlayerLine, WeaponCounts
from slomix_pipeline.formats.names import encode
from slomix_pipeline.simulator.values import SimRound, TruePlayer

ENDSTATS_DELAY = timedelta(seconds=1)  # after the round's end; the stats file comes later

_LIGHT = ("luger", "colt", "mp40", "thompson", "sten", "mp34")
_NOTHING = WeaponCounts(0, 0, 0, 0, 0)


class _Seen(NamedTuple):
    """A player as the script sees him: the engine's counters, which go on from round 1, and the script's own."""

    engine: PlayerLine
    own: TruePlayer


def endstats_name(sim_round: SimRound) -> str:
    """The name of a round's endstats file."""
    written_at = (sim_round.ended_at + ENDSTATS_DELAY).astimezone(sim_round.zone)
    stem = stats_file_name(written_at, sim_round.map_name, sim_round.label).removesuffix(".txt")
    return f"{stem}-endstats.txt"


def endstats_bytes(sim_round: SimRound) -> bytes:
    """The endstats file of a round that was played to its end: awards, then a block for each player."""
    lines = {(line.guid, line.name): line for line in sim_round.stats.players if line.side in (AXIS, ALLIES)}
    players = {(own.guid, own.name): own for own in sim_round.players.values()}
    seen = [_Seen(lines[who], own) for who, own in players.items() if who in lines]
    text = [*_awards(seen), *(line for one in seen for line in _block(one, seen))]
    return "".join(f"{line}\n" for line in text).encode("ascii")


def _awards(seen: Sequence[_Seen]) -> Iterator[str]:
    """An award goes to the first with the highest number, if that is above what it takes."""
    for label, number, printed, above in _AWARDS:
        best = max(seen, key=number, default=None)
        if best and number(best) > above:
            yield f"{label}\t{_cleaned(best.own.name)}\t{printed(number(best))}"
        if label == _BEHIND_IT and best:
            yield from _wrongly_labelled(seen)


def _wrongly_labelled(seen: Sequence[_Seen]) -> Iterator[str]:
    """Instead of the most useful kills the best spree again; the most useless kills under another label."""
    spree = max(seen, key=lambda one: one.own.counters["killing_spree"])
    if max(one.own.counters["useful_kills"] for one in seen) > 1:
        length = spree.own.counters["killing_spree"]
        yield f"Longest killing spree\t{_cleaned(spree.own.name)}\t{length}"
    useless = max(seen, key=lambda one: one.own.counters["useless_kills"])
    if useless.own.counters["useless_kills"] > 3:
        yield f"Most objectives stolen\t{_cleaned(useless.own.name)}\t{useless.own.counters['useless_kills']}"


def _block(one: _Seen, seen: Sequence[_Seen]) -> Iterator[str]:
    own = one.own
    duels = [
        (own.victims.get(enemy.own.fighter.key, 0), enemy.own.victims.get(own.fighter.key, 0), enemy.own.name)
        for enemy in seen
        if enemy.own.side != own.side
    ]
    duels = [duel for duel in duels if duel[:2] != (0, 0)]
    if duels:
        yield f"VS_HEADER\t{_cleaned(own.name)}\t{own.fighter.guid32}"
    for kills, deaths, name in sorted(duels, key=lambda duel: -duel[0]):
        yield f"{_cleaned(name)}\t{kills}\t{deaths}"


@cache
def _cleaned(name: str) -> str:
    """A name as the engine cleans it, byte by byte: a caret goes with the visible byte behind it, others never show."""
    raw, shown, place = encode(name), bytearray(), 0
    while place < len(raw):
        following = raw[place + 1 : place + 2]
        if raw[place : place + 1] == b"^" and following and following[0] > 0x20 and following not in b"^\x7f":
            place += 1
        elif 0x20 <= raw[place] <= 0x7E:
            shown.append(raw[place])
        place += 1
    return shown.decode("ascii")


def _tail(name: str) -> Callable[[_Seen], float]:
    return lambda one: one.engine.tail[name] or 0


def _own(name: str) -> Callable[[_Seen], float]:
    return lambda one: one.own.counters[name]


def _total(column: str, weapons: Sequence[str] | None = None) -> Callable[[_Seen], float]:
    """Of the engine's weapon counts, over all or some weapons."""
    return lambda one: sum(getattr(c, column) for w, c in one.engine.weapons.items() if weapons is None or w in weapons)


def _kills_with(*weapons: str) -> Callable[[_Seen], float]:
    """The script's own count."""
    return lambda one: sum(one.own.weapons.get(weapon, _NOTHING).kills for weapon in weapons)


_deaths, _kills = _total("deaths"), _total("kills")
_light_hits, _light_shots = _total("hits", _LIGHT), _total("shots", _LIGHT)
_light_heads = _total("headshots", _LIGHT)


def _per_minute(one: _Seen) -> float:
    minutes = one.engine.tail["minutes_played"] or 0
    return _kills(one) / minutes if _kills(one) > 10 and minutes else 0


def _ratio(one: _Seen) -> float:
    return _kills(one) / max(1, _deaths(one)) if _kills(one) > 9 else 0


def _accuracy(one: _Seen) -> float:
    return 100 * _light_hits(one) / _light_shots(one) if _light_shots(one) > 100 else 0


def _heads(one: _Seen) -> float:
    return 100 * _light_heads(one) / _light_hits(one) if _light_shots(one) > 100 and _light_hits(one) > 10 else 0


def _whole(number: float) -> str:
    return f"{number:.0f}"


def _hundredths(number: float) -> str:
    return f"{round(number, 2):.14g}"


def _percent(number: float) -> str:
    return f"{_hundredths(number)} percent"


_BEHIND_IT = "Most headshot kills"
_AWARDS: tuple[tuple[str, Callable[[_Seen], float], Callable[[float], str], float], ...] = (
    ("Most damage given", _tail("damage_given"), _whole, 1),
    ("Most damage received", _tail("damage_received"), _whole, 1),
    ("Most team damage given", _tail("team_damage_given"), _whole, 1),
    ("Most team damage received", _tail("team_damage_received"), _whole, 1),
    ("Most teamkills", _tail("team_kills"), _whole, 1),
    ("Most selfkills", _tail("self_kills"), _whole, 1),
    ("Most deaths", _deaths, _whole, 1),
    ("Most kills per minute", _per_minute, _hundredths, 1),
    ("Most light weapon kills", _kills_with("mp40", "thompson", "sten", "mp34"), _whole, 1),
    ("Most pistol kills", _kills_with("luger", "colt"), _whole, 1),
    ("Most air support kills", _kills_with("airstrike", "artillery"), _whole, 1),
    ("Most grenade kills", _kills_with("grenade"), _whole, 1),
    ("Most panzer kills", _kills_with("panzerfaust"), _whole, 1),
    ("Most revives", _own("revives_given"), _whole, 1),
    ("Most revived", _own("times_revived"), _whole, 1),
    ("Best K/D ratio", _ratio, lambda number: f"{number:.14g}", 1),
    ("Most dynamites planted", _own("dynamites_planted"), _whole, 1),
    ("Most dynamites defused", _own("dynamites_defused"), _whole, 1),
    ("Longest killing spree", _own("killing_spree"), _whole, 1),
    ("Longest death spree", _own("death_spree"), _whole, 1),
    ("Most corpse gibs", _tail("gibs"), _whole, 1),
    ("Most kill assists", _own("kill_assists"), _whole, 1),
    ("Most killsteals", _own("kill_steals"), _whole, 1),
    (_BEHIND_IT, _own("headshot_kills"), _whole, 1),
    ("Most playtime denied", _own("denied_playtime"), lambda number: f"{number:.0f} seconds", 1),
    ("Highest light weapons accuracy", _accuracy, _percent, 1),
    ("Highest headshot accuracy", _heads, _percent, 1),
    ("Most headshots", _light_heads, _whole, 1),
    ("Most bullets fired", _light_shots, _whole, 1),
)
