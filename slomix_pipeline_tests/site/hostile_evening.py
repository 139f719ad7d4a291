"""An evening of people, maps and servers whose names try to be something else, told and prepared, for tests of pages.

Does not belong here: what pages make of it (``test_hostile_evening``).
"""

from dataclasses import replace

import pytest

from slomix_pipeline.simulator import evening as simulated
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_round
from slomix_pipeline.stages import session_pictures
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key
from slomix_pipeline_tests.site_fixtures import prepare

IMAGE, SCRIPT, FORMULA, TEMPLATE = "<img src=x onerror=alert(1)>", '"><script>alert(2)</script>', "=1+1", "{{7*7}}"
NAMES = {
    "A": (IMAGE, TEMPLATE, "javascript:alert(1)", "\u202egnp.exe", "a" + "\u0301" * 200, "W" * 36),
    "B": (SCRIPT, "", "^1^2", "../../x", "%00", FORMULA),
}
MAPS = ("a+b..-", "..", "..")  # all that the name of a file may hold; one is played twice
WHY = f"{IMAGE} \u202e{FORMULA}"

_drawn = session_pictures.drawn  # the pictures themselves; the pipeline of tests has a digest in their place


def play_hostile(pipeline: Pipeline, seed: int = 61) -> Evening:
    """The evening; of its first match a person decided."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_pictures, "drawn", _drawn)
        patch.setattr(simulated, "_CLANS", NAMES)
        evening = play_evening(seed, maps=MAPS, players_per_team=6, ends_at=just_now())
        for sim_round in evening.rounds:
            header = replace(sim_round.stats.header, server_name=IMAGE, config=SCRIPT)
            write_round(pipeline.folder, replace(sim_round, stats=replace(sim_round.stats, header=header)))
        pipeline.take_in_all()
        assert pipeline.report_sessions()
        first = evening.matches[0]
        other = "B" if first.winner == "A" else "A"
        done = pipeline.slomix("override", "winner", round_key(first.r1), other, "--why", WHY, "--by", SCRIPT)
        assert done.exit_code == 0, done.output
        prepare(pipeline.database)
    return evening
