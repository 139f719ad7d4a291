"""Timing records: every shape they come in, and what is no timing record."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.gametimes import TimingRecord

MANY = settings(max_examples=150, deadline=None, database=None)

RECORD = TimingRecord(
    map_name="supply",
    number=1,
    ended_at=datetime.fromtimestamp(1767982961, UTC),
    started_at=datetime.fromtimestamp(1767982500, UTC),
    duration_seconds=461,
    limit_seconds=461,
    pause_seconds=12,
    pause_count=1,
    warmup_seconds=0,
    winner_side=2,
    defender_side=1,
    end_reason="objective",
    surrender_side=0,
    script_version="1.7.2",
    raw={},
)
ROSTER = [{"guid": "A1B2C3D4E5F60718293A4B5C6D7E8F90", "name": 'Ž"al\\pha'}]
SPAWNS = [ROSTER[0] | {"spawns": 3, "deaths": 2, "dead_seconds": 20, "avg_respawn": 10, "max_respawn": 12}]
WHOLE = gametimes.dump(RECORD, axis=ROSTER, spawn_stats=SPAWNS)


def without_raw(record: TimingRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in TimingRecord.__slots__ if name != "raw"}


def text(alphabet: str) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=1, max_size=20).filter(lambda s: s == s.strip() != "")


SIDES = st.none() | st.integers(0, 2)
SECONDS = st.none() | st.integers(0, 99_999)
MOMENTS = st.integers(1_577_836_800, 4_102_444_799).map(lambda unix: datetime.fromtimestamp(unix, UTC))
RECORDS = st.builds(
    TimingRecord,
    map_name=text('abc_-.+"\\Ž1'),
    number=st.integers(1, 2),
    ended_at=MOMENTS,
    started_at=st.none() | MOMENTS,
    duration_seconds=st.none() | st.integers(1, 9999) | st.integers(1, 9999).map(lambda tenths: tenths / 10),
    limit_seconds=st.none() | st.integers(0, 9999),
    pause_seconds=SECONDS,
    pause_count=SECONDS,
    warmup_seconds=SECONDS,
    winner_side=SIDES,
    defender_side=SIDES,
    end_reason=st.none() | text("abc_ "),
    surrender_side=SIDES,
    script_version=st.none() | st.sampled_from(["1.6.0", "1.7.2", "10.20.30"]),
    raw=st.just({}),
    schema=st.none() | st.just("slomix.timing/1"),
    server_id=st.none() | text("abc_ "),
    aborted=st.none() | st.booleans(),
    restarts=st.none() | st.integers(0, 99),
)


@MANY
@given(RECORDS)
def test_what_is_dumped_parses_to_the_same(record: TimingRecord) -> None:
    parsed = gametimes.parse(gametimes.dump(record, axis=ROSTER, allies=ROSTER, spawn_stats=SPAWNS))
    assert without_raw(parsed) == without_raw(record)


def test_rosters_and_spawn_counts_stay_in_the_raw_record() -> None:
    raw = gametimes.parse(WHOLE).raw
    fields = {field["name"]: field["value"] for field in raw["payload"]["embeds"][0]["fields"]}
    assert raw["meta"]["spawn_stats"] == SPAWNS
    assert json.loads(fields["Axis_JSON"]) == ROSTER
    assert fields["Lua_Timelimit"] == "7.683 min"
    assert fields["Lua_SpawnSummary"] == "Players:1 | Spawns:3 | AvgRespawn:10s | MaxRespawn:12s"


def test_a_payload_that_is_text_is_read_too() -> None:
    raw = json.loads(WHOLE)
    raw["payload"] = json.dumps(raw["payload"])
    assert without_raw(gametimes.parse(json.dumps(raw).encode())) == without_raw(RECORD)


def test_a_record_printed_over_many_lines_is_read_too() -> None:
    assert gametimes.parse(json.dumps(json.loads(WHOLE), indent=4).encode()) == gametimes.parse(WHOLE)


def test_meta_wins_over_text_made_for_people() -> None:
    raw = json.loads(WHOLE)
    raw["meta"] |= {"round": 2, "actual_duration_seconds": 400}
    record = gametimes.parse(json.dumps(raw).encode())
    assert (record.number, record.duration_seconds) == (2, 400)


def test_a_payload_without_meta_is_enough() -> None:
    raw = json.loads(WHOLE)
    del raw["meta"]
    assert without_raw(gametimes.parse(json.dumps(raw).encode())) == without_raw(RECORD)


def test_one_flat_json_object_is_a_record() -> None:
    flat = {
        "map": "supply",
        "round": 2,
        "round_end_unix": 1767982961,
        "round_start_unix": 1767982500,
        "playtime_seconds": 461,
        "winner": 2,
        "defender": 1,
        "end_reason": "objective",
        "version": "1.1.0",
    }
    record = gametimes.parse(json.dumps(flat).encode())
    assert (record.map_name, record.number, record.duration_seconds) == ("supply", 2, 461)
    assert (record.started_at, record.ended_at) == (RECORD.started_at, RECORD.ended_at)
    assert (record.winner_side, record.defender_side, record.script_version) == (2, 1, "1.1.0")
    assert record.pause_seconds is None and record.warmup_seconds is None and record.raw == flat


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_key_value_lines_are_a_record(line_end: str) -> None:
    lines = ["map = supply", "round=1", "", "end_unix=1767982961", "start_unix=1767982500", "duration=461 sec"]
    record = gametimes.parse(line_end.join(lines).encode())
    assert (record.map_name, record.number, record.duration_seconds) == ("supply", 1, 461)
    assert (record.started_at, record.ended_at) == (RECORD.started_at, RECORD.ended_at)


def test_the_engines_own_count_of_a_second_round_is_0() -> None:
    assert gametimes.parse(WHOLE.replace(b'"round":1', b'"round":0')).number == 2


def test_our_own_script_also_says_its_schema_its_server_and_whether_the_round_was_left_or_begun_again() -> None:
    raw = json.loads(WHOLE)
    raw["meta"] |= {"schema": "slomix.timing/1", "server_id": "second", "aborted": True, "restarts": 2}
    record = gametimes.parse(json.dumps(raw).encode())
    assert (record.schema, record.server_id, record.aborted, record.restarts) == ("slomix.timing/1", "second", True, 2)


def test_what_older_scripts_do_not_say_is_unknown() -> None:
    record = gametimes.parse(WHOLE)
    assert (record.schema, record.server_id, record.aborted, record.restarts) == (None, None, None, None)


def test_a_limit_in_seconds_wins_over_the_minutes_made_for_people() -> None:
    assert (
        gametimes.parse(WHOLE.replace(b'"warmup_seconds"', b'"limit_seconds":460,"warmup_seconds"')).limit_seconds
        == 460
    )


def test_an_unknown_reason_is_none() -> None:
    assert gametimes.parse(WHOLE.replace(b'"objective"', b'"unknown"')).end_reason is None


def test_a_clock_that_was_not_set_leaves_the_start_unknown() -> None:
    assert gametimes.parse(WHOLE.replace(b'"round_start_unix":1767982500', b'"round_start_unix":12')).started_at is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (WHOLE[:-1], "not whole JSON"),
        (WHOLE + b"}", "not whole JSON"),
        (b"{}", "no map"),
        (b'[{"map": "supply"}]', "neither JSON nor"),
        (b"some text", "neither JSON nor"),
        (b"\x00\xff\xfe", "neither JSON nor"),
        (b'{"map": "supply", "round": 1}', "end time"),
        (b'{"map": "supply", "round": 3, "end_unix": 1767982961}', "round is '3'"),
        (b'{"map": "supply", "round": -1, "end_unix": 1767982961}', "round is '-1'"),
        (b'{"map": "supply", "round": true, "end_unix": 1767982961}', "round is 'True'"),
        (b'{"map": "supply", "round": 1e22, "end_unix": 1767982961}', "round is '1e"),
        (b'{"map": "supply", "round": 1, "end_unix": 0}', "end time"),
        (b'{"map": "supply", "round": 1, "end_unix": 1e999}', "end time"),
        (b'{"map": "supply", "round": 1, "end_unix": ' + b"9" * 5000 + b"}", "not whole JSON"),
        (b'{"map": ' * 100_000, "not whole JSON"),
        (b" " * (gametimes.MAX_SIZE + 1), "larger than"),
    ],
)
def test_what_is_no_timing_record_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        gametimes.parse(data)


def test_a_reason_stays_short_whatever_the_record_holds() -> None:
    with pytest.raises(FormatError) as refused:
        gametimes.parse(b'{"map": "supply", "round": "' + b"9" * 100_000 + b'"}')
    assert len(str(refused.value)) < 200


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 30)))
        data[start:end] = draw(
            st.sampled_from([b"", b'"', b"null", b"[]", b"{}", b"-1", b"1e99", b"NaN", b"\\u0000"])
            | st.binary(max_size=6)
        )
    return bytes(data)


def test_characters_that_no_database_takes_are_shown_as_spaces_or_bytes() -> None:
    record = gametimes.parse(WHOLE.replace(b'"map":"supply"', b'"map":"sup\\u0000p\\ud800ly \\udcf6"'))
    assert record.map_name == "sup p ly ö"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "map",
        "round",
        "round_end_unix",
        "round_start_unix",
        "actual_duration_seconds",
        "lua_timelimit",
        "lua_pauses",
        "warmup_seconds",
        "winner",
        "end_reason",
        "version",
        "payload",
        "meta",
        "embeds",
        "fields",
        "footer",
    ]
)


def check_refused_or_usable(data: bytes) -> None:
    try:
        record = gametimes.parse(data)
    except FormatError as reason:
        assert len(str(reason)) < 200
        str(reason).encode()
        return
    record.map_name.encode()
    assert record.number in (1, 2) and record.ended_at.tzinfo is UTC
    assert record.duration_seconds is None or 0 < record.duration_seconds < 1e13


@MANY
@given(damaged(WHOLE) | st.binary(max_size=200))
def test_damage_is_refused_with_a_reason_or_harmless(data: bytes) -> None:
    check_refused_or_usable(data)


@MANY
@given(st.dictionaries(KEYS, JSON_VALUES), JSON_VALUES)
def test_values_of_any_type_are_refused_or_harmless(values: dict[str, Any], other: Any) -> None:
    good = {"map": "supply", "round": 1, "round_end_unix": 1767982961}
    for record in (
        values,
        good | values,
        {"meta": good | values, "payload": other},
        {"meta": other} | values,
        {"meta": good, "payload": {"embeds": [{"fields": [other, values], "footer": other}]}},
    ):
        check_refused_or_usable(json.dumps(record).encode())
