"""The numbered fields at the end of a player line, and which of them each writer generation wrote.

Belongs here: name, type and position. How a field behaves in a round-2 file is a rule (``rules.policy``).
Source: the writer's code for 38 fields, older layouts by value over real files; the count is the only version mark.
"""

# Whole numbers print as %d, the others with one decimal.
DECIMAL_FIELDS = frozenset(
    {
        "alive_percent",
        "dpm",
        "minutes_played",
        "tank_ratio",
        "dead_percent",
        "minutes_dead",
        "kd",
    }
)

_UP_TO_USEFUL_KILLS = (
    "damage_given",
    "damage_received",
    "team_damage_given",
    "team_damage_received",
    "gibs",
    "self_kills",
    "team_kills",
    "team_gibs",
    "alive_percent",
    "xp",
    "killing_spree",
    "death_spree",
    "kill_assists",
    "kill_steals",
    "headshot_kills",
    "objectives_stolen",
    "objectives_returned",
    "dynamites_planted",
    "dynamites_defused",
    "times_revived",
    "bullets_fired",
    "dpm",
    "minutes_played",
    "tank_ratio",
    "dead_percent",
    "minutes_dead",
    "kd",
    "useful_kills",
)
_MULTIKILLS = ("multikills_2", "multikills_3", "multikills_4", "multikills_5", "multikills_6")

_LAYOUT_36 = (*_UP_TO_USEFUL_KILLS, "denied_playtime", *_MULTIKILLS, "useless_kills", "full_self_kills")
LAYOUTS: dict[int, tuple[str, ...]] = {
    33: (*_UP_TO_USEFUL_KILLS, *_MULTIKILLS),
    36: _LAYOUT_36,
    37: (*_LAYOUT_36, "repairs"),
    38: (*_LAYOUT_36, "repairs", "revives_given"),
}
NEWEST_LAYOUT = max(LAYOUTS)
TAIL_FIELDS = LAYOUTS[NEWEST_LAYOUT]
