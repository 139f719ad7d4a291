"""A night whose result its community knows: 2026-02-02, Team B 7 – Team A 4 over 11 maps, map by map.

Belongs here: which map was won by whom, and how it may have gone. Its files were never published: people and times are
invented, so that each map comes out as it did and, counted by rounds, the night would be a draw, as it would have been.
"""

from datetime import datetime, tzinfo
from typing import NamedTuple

from slomix_pipeline.simulator.evening import MAPS, play_courses
from slomix_pipeline.simulator.matches import Course, Shape
from slomix_pipeline.simulator.values import Evening, Team


class Won(NamedTuple):
    """One map of the night: who won it, and who attacked in its round 1."""

    map_name: str
    winner: Team
    attacked_first: Team


NIGHT = (
    Won("etl_adlernest", "B", "B"),
    Won("supply", "A", "A"),
    Won("etl_sp_delivery", "B", "B"),
    Won("te_escape2", "B", "A"),
    Won("te_escape2", "B", "A"),
    Won("sw_goldrush_te", "A", "A"),
    Won("et_brewdog", "A", "B"),
    Won("etl_frostbite", "B", "A"),
    Won("erdenberg_t2", "A", "B"),
    Won("braundorf_b4", "B", "A"),
    Won("etl_adlernest", "B", "A"),
)
POINTS = {"map-wins/1": (4, 7), "per-round/1": (11, 11), "two-point/1": (8, 14)}  # of A and B, by policy


def golden_night(ends_at: datetime, zone: tzinfo) -> Evening:
    """The night, three against three; whoever attacked first and won had the better time, else the other did."""
    courses = [
        Course(
            won.map_name,
            MAPS[won.map_name],
            Shape.HELD if won.winner == won.attacked_first else Shape.BEATEN,
            a_attacks_first=won.attacked_first == "A",
        )
        for won in NIGHT
    ]
    return play_courses(2, courses, players_per_team=3, ends_at=ends_at, zone=zone)
