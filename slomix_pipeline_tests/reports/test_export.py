"""What ``slomix export`` prints: of the published shape, as JSON and as CSV, with decisions, corrections and grade."""

import csv
import io
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.reports.export import session_as_csv
from slomix_pipeline.reports.export_schema import EXPORT, json_schema
from slomix_pipeline.settings import project_folder
from slomix_pipeline.simulator.evening import play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, FalseStart, Files, Shape
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key
from slomix_pipeline_tests.snapshots import assert_as_kept

PUBLISHED = project_folder() / "docs" / "session.schema.json"

ODD = [
    Course("supply", 720, Shape.BEATEN, starts=(FalseStart.ABORTED,)),
    Course("te_escape2", 600, Shape.DOUBLE_HOLD, bots=2),
    Course("etl_adlernest", 600, Shape.HELD, files=Files.ONLY_R2),
    Course("et_brewdog", 600, Shape.SURRENDER),
    Course("radar", 600, Shape.FULL_HOLD, files=Files.ONLY_R1),
]


def ingest(pipeline: Pipeline, evening: Evening) -> dict[str, Any]:
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    return pipeline.export()


def test_the_published_schema_says_what_the_code_does() -> None:
    assert_as_kept(PUBLISHED, json.dumps(json_schema(), indent=1) + "\n")


@pytest.mark.parametrize("courses", [None, ODD], ids=["a usual evening", "an odd one"])
def test_an_export_is_of_the_published_shape_with_no_key_beside(
    pipeline: Pipeline, courses: list[Course] | None
) -> None:
    evening = play_courses(81, courses, ends_at=just_now()) if courses else play_evening(81, maps=3, ends_at=just_now())
    exported = ingest(pipeline, evening)
    pipeline.put(f"{evening.rounds[0].stem[:17]}-broken-round-1.txt", b"no stats file")
    pipeline.take_in()
    exported = json.loads(json.dumps(pipeline.export()))
    jsonschema.validate(exported, json.loads(PUBLISHED.read_text("utf-8")))
    EXPORT.validate_python(exported)
    assert exported["grade"]["letter"] == "D" and "1 file could not be read" in exported["grade"]["reasons"]


def test_csv_has_a_line_per_player_and_round(pipeline: Pipeline) -> None:
    evening = play_evening(82, maps=2, ends_at=just_now())
    exported = ingest(pipeline, evening)
    lines = list(csv.DictReader(io.StringIO(session_as_csv(exported))))
    assert len(lines) == sum(len(r.players) for r in evening.rounds)
    by_key = {(line["round"], line["guid"]): line for line in lines}
    for sim_round in evening.rounds:
        for guid, player in sim_round.players.items():
            line = by_key[round_key(sim_round), guid]
            assert (line["kills"], line["map"]) == (str(player.kills), sim_round.map_name)
            assert line["revives_given"] == str(player.revives_given)


@given(st.text(max_size=30))
def test_a_name_of_any_kind_comes_out_of_csv_as_it_was(name: str) -> None:
    player = dict.fromkeys(("guid", "kills"), "x") | {"name": name}
    session = {"session": {"key": "s"}, "matches": [], "rounds": [{"key": "r", "players": [player]}]}
    clean = name.replace("\r\n", "\n").replace("\r", "\n")
    (line,) = csv.DictReader(io.StringIO(session_as_csv(session), newline=""))
    assert line["name"].replace("\r\n", "\n").replace("\r", "\n").lstrip("'") == clean.lstrip("'")
