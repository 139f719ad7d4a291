"""The 28 weapon slots of the engine, in the bit order of the weapon mask (the same in ET:Legacy 2.81 to 2.85).

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
