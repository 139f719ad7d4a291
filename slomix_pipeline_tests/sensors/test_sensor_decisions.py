"""What sensors decide from what they see."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.gameserver.source import RemoteFile
from slomix_pipeline.jobs import CAUSE_TAG
from slomix_pipeline.partitions import MOST_PARTITIONS, contiguous_ranges, range_tags
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.sensors import folders, rework, session_over
from slomix_pipeline.sensors.folders import Decision, decide, due_again
from slomix_pipeline.sensors.requests import BACKLOG, TRY_AGAIN_EVERY, Wanted, build_requests, keys_in_flight
from slomix_pipeline.warehouse.files import WAITS_FOR_ITS_ROUND, FileRow
from slomix_pipeline.warehouse.rework import Stale
from slomix_pipeline.warehouse.rework_causes import COMPARING, Cause

NOW = datetime(2031, 5, 6, 22, 0, tzinfo=UTC)
LOOK_BACK = NOW - timedelta(hours=24)


def name_of(minutes_ago: float, number: int = 1, suffix: str = "") -> str:
    return f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%d-%H%M%S}-supply-round-{number}{suffix}.txt"


def listed(name: str, size: int = 100, seconds: int = 0) -> RemoteFile:
    return RemoteFile(name, size, int(NOW.timestamp()) + seconds)


def row_of(file: RemoteFile, status: FileStatus = FileStatus.INGESTED, **more: Any) -> FileRow:
    row = FileRow(
        server="main",
        name=file.name,
        kind=parse_file_name(file.name).kind,
        partition_key=f"main:{file.name[:-4]}",
        timezone=None,
        size=file.size,
        modified_at=datetime.fromtimestamp(file.modified_at, UTC),
        imported=False,
        status=status,
        reason=None,
        sha256=None,
        attempts=1,
        requested_at=NOW,
    )
    return replace(row, **more)


def decided(
    *files: RemoteFile,
    before: tuple[RemoteFile, ...] | None = None,
    rows: tuple[FileRow, ...] = (),
    in_flight: tuple[str, ...] = (),
    kind: FileKind = FileKind.STATS,
    now: datetime = NOW,
    zone: str = "UTC",
) -> Decision:
    """A decision on a listing; without ``before`` everything held still."""
    return decide(
        files,
        {f.name: f for f in (files if before is None else before)},
        {row.name: row for row in rows},
        in_flight,
        kind=kind,
        zone=ZoneInfo(zone),
        now=now,
        look_back_to=LOOK_BACK,
    )


def requested(decision: Decision) -> list[tuple[str, int]]:
    return [(file.name, attempt) for file, _, attempt in decision.requested]


def noted(decision: Decision) -> list[tuple[str, str | None]]:
    return [(file.name, reason) for file, _, reason in decision.noted]


# --- a folder's listing ---


def test_a_new_file_is_noted_and_requested() -> None:
    file = listed(name_of(5))
    decision = decided(file)
    assert (requested(decision), noted(decision)) == ([(file.name, 1)], [(file.name, None)])


def test_a_file_that_is_known_and_unchanged_is_left_alone() -> None:
    for status in set(FileStatus) - {FileStatus.REQUESTED}:
        file = listed(name_of(5))
        assert decided(file, rows=(row_of(file, status),)) == Decision()


@pytest.mark.parametrize("status", sorted(set(FileStatus) - {FileStatus.LISTED}))
@pytest.mark.parametrize("change", [{"size": 101}, {"modified_at": int(NOW.timestamp()) - 60}])
def test_a_file_that_changed_is_requested_as_if_new(status: FileStatus, change: dict[str, Any]) -> None:
    file = listed(name_of(5))
    changed = replace(file, **change)
    assert requested(decided(changed, rows=(row_of(file, status, attempts=4),))) == [(file.name, 1)]


def test_a_file_of_an_import_is_requested_when_the_game_server_has_it_too() -> None:
    file = listed(name_of(5))
    assert requested(decided(file, rows=(row_of(file, modified_at=None),))) == [(file.name, 1)]


@pytest.mark.parametrize("before", [(), (listed(name_of(5), size=99),), (listed(name_of(5), seconds=-1),)])
def test_a_file_that_did_not_hold_still_has_to_wait(before: tuple[RemoteFile, ...]) -> None:
    assert decided(listed(name_of(5)), before=before) == Decision(unsettled=True)


def test_a_changed_file_has_to_hold_still_too() -> None:
    file = listed(name_of(5))
    assert decided(replace(file, size=7), before=(file,), rows=(row_of(file),)) == Decision(unsettled=True)


def test_files_from_before_the_look_back_wait_and_are_not_requested() -> None:
    file, awards = listed(name_of(24 * 60 + 1)), listed(name_of(24 * 60 + 1, suffix="-endstats"))
    decision = decided(file, awards, before=())  # nobody reads them, so they need not hold still
    assert [(f.name, reason) for f, _, reason in decision.old] == [
        (awards.name, WAITS_FOR_ITS_ROUND),
        (file.name, folders.TOO_OLD),
    ]
    assert (decision.requested, decision.noted, decision.unsettled) == ([], [], False)
    assert requested(decided(listed(name_of(24 * 60)))) != []


def test_an_old_file_that_was_read_before_is_read_again_when_it_changes() -> None:
    file = listed(name_of(3 * 24 * 60))
    for status in set(FileStatus) - {FileStatus.LISTED}:
        assert requested(decided(replace(file, size=7), rows=(row_of(file, status),))) == [(file.name, 1)], status


def test_an_old_file_that_was_never_read_waits_on_when_it_changes() -> None:
    file = listed(name_of(3 * 24 * 60))
    assert requested(decided(replace(file, size=7), rows=(row_of(file, FileStatus.LISTED),))) == []


def test_an_old_file_of_an_import_is_not_read_again_because_the_server_has_it_too() -> None:
    file = listed(name_of(3 * 24 * 60))
    assert requested(decided(file, rows=(row_of(file, modified_at=None),))) == []


def test_the_look_back_counts_in_the_time_of_the_game_server() -> None:
    file = listed(name_of(24 * 60 + 30))  # in New York's wall clock that is four hours later
    assert requested(decided(file)) == []
    assert requested(decided(file, zone="America/New_York")) == [(file.name, 1)]


def test_files_of_other_kinds_are_noted_with_their_reason() -> None:
    names = {
        name_of(5, suffix="-endstats"): "endstats",
        name_of(5, suffix="_ws"): "weapon",
        name_of(5, suffix="-timing"): "outside its folder",
        "gametime-supply-R1-1936000000.json": "outside its folder",
        "notes.txt": "no known pattern",
        "2031-13-45-999999-supply-round-1.txt": "no known pattern",
    }
    decision = decided(*map(listed, names), before=())
    assert decision.requested == []
    assert not decision.unsettled
    for name, reason in noted(decision):
        assert reason and names[name] in reason


def test_the_folder_of_timing_records_takes_timing_records_only() -> None:
    record, stats = listed("gametime-supply-R1-1936000000.json"), listed(name_of(5))
    assert requested(decided(record, stats, kind=FileKind.TIMING)) == [(record.name, 1)]


def record(seconds_ago: float) -> RemoteFile:
    return listed(f"gametime-supply-R1-{int(NOW.timestamp() - seconds_ago)}.json")


@pytest.mark.parametrize("seconds_ago", [0, 3, 44])
def test_a_fresh_record_is_left_to_its_round_and_nothing_waits_for_it(seconds_ago: float) -> None:
    assert decided(record(seconds_ago), kind=FileKind.TIMING) == Decision()


@pytest.mark.parametrize("seconds_ago", [-1, 45, 600])
def test_a_record_that_its_round_did_not_take_or_of_the_future_is_requested(seconds_ago: float) -> None:
    assert requested(decided(record(seconds_ago), kind=FileKind.TIMING)) == [(record(seconds_ago).name, 1)]


def test_what_is_left_to_its_round_is_listed_again_only_when_it_is_left_no_longer() -> None:
    assert folders.LEFT_TO_ITS_ROUND.total_seconds() < folders.LIST_ANYWAY


def test_a_fresh_record_that_changed_after_it_was_fetched_is_requested() -> None:
    file = record(3)
    assert requested(decided(file, rows=(row_of(file, size=7),), kind=FileKind.TIMING)) == [(file.name, 1)]


def test_files_are_requested_in_the_order_their_rounds_ended() -> None:
    names = [name_of(30), name_of(20, 2), name_of(10), name_of(5, 2)]
    files = [listed(name, seconds=-n) for n, name in enumerate(names)]
    assert [name for name, _ in requested(decided(*reversed(files)))] == names


def test_a_file_without_a_result_is_requested_again_later_each_time() -> None:
    file = listed(name_of(5))
    waits = []
    for attempts in range(1, 12):
        row = row_of(file, FileStatus.REQUESTED, attempts=attempts)
        due = due_again(row)
        waits.append(due - NOW)
        assert decided(file, rows=(row,), now=due - timedelta(seconds=1)) == Decision()
        assert requested(decided(file, rows=(row,), now=due)) == [(file.name, attempts + 1)]
        assert decided(file, rows=(row,), now=due).noted == []
    assert all(a < b or b == folders.LONGEST_BACK_OFF for a, b in pairwise(waits))
    assert waits[0] == folders.FIRST_BACK_OFF and waits[-1] == folders.LONGEST_BACK_OFF


def test_a_file_that_a_run_works_on_is_not_requested_again() -> None:
    file = listed(name_of(5))
    row = row_of(file, FileStatus.REQUESTED)
    later = NOW + timedelta(days=1)
    assert decided(file, rows=(row,), now=later, in_flight=(str(row.partition_key),)) == Decision()


@given(st.lists(st.text(max_size=160), max_size=8))
def test_no_name_upsets_the_decision(names: list[str]) -> None:
    decided(*map(listed, names))


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_no_year_upsets_the_decision(year: str) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        for day in ("01-01-000000", "12-31-235959"):
            decided(listed(f"{year}-{day}-supply-round-1.txt"), zone=zone)


# --- requests ---

ORDER = [f"main:{n}" for n in range(10)]


def wanted(*keys: str) -> list[Wanted]:
    return [Wanted(key, f"{key}:run") for key in keys]


def test_a_few_rounds_are_runs_of_their_own() -> None:
    requests = build_requests(wanted(*ORDER[:BACKLOG]), ORDER, {"a": "b"})
    assert [(r.partition_key, r.run_key, dict(r.tags)) for r in requests] == [
        (key, f"{key}:run", {"a": "b"}) for key in ORDER[:BACKLOG]
    ]


def test_a_backlog_is_one_run_per_stretch_of_keys() -> None:
    requests = build_requests(wanted(*ORDER[1:4], *ORDER[6:9]), ORDER, {"a": "b"})
    assert [dict(r.tags) for r in requests] == [
        {"a": "b"} | range_tags("main:1", "main:3"),
        {"a": "b"} | range_tags("main:6", "main:8"),
    ]
    assert [r.partition_key for r in requests] == [None, None]


def test_the_run_key_of_a_range_changes_with_any_of_its_rounds() -> None:
    def run_key(*given: Wanted) -> str | None:
        (request,) = build_requests(given, ORDER, {})
        return request.run_key

    keys = ORDER[:5]
    same = run_key(*wanted(*keys))
    assert same == run_key(*reversed(wanted(*keys)))
    assert same != run_key(*wanted(*keys[:4]), Wanted(keys[4], "other"))
    assert same != run_key(*wanted(*keys[:4]))


def test_a_long_backlog_is_cut_into_runs_that_are_not_too_long() -> None:
    order = [f"main:{n:03}" for n in range(2 * MOST_PARTITIONS + 5)]
    requests = build_requests(wanted(*order[1:]), order, {})
    ends = [(1, MOST_PARTITIONS), (MOST_PARTITIONS + 1, 2 * MOST_PARTITIONS), (2 * MOST_PARTITIONS + 1, len(order) - 1)]
    assert [dict(r.tags) for r in requests] == [range_tags(order[first], order[last]) for first, last in ends]


@given(st.sets(st.sampled_from(ORDER)))
def test_ranges_hold_exactly_what_was_wanted(chosen: set[str]) -> None:
    held = [
        key
        for first, last in contiguous_ranges(ORDER, chosen)
        for key in ORDER[ORDER.index(first) : ORDER.index(last) + 1]
    ]
    assert held == sorted(chosen)
    ranges = contiguous_ranges(ORDER, chosen)
    assert all(ORDER.index(b[0]) - ORDER.index(a[1]) > 1 for a, b in pairwise(ranges))


def test_runs_in_flight_hold_their_partition_or_all_of_their_range() -> None:
    @dg.op
    def nothing() -> None: ...

    @dg.job
    def ingest_rounds() -> None:
        nothing()

    with dg.DagsterInstance.ephemeral() as instance:

        def start(status: dg.DagsterRunStatus, **tags: str) -> None:
            instance.create_run_for_job(
                ingest_rounds, status=status, tags={k.replace("__", "/"): v for k, v in tags.items()}
            )

        start(dg.DagsterRunStatus.STARTING, dagster__partition="main:0")
        start(dg.DagsterRunStatus.SUCCESS, dagster__partition="main:1")
        start(dg.DagsterRunStatus.FAILURE, dagster__partition="main:2")
        tags = {k.replace("/", "__"): v for k, v in range_tags("main:4", "main:6").items()}
        start(dg.DagsterRunStatus.STARTED, **tags)
        unknown = {k.replace("/", "__"): v for k, v in range_tags("main:7", "gone").items()}
        start(dg.DagsterRunStatus.STARTED, **unknown)
        instance.add_dynamic_partitions("rounds", ORDER)
        assert keys_in_flight(instance, "ingest_rounds") == {"main:0", "main:4", "main:5", "main:6"}
        assert keys_in_flight(instance, "ingest_timings") == set()


# --- rework and ended sessions ---


def stale(key: str, at: datetime, *causes: Cause) -> Stale:
    return Stale(key, causes or (Cause.PARSED_SINCE,), at)


def test_a_stale_round_is_asked_for_once_per_turn_and_not_while_a_run_works_on_it() -> None:
    at = NOW - timedelta(seconds=10)
    (first,) = rework.decide([stale("main:a", at)], set(), NOW)
    (same,) = rework.decide([stale("main:a", at)], set(), NOW + timedelta(seconds=30))
    (later,) = rework.decide([stale("main:a", at)], set(), NOW + TRY_AGAIN_EVERY)
    (newer,) = rework.decide([stale("main:a", at + timedelta(seconds=1))], set(), NOW)
    assert first.key == "main:a"
    assert first == same
    assert len({first.run_key, later.run_key, newer.run_key}) == 3
    assert rework.decide([stale("main:a", at)], {"main:a"}, NOW) == []


def test_what_is_just_being_written_is_not_stale_yet() -> None:
    assert rework.decide([stale("main:a", NOW)], set(), NOW + rework.SETTLE / 2) == []
    assert rework.decide([stale("main:a", NOW)], set(), NOW + rework.SETTLE) != []


def test_a_run_of_stale_rounds_says_all_their_causes_in_one_order() -> None:
    at = NOW - timedelta(seconds=10)
    found = [
        stale(ORDER[0], at, Cause.NOT_COMPARED),
        stale(ORDER[1], at, Cause.OTHER_RULES, Cause.RECORD_LATE),
        *(stale(key, at, Cause.OTHER_RULES) for key in ORDER[2:4]),
    ]
    one_by_one = build_requests(rework.decide(found[:2], set(), NOW), ORDER, {})
    assert [request.tags[CAUSE_TAG] for request in one_by_one] == [
        "not compared with what was told",
        "other rules, record late",
    ]
    (at_once,) = build_requests(rework.decide(found, set(), NOW), ORDER, {})
    assert at_once.tags[CAUSE_TAG] == "other rules, record late, not compared with what was told"


def test_whole_tables_are_compared_at_the_first_tick_and_then_once_a_minute() -> None:
    assert rework.causes_to_ask(None, NOW) == set(Cause)
    assert rework.causes_to_ask(NOW - timedelta(seconds=59), NOW) == set(Cause) - COMPARING
    assert rework.causes_to_ask(NOW - rework.COMPARE_EVERY, NOW) == set(Cause)


def test_a_session_is_asked_for_once_per_content_and_turn() -> None:
    due = [("main:b", "1"), ("main:a", "2")]
    first = session_over.decide(due, NOW)
    assert [w.key for w in first] == ["main:a", "main:b"]
    assert session_over.decide(due, NOW + timedelta(seconds=30)) == first
    other = session_over.decide([("main:a", "3")], NOW) + session_over.decide([("main:a", "2")], NOW + TRY_AGAIN_EVERY)
    assert len({w.run_key for w in [first[0], *other]}) == 3
