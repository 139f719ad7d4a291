"""The endstats files of rounds played on the fake engine, and what in them is not as it was played.

Belongs here: what every award should say and whom it should go to, the duels, compared through our own reader.
Does not belong here: playing (``lua_fixtures``), what is true (``slomix_pipeline.simulator.engine``).
"""

import re

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.endstats import EndstatsFile
from slomix_pipeline.formats.filenames import FileKind
from slomix_pipeline.rules.endstats import engine_clean_name
from slomix_pipeline.simulator.engine.counting import Numbers, numbers_of
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline_tests.played_truth import file_of


def read_endstats(engine: GameEngine, played: TrueRound) -> EndstatsFile:
    found = file_of(engine, played, FileKind.ENDSTATS)
    assert found is not None, "no endstats file"
    assert endstats.dump(endstats.parse(found[1])) == found[1]
    return endstats.parse(found[1])


_LIGHT = ("luger", "colt", "mp40", "thompson", "sten", "mp34")
_WITH = {
    "light_weapon_kills": _LIGHT,
    "pistol_kills": ("luger", "colt"),
    "knife_kills": ("knife", "kabar"),
    "riflenade_kills": ("grenade_launcher",),
    "grenade_kills": ("grenade",),
    "panzer_kills": ("panzerfaust", "bazooka"),
    "rifle_kills": ("carbine", "kar98"),
    "sniper_kills": ("garand_scoped", "k43_scoped"),
    "mine_kills": ("landmine",),
    "air_support_kills": ("airstrike", "artillery"),
    "mortar_kills": ("mortar", "granatwerfer"),
    "mg42_kills": ("mg42", "browning"),
}
_BY = {
    "panzer_deaths": _WITH["panzer_kills"],
    "mortar_deaths": _WITH["mortar_kills"],
    "mg42_deaths": _WITH["mg42_kills"],
}
_COUNTED = (
    "revives_given",
    "times_revived",
    "dynamites_planted",
    "dynamites_defused",
    "killing_spree",
    "death_spree",
    "objectives_stolen",
    "objectives_returned",
    "kill_assists",
    "kill_steals",
    "headshot_kills",
    "useful_kills",
    "useless_kills",
    "denied_playtime",
)
_ENGINE = (
    "damage_given",
    "damage_received",
    "team_damage_given",
    "team_damage_received",
    "team_kills",
    "self_kills",
    "gibs",
)


def true_awards(own: Numbers, before: Numbers) -> dict[str, float]:
    """What a player has of every award that counts something; ``before``: his round 1 in a round 2."""
    both = {name: own.counters[name] + before.counters[name] for name in _ENGINE}
    rows = [(weapon, row) for half in (own, before) for weapon, row in half.weapons.items()]
    light = [row for weapon, row in rows if weapon in _LIGHT]
    shots, hits = sum(row.shots for row in light), sum(row.hits for row in light)
    heads, kills = sum(row.headshots for row in light), sum(row.kills for _, row in rows)
    deaths = sum(row.deaths for _, row in rows)
    return {
        **both,
        "deaths": deaths,
        "kd": kills / max(1, deaths) if kills > 9 else 0,
        "light_weapon_bullets": shots,
        "light_weapon_headshots": heads,
        "light_weapon_accuracy": 100 * hits / shots if shots > 100 else 0,
        "light_weapon_headshot_percent": 100 * heads / hits if shots > 100 and hits > 10 else 0,
        **{name: own.counters[name] for name in _COUNTED},
        "doublekills": own.counters["multikills_2"],
        "multikills": sum(own.counters[f"multikills_{n}"] for n in range(3, 7)),
        **{name: sum(row.kills for w, row in own.weapons.items() if w in held) for name, held in _WITH.items()},
        **{name: sum(row.deaths for w, row in own.weapons.items() if w in held) for name, held in _BY.items()},
    }


def untrue_awards(engine: GameEngine, played: TrueRound, first: TrueRound | None) -> list[str]:
    """What is not as it was played, one line each. ``first``: the round 1 of a round 2."""
    file = read_endstats(engine, played)
    own, before = numbers_of(played), numbers_of(first) if first else {}
    present = played.axis + played.allies
    truth = {g: true_awards(own.get(g, Numbers()), before.get(g, Numbers())) for g in present}
    names = {g: engine_clean_name(re.sub("[\\x00-\\x1f]", " ", played.players[g].name)) for g in present}
    wrong = []
    for name in next(iter(truth.values())):
        best = max(numbers[name] for numbers in truth.values())
        given = [a for a in file.awards if a.kind and a.kind.name == name]
        if [round(a.value or 0, 2) for a in given] != (
            [round(best, 2)] if best > (3 if name == "useless_kills" else 1) else []
        ):
            wrong.append(f"{name}: {given}, best was {best}")
        winners = {names[g] for g, numbers in truth.items() if numbers[name] == best}
        wrong += [f"{name} went to {a.player!r}" for a in given if a.player not in winners]
    expected = {
        (g, other): own[g].victims[other]
        for g in present
        for other in present
        if (g in played.axis) != (other in played.axis) and g in own and own[g].victims[other]
    }
    told = {(b.guid, v.opponent): v.kills for b in file.blocks for v in b.lines if v.kills}
    mirrored = {(b.guid, v.opponent): v.deaths for b in file.blocks for v in b.lines if v.deaths}
    if told != {(g, names[other]): kills for (g, other), kills in expected.items()}:
        wrong.append(f"kills {told}, were {expected}")
    if mirrored != {(other, names[g]): kills for (g, other), kills in expected.items()}:
        wrong.append(f"deaths {mirrored}, were {expected}")
    return wrong
