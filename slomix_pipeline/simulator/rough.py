"""An evening with everything that goes wrong on real servers, the same for the same seed: maps that are left, matches
that are reset, rounds that end twice, people who change sides, one without a GUID.

Belongs here: the matches of that evening. How each of them is played is in ``matches``, how the engine tells it in
``through_lua``.
"""

from datetime import UTC, datetime, tzinfo

from slomix_pipeline.simulator.evening import MAPS, SOME_EVENING, play_courses
from slomix_pipeline.simulator.matches import Course, FalseStart, Files, Shape, Stay
from slomix_pipeline.simulator.values import Evening

_COURSES = (
    Course("supply", MAPS["supply"], Shape.BEATEN, starts=[FalseStart.ABORTED]),
    Course("te_escape2", MAPS["te_escape2"], Shape.SURRENDER, {1: Stay.GOES_OVER_R1, 7: Stay.JOINS_R2}),
    Course("etl_adlernest", MAPS["etl_adlernest"], Shape.HELD, starts=[FalseStart.REPLAYED], resets=True),
    Course("sw_goldrush_te", MAPS["sw_goldrush_te"], Shape.BEATEN, files=Files.R2_ABORTED),
    Course(
        "et_brewdog",
        MAPS["et_brewdog"],
        Shape.FULL_HOLD,
        {6: Stay.GOES_OVER_AND_BACK_R2, 3: Stay.LEAVES_R2, 5: Stay.RECONNECTS},
    ),
    Course("etl_frostbite", MAPS["etl_frostbite"], Shape.DOUBLE_HOLD, keyless=2),
)


def play_rough_evening(seed: int = 1, *, ends_at: datetime = SOME_EVENING, zone: tzinfo = UTC) -> Evening:
    """Plays it, four against four. Its last round ends at ``ends_at`` (aware) on a server in ``zone``."""
    return play_courses(seed, _COURSES, ends_at=ends_at, zone=zone)
