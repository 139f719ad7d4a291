"""Bad timing records: quarantined with a reason or taken for what they say, and their neighbours never notice."""

import json

from slomix_pipeline.sensors.folders import GAMETIMES
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key
from slomix_pipeline_tests.spoilt_files import ENDED, Spoil, good_evening

BAD_RECORDS: dict[str, tuple[Spoil, str]] = {
    "empty": (lambda data: b"", "empty file"),
    "cut": (lambda data: data[:-20], "cut"),
    "binary": (lambda data: b"\x00\x01\xff" * 30, "neither JSON nor"),
    "no end": (lambda data: b'{"map": "supply", "round": 1}', "end time"),
    "a list": (lambda data: b"[1, 2]", "neither JSON nor"),
    "too large": (lambda data: data + b" " * (2 << 20), "larger than"),
}
ODD_RECORDS: dict[str, dict[str, object]] = {
    "a pause of ages": {"pause_seconds": 10**11},
    "many pauses": {"pause_count": 10**10, "warmup_seconds": -(10**11)},
    "text that no database takes": {"end_reason": "a\0b\ud800", "a\0b": ["\0"]},
    "numbers that are none": {"duration": float("nan"), "something": float("inf")},
    "a large number": {"something": 10**300},
}


def record_name(n: int) -> str:
    return f"gametime-supply-R1-{int(ENDED.timestamp()) - 600 * n}.json"


def test_bad_timing_records_are_quarantined_and_leave_their_neighbours_alone(pipeline: Pipeline) -> None:
    good = timing_bytes(good_evening().rounds[0])
    keys = {name: pipeline.put(record_name(n), spoil(good)) for n, (name, (spoil, _)) in enumerate(BAD_RECORDS.items())}
    write_evening(pipeline.folder, good_evening())
    pipeline.take_in_all()
    for name, key in keys.items():
        row = pipeline.file(key)
        assert (row["status"], BAD_RECORDS[name][1] in row["reason"]) == ("quarantined", True), (name, row["reason"])
    assert differences(as_exported(pipeline.export()), as_played(good_evening())) == []


def test_odd_timing_records_end_one_way_or_the_other_and_leave_their_neighbours_alone(pipeline: Pipeline) -> None:
    keys = []
    for n, odd in enumerate(ODD_RECORDS.values(), start=20):
        record = {"map": "supply", "round": 1, "round_end_unix": int(ENDED.timestamp()) - 600 * n} | odd
        keys.append(pipeline.put(record_name(n), json.dumps(record).encode()))
    keys.append(pipeline.put(record_name(40), b'{"map": "supply", "x": ' + b"[" * 900 + b"]" * 900 + b"}"))
    write_evening(pipeline.folder, good_evening())
    pipeline.take_in_all()
    for key in keys:
        row = pipeline.file(key)
        assert row["status"] == "ingested" or (row["status"] == "quarantined" and row["reason"]), key
    assert differences(as_exported(pipeline.export()), as_played(good_evening())) == []


def test_a_fixed_timing_record_is_linked(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, good_evening())
    first = good_evening().rounds[0]
    pipeline.put(first.timing_name, timing_bytes(first)[:-9])
    pipeline.take_in_all()
    assert pipeline.export()["rounds"][0]["timing_status"] == "NO LUA DATA"
    pipeline.put(first.timing_name, timing_bytes(first))
    pipeline.take_in(GAMETIMES)
    pipeline.work(round_key(first))
    assert pipeline.export()["rounds"][0]["timing_status"] != "NO LUA DATA"
