"""Which field of a round-2 file counts on from round 1, which is the round's own, which is neither.

Belongs here: the one declared table. ``docs/fields.md`` is made from it.
Does not belong here: the subtraction (``rules.differential``), what a fallen counter means (``rules.counters``).
Source: the writer's code (engine counters are restored after a map restart, script counters begin anew with each map
load), confirmed on 976 real player pairs: cumulative fields never fell but for one reconnected player, and every
field of a round's own fell in hundreds of pairs.
"""

from enum import Enum

from slomix_pipeline.formats.gamestats import WeaponCounts
from slomix_pipeline.formats.tail import TAIL_FIELDS


class Policy(Enum):
    """How a field of a round-2 file becomes the round's own."""

    CUMULATIVE = "counts on from round 1: subtract"
    THIS_ROUND = "this round only: take as it is"
    RECOMPUTE = "a ratio over mixed counts: neither; computed anew where it is shown"


POLICY: dict[str, Policy] = {
    **dict.fromkeys(
        (
            "damage_given",
            "damage_received",
            "team_damage_given",
            "team_damage_received",
            "gibs",
            "self_kills",
            "team_kills",
            "team_gibs",
            "bullets_fired",
            "minutes_played",
        ),
        Policy.CUMULATIVE,
    ),
    **dict.fromkeys(
        (
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
            "minutes_dead",
            "useful_kills",
            "denied_playtime",
            "multikills_2",
            "multikills_3",
            "multikills_4",
            "multikills_5",
            "multikills_6",
            "useless_kills",
            "full_self_kills",
            "repairs",
            "revives_given",
        ),
        Policy.THIS_ROUND,
    ),
    **dict.fromkeys(("alive_percent", "dpm", "tank_ratio", "dead_percent", "kd"), Policy.RECOMPUTE),
}

# Every number of every weapon counts on, and with them a player's kills, deaths, hits, shots and head hits.
WEAPON_COLUMNS = WeaponCounts._fields

# Of a reconnected player these fall. Shots (and their sum, bullets_fired) don't count: the engine takes some back.
MONOTONE_TAIL = tuple(f for f in TAIL_FIELDS if POLICY[f] is Policy.CUMULATIVE and f != "bullets_fired")
MONOTONE_WEAPON_COLUMNS = tuple(column for column in WEAPON_COLUMNS if column != "shots")

# Before this generation bullets_fired is another unit, 17 to 95 times the shots: unknown.
BULLETS_SINCE = 38

# Scripts can count one victim over and over. Of 594 real numbers one came to 257 s for each kill, no other to 25.
MOST_DENIED_PER_KILL = 60  # seconds; beyond, denied_playtime is unknown

# Counted values of one player in one round, by name; minutes become seconds (a tenth of a minute is 6 s).
COUNTERS = tuple(f for f in TAIL_FIELDS if POLICY[f] is not Policy.RECOMPUTE and not f.startswith("minutes_"))
