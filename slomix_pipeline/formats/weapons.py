"""The 28 weapon slots of the engine, in the bit order of the weapon mask (the same in ET:Legacy 2.81 to 2.85), and what
players call them.

Does not belong here: which of them a metric leaves out (``sql/views``).
"""

WEAPONS = (
    "knife",
    "kabar",
    "luger",
    "colt",
    "mp40",
    "thompson",
    "sten",
    "fg42",
    "panzerfaust",
    "bazooka",
    "flamethrower",
    "grenade",
    "mortar",
    "granatwerfer",
    "dynamite",
    "airstrike",
    "artillery",
    "satchel",
    "grenade_launcher",
    "landmine",
    "mg42",
    "browning",
    "carbine",
    "kar98",
    "garand_scoped",
    "k43_scoped",
    "mp34",
    "syringe",
)

# Of all others a shot is no bullet: one grenade hits several people or nobody, a syringe "hits" whom it heals.
OF_BULLETS = frozenset(
    {
        "luger",
        "colt",
        "mp40",
        "thompson",
        "sten",
        "fg42",
        "mg42",
        "browning",
        "carbine",
        "kar98",
        "garand_scoped",
        "k43_scoped",
        "mp34",
    }
)

_CALLED = {
    "knife": "Knife",
    "kabar": "Ka-Bar knife",
    "luger": "Luger",
    "colt": "Colt",
    "mp40": "MP40",
    "thompson": "Thompson",
    "sten": "Sten",
    "fg42": "FG42",
    "panzerfaust": "Panzerfaust",
    "bazooka": "Bazooka",
    "flamethrower": "Flamethrower",
    "grenade": "Grenades",
    "mortar": "Mortar",
    "granatwerfer": "Granatwerfer",
    "dynamite": "Dynamite",
    "airstrike": "Airstrikes",
    "artillery": "Artillery",
    "satchel": "Satchel charges",
    "grenade_launcher": "Rifle grenades",
    "landmine": "Landmines",
    "mg42": "MG42",
    "browning": "Browning MG",
    "carbine": "M1 Garand",
    "kar98": "K43 rifle",
    "garand_scoped": "Scoped Garand",
    "k43_scoped": "Scoped K43",
    "mp34": "MP34",
    "syringe": "Syringe",
}


def weapon_called(weapon: str) -> str:
    """What players call a weapon; a name that is none of ours stays as it is."""
    return _CALLED.get(weapon, weapon)
