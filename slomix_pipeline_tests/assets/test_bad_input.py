"""Bad input: each file ends as ingested, known or quarantined with a reason, and its neighbours never notice."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse.files import list_files
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, as_exported, as_played, differences, round_key

ENDED = datetime.now(UTC) - timedelta(minutes=2)


@pytest.fixture(scope="module")
def evening() -> Evening:
    """Good neighbours: two matches that ended well before the bad file's round."""
    return play_evening(31, maps=2, ends_at=ENDED - timedelta(minutes=30))


@pytest.fixture(scope="module")
def subject() -> SimRound:
    """The round whose file goes wrong, an hour after the evening."""
    return play_evening(32, maps=["radar"], ends_at=ENDED + timedelta(minutes=45)).rounds[0]


Spoil = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Case:
    """How a good file is spoilt, what becomes of it, a piece of the reason it is given, how many more players it has,
    and whether the parse check warns of it."""

    spoil: Spoil
    status: str
    reason: str | None = None
    more_players: int = 0
    warns: bool = False


def with_name(name: bytes) -> Spoil:
    """The first player has this name."""

    def spoil(data: bytes) -> bytes:
        header, line, *rest = data.split(b"\n")
        fields = line.split(b"\\")
        return b"\n".join([header, b"\\".join([fields[0], name, *fields[2:]]), *rest])

    return spoil


def with_guid(guid: bytes) -> Spoil:
    """The first player has this GUID."""

    def spoil(data: bytes) -> bytes:
        header, line, *rest = data.split(b"\n")
        return b"\n".join([header, b"\\".join([guid, *line.split(b"\\")[1:]]), *rest])

    return spoil


def header_field(index: int, value: bytes) -> Spoil:
    """One field of the header has this value."""

    def spoil(data: bytes) -> bytes:
        header, _, rest = data.partition(b"\n")
        fields = header.split(b"\\")
        fields[index] = value
        return b"\\".join(fields) + b"\n" + rest

    return spoil


CASES = {
    "empty": Case(lambda data: b"", "quarantined", "empty file"),
    "header only": Case(lambda data: data.partition(b"\n")[0] + b"\n", "quarantined", "only a header line"),
    "header without its line end": Case(lambda data: data.partition(b"\n")[0], "quarantined", "no line ends"),
    "truncated mid-line": Case(lambda data: data[: len(data) * 2 // 3], "quarantined", "cut"),
    "one byte short": Case(lambda data: data[:-1], "quarantined", "cut: the last line has no end"),
    "binary junk": Case(lambda data: bytes(range(256)) * 40, "quarantined", "binary"),
    "junk without zero bytes": Case(lambda data: b"\xff\xfe\x80junk\n" * 30, "quarantined", "not a stats file"),
    "a web page": Case(lambda data: b"<html>\n<body>404</body>\n</html>\n", "quarantined", "not a stats file"),
    "UTF-16": Case(lambda data: data.decode("latin-1").encode("utf-16"), "quarantined", "UTF-16"),
    "UTF-8 with a mark": Case(lambda data: b"\xef\xbb\xbf" + data, "ingested"),
    "Windows line ends": Case(lambda data: data.replace(b"\n", b"\r\n"), "ingested"),
    "names in Latin-1": Case(with_name(b"caf\xe9 \xdcber"), "ingested"),
    "a 10 MB line": Case(lambda data: data + b"x" * 10_000_000 + b"\n", "quarantined", "longer than"),
    "10 MB without a line": Case(lambda data: b"x" * 10_000_000, "quarantined", "no line ends"),
    "a file of 20 MB": Case(lambda data: data * (20_000_000 // len(data)), "quarantined", "larger than"),
    "a name with |": Case(with_name(b"|clan| ^1x|y"), "ingested"),
    "a name with a tab": Case(with_name(b"tab\there"), "ingested"),
    "a name with colour codes": Case(with_name(b"^1r^2g^^b^z^7"), "ingested"),
    "a name of colour codes": Case(with_name(b"^1^2^3"), "ingested"),
    "a name of nothing": Case(with_name(b""), "ingested"),
    "a name with quotes and percent": Case(with_name(b'\'; drop table round; -- %s {0} "x"'), "ingested"),
    "a name with control characters": Case(with_name(b"\x01\x02\x1b[31m\x7f"), "ingested"),
    "a name with a backslash": Case(with_name(b"back\\slash"), "quarantined", "line 2: 5 backslashes"),
    "an unknown map": Case(header_field(1, b"never_seen_b17"), "ingested"),
    "no map": Case(header_field(1, b"  "), "quarantined", "names no map"),
    "no winner": Case(header_field(5, b"?"), "ingested"),
    "a time that is none": Case(header_field(6, b"soon"), "ingested"),
    "a number too large": Case(
        lambda data: data.replace(b"\t0\t", b"\t99999999999\t", 1), "quarantined", "whole number"
    ),
    "a negative count": Case(lambda data: data.replace(b"\t0\t", b"\t-7\t", 1), "quarantined", "is -7"),
    "a player twice": Case(
        lambda data: data + data.splitlines(keepends=True)[1], "ingested", more_players=1, warns=True
    ),
    "a player without GUID": Case(with_guid(b""), "ingested", warns=True),
    "a GUID of nothing": Case(with_guid(b"\xff^1NO_GUID"), "ingested", warns=True),
}


@pytest.fixture(scope="module")
def spoilt(subject: SimRound) -> dict[str, bytes]:
    return {name: case.spoil(gamestats.dump(subject.stats)) for name, case in CASES.items()}


def name_of(subject: SimRound, n: int) -> str:
    """A name of its own for each case: three minutes apart."""
    stamp = datetime.now(UTC) - timedelta(minutes=2 + 3 * n)
    return f"{stamp:%Y-%m-%d-%H%M%S}-{subject.map_name}-round-1.txt"


def failed_checks(result: dg.ExecuteInProcessResult) -> list[tuple[str, dg.AssetCheckSeverity]]:
    return [(e.check_name, e.severity) for e in result.get_asset_check_evaluations() if not e.passed]


# --- alone ---


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_alone_gets_its_status_and_reason(
    pipeline: Pipeline, subject: SimRound, spoilt: dict[str, bytes], name: str
) -> None:
    case = CASES[name]
    key = pipeline.put(name_of(subject, 0), spoilt[name])
    (result,) = pipeline.list_folder(raise_on_error=False)
    file = pipeline.file(key)
    assert file["status"] == case.status, file["reason"]
    if case.status == "quarantined":
        assert case.reason and case.reason in file["reason"]
        assert not result.success
        (failed,) = failed_checks(result)
        assert failed[0] in ("transfer", "parse") and failed[1] is dg.AssetCheckSeverity.ERROR
        assert pipeline.rows("select * from parsed_round") == []
        assert pipeline.page.messages() == []
    else:
        assert result.success
        assert file["reason"] is None
        assert {e.severity for e in result.get_asset_check_evaluations() if not e.passed} <= {
            dg.AssetCheckSeverity.WARN
        }
        (exported,) = pipeline.export()["rounds"]
        assert [len(exported["players"]), exported["status"]] == [len(subject.players) + case.more_players, "r1_only"]
        assert len(pipeline.page.messages()) == 1
    if len(spoilt[name]) < 16 << 20:
        (kept,) = pipeline.rows("select bytes from file join file_content using (sha256) where partition_key = %s", key)
        assert bytes(kept["bytes"]) == spoilt[name]


# --- among good neighbours ---


def test_bad_files_in_a_batch_leave_their_neighbours_alone(
    pipeline: Pipeline, evening: Evening, subject: SimRound, spoilt: dict[str, bytes]
) -> None:
    later = {
        f"{datetime.now(UTC) - timedelta(hours=8, minutes=2 * n):%Y-%m-%d-%H%M%S}-radar-round-1.txt": name
        for n, name in enumerate(CASES)
    }
    keys = {name: pipeline.put(file, spoilt[name]) for file, name in later.items()}
    write_evening(pipeline.folder, evening)
    pipeline.list_folder(GAMETIMES)
    (result,) = pipeline.list_folder()

    assert result.success
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []
    statuses = {name: pipeline.file(key)["status"] for name, key in keys.items()}
    assert statuses == {name: case.status for name, case in CASES.items()}
    assert not any(row["status"] == "requested" for row in pipeline.rows("select status from file"))

    bad = {keys[name] for name, case in CASES.items() if case.status == "quarantined"}
    evaluations = result.get_asset_check_evaluations()
    blocking = [e for e in evaluations if not e.passed and e.check_name in ("transfer", "parse") and not e.partition]
    assert {e.severity for e in blocking} == {dg.AssetCheckSeverity.WARN}
    listed = "".join(str(e.metadata["which"].value) for e in blocking)
    assert {key for key in bad if f"`{key}`" in listed} == bad
    by_round = {
        e.partition for e in evaluations if e.partition and e.check_name in ("transfer", "parse") and not e.passed
    }
    assert by_round == bad | {keys[name] for name, case in CASES.items() if case.warns}
    with pipeline.database.connect() as conn:
        assert {row.partition_key for row in list_files(conn, FileStatus.QUARANTINED)} == bad


def test_bad_files_in_an_import_leave_their_neighbours_alone(
    pipeline: Pipeline, evening: Evening, subject: SimRound, spoilt: dict[str, bytes], tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    write_evening(archive, evening)
    small = {name: data for name, data in spoilt.items() if len(data) < 16 << 20}
    for n, (_, data) in enumerate(small.items()):
        (archive / "bad").mkdir(exist_ok=True)
        (archive / "bad" / name_of(subject, 100 + n)).write_bytes(data)
    summary = pipeline.import_(archive)
    good = [name for name in small if CASES[name].status == "ingested"]
    assert summary.ingested == 12 + len(good)
    assert len(summary.quarantined) == len(small) - len(good)
    assert all(reason for _, reason in summary.quarantined)
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []
    again = pipeline.import_(archive)  # nothing became worse, and what was quarantined is tried again
    assert (again.ingested, again.known) == (0, summary.ingested)
    assert again.quarantined == summary.quarantined


# --- duplicates ---


def twins(subject: SimRound) -> tuple[str, str]:
    return name_of(subject, 1), name_of(subject, 0)


def test_the_same_bytes_under_another_name_are_known(pipeline: Pipeline, subject: SimRound) -> None:
    earlier, later = twins(subject)
    first = pipeline.put_bytes_and_run(later, gamestats.dump(subject.stats))
    second = pipeline.put_bytes_and_run(earlier, gamestats.dump(subject.stats))
    assert pipeline.file(first)["status"] == "ingested"
    assert (pipeline.file(second)["status"], pipeline.file(second)["reason"]) == ("known", f"the same bytes as {later}")
    assert [row["round_key"] for row in pipeline.rows("select round_key from round")] == [first]


def test_a_copy_becomes_a_round_of_its_own_when_its_original_is_replaced(
    pipeline: Pipeline, subject: SimRound, evening: Evening
) -> None:
    earlier, later = twins(subject)
    first = pipeline.put_bytes_and_run(later, gamestats.dump(subject.stats))
    second = pipeline.put_bytes_and_run(earlier, gamestats.dump(subject.stats))
    pipeline.put_bytes_and_run(later, gamestats.dump(evening.rounds[0].stats))
    assert pipeline.file(second)["status"] == "requested"
    pipeline.list_folder()
    assert pipeline.file(second)["status"] == "ingested"
    assert {row["round_key"] for row in pipeline.rows("select round_key from round")} == {first, second}


def test_the_same_bytes_twice_in_a_batch_count_once(pipeline: Pipeline, subject: SimRound, evening: Evening) -> None:
    write_evening(pipeline.folder, evening)
    keys = [pipeline.put(name, gamestats.dump(subject.stats)) for name in twins(subject)]
    (result,) = pipeline.list_folder()
    assert result.success
    assert [pipeline.file(key)["status"] for key in keys] == ["ingested", "known"]
    assert len(pipeline.rows("select * from round")) == len(evening.rounds) + 1
    again = pipeline.run(keys)
    assert again.success
    assert [pipeline.file(key)["status"] for key in keys] == ["ingested", "known"]


def test_the_same_bad_bytes_twice_in_a_batch_are_both_quarantined(
    pipeline: Pipeline, subject: SimRound, evening: Evening
) -> None:
    write_evening(pipeline.folder, evening)
    data = gamestats.dump(subject.stats).partition(b"\n")[0] + b"\n"
    keys = [pipeline.put(name, data) for name in twins(subject)]
    pipeline.list_folder()
    for key in keys:
        assert (pipeline.file(key)["status"], pipeline.file(key)["reason"][:18]) == (
            "quarantined",
            "only a header line",
        )


def test_a_round_whose_file_became_a_copy_of_another_keeps_its_own_version(
    pipeline: Pipeline, subject: SimRound, evening: Evening
) -> None:
    name, other = twins(subject)
    original = evening.rounds[0].stats
    key = pipeline.put_bytes_and_run(name, gamestats.dump(original))
    pipeline.put_bytes_and_run(other, gamestats.dump(subject.stats))
    pipeline.put_bytes_and_run(name, gamestats.dump(subject.stats))
    row = pipeline.file(key)
    assert row["status"] == "known"
    assert other in row["reason"] and "earlier version" in row["reason"]
    (exported,) = [r for r in pipeline.export()["rounds"] if r["key"] == key]
    assert {p["guid"] for p in exported["players"]} == {line.guid for line in original.players}


# --- changes ---


def test_a_fixed_file_is_ingested_when_it_is_listed_again(pipeline: Pipeline, subject: SimRound) -> None:
    data = gamestats.dump(subject.stats)
    key = pipeline.put_bytes_and_run(name_of(subject, 0), data[:-40])
    assert pipeline.file(key)["status"] == "quarantined"
    pipeline.put_bytes_and_run(name_of_key(key), data)
    assert (pipeline.file(key)["status"], pipeline.file(key)["reason"]) == ("ingested", None)
    assert len(pipeline.page.messages()) == 1
    assert len(pipeline.rows("select * from file_content")) == 2  # the broken bytes are kept as well


def name_of_key(key: str) -> str:
    return key.partition(":")[2] + ".txt"


def test_a_fixed_file_is_ingested_by_another_import(pipeline: Pipeline, subject: SimRound, tmp_path: Path) -> None:
    data = gamestats.dump(subject.stats)
    (tmp_path / "archive").mkdir()
    file = tmp_path / "archive" / name_of(subject, 0)
    file.write_bytes(data[:-40])
    assert len(pipeline.import_(file.parent).quarantined) == 1
    file.write_bytes(data)
    summary = pipeline.import_(file.parent)
    assert (summary.ingested, summary.quarantined) == (1, [])


def test_a_quarantined_file_can_be_run_again_by_hand(
    pipeline: Pipeline, subject: SimRound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an update of the parser: nothing changed on the game server, and the file may be gone from there."""
    from slomix_pipeline.formats.errors import FormatError

    def refuse(data: bytes) -> None:
        raise FormatError("a layout of next year")

    with monkeypatch.context() as patch:
        patch.setattr("slomix_pipeline.stages.parsed_round.accept_stats", refuse)
        key = pipeline.put_bytes_and_run(name_of(subject, 0), gamestats.dump(subject.stats))
    assert pipeline.file(key)["reason"] == "a layout of next year"
    (pipeline.folder / GAMESTATS / name_of_key(key)).unlink()
    assert pipeline.run(key).success
    assert pipeline.file(key)["status"] == "ingested"


def test_a_good_file_replaced_by_a_broken_one_keeps_its_earlier_version(pipeline: Pipeline, subject: SimRound) -> None:
    data = gamestats.dump(subject.stats)
    key = pipeline.put_bytes_and_run(name_of(subject, 0), data)
    before = pipeline.export()
    pipeline.put_bytes_and_run(name_of_key(key), data[:-40])
    row = pipeline.file(key)
    assert row["status"] == "quarantined"
    assert "cut" in row["reason"] and "keeps its earlier version" in row["reason"]
    assert pipeline.export() == before
    pipeline.put_bytes_and_run(name_of_key(key), b"")
    assert pipeline.file(key)["status"] == "quarantined"
    assert "empty file" in pipeline.file(key)["reason"]
    assert pipeline.export() == before
    pipeline.put_bytes_and_run(name_of_key(key), data)
    assert (pipeline.file(key)["status"], pipeline.export()) == ("ingested", before)


def test_a_good_file_replaced_by_another_good_one_says_so(
    pipeline: Pipeline, subject: SimRound, evening: Evening
) -> None:
    key = pipeline.put_bytes_and_run(name_of(subject, 0), gamestats.dump(subject.stats))
    fewer = replace(subject.stats, players=subject.stats.players[:-1])
    pipeline.put_bytes_and_run(name_of_key(key), gamestats.dump(fewer))
    (exported,) = pipeline.export()["rounds"]
    assert len(exported["players"]) == len(fewer.players)
    (check,) = pipeline.rows("select metadata from check_result where check_name = 'transfer'")
    assert "replaces" in check["metadata"]
    assert len(pipeline.page.messages()) == 1


def test_an_import_that_died_between_storing_and_reading_is_made_up_for_by_the_next(
    pipeline: Pipeline, subject: SimRound, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomix_pipeline.actions import import_batches

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "archive").mkdir()
    file = tmp_path / "archive" / name_of(subject, 0)
    file.write_bytes(gamestats.dump(subject.stats))
    pipeline.import_(file.parent)
    fewer = replace(subject.stats, players=subject.stats.players[:-1])
    file.write_bytes(gamestats.dump(fewer))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(import_batches, "run_stages", die)
        pipeline.import_(file.parent)
    pipeline.import_(file.parent)
    (exported,) = pipeline.export()["rounds"]
    assert len(exported["players"]) == len(fewer.players)


# --- clocks, gaps, names ---


def test_a_stamp_in_the_future_is_ingested_with_a_warning(pipeline: Pipeline, subject: SimRound) -> None:
    stamp = datetime.now(UTC) + timedelta(hours=3)
    name = f"{stamp:%Y-%m-%d-%H%M%S}-radar-round-1.txt"
    key = pipeline.put_bytes_and_run(name, gamestats.dump(subject.stats))
    assert pipeline.file(key)["status"] == "ingested"
    (check,) = pipeline.rows("select * from check_result where check_name = 'parse'")
    assert not check["passed"] and check["severity"] == "WARN"
    assert "future" in check["metadata"]["warnings"]


def test_a_name_with_dots_does_not_stop_the_others(pipeline: Pipeline, subject: SimRound, evening: Evening) -> None:
    pipeline.put(name_of(subject, 0).replace("radar", "ra...dar"), gamestats.dump(subject.stats))
    write_evening(pipeline.folder, evening)
    pipeline.list_folder()
    assert len(pipeline.rows("select * from round")) >= len(evening.rounds)


def test_a_file_that_is_gone_before_it_is_fetched_is_quarantined_and_comes_back(
    pipeline: Pipeline, subject: SimRound
) -> None:
    name = name_of(subject, 0)
    key = pipeline.put(name, gamestats.dump(subject.stats))
    outcome = pipeline.tick(seconds=10)
    (pipeline.folder / GAMESTATS / name).unlink()
    pipeline.apply(outcome, "ingest_rounds", raise_on_error=False)
    assert "gone from the game server" in pipeline.file(key)["reason"]
    pipeline.put_bytes_and_run(name, gamestats.dump(subject.stats))
    assert pipeline.file(key)["status"] == "ingested"


def test_a_key_without_any_file_fails_its_run_and_says_why(pipeline: Pipeline) -> None:
    result = pipeline.run("main:2031-01-01-000000-supply-round-1", raise_on_error=False)
    assert failed_checks(result) == [("transfer", dg.AssetCheckSeverity.ERROR)]


def test_a_quarantined_round_two_leaves_its_round_one_standing_and_is_shown(
    pipeline: Pipeline, evening: Evening
) -> None:
    for sim_round in evening.rounds:
        data = gamestats.dump(sim_round.stats)
        pipeline.put(sim_round.stats_name, data[:-9] if sim_round is evening.rounds[1] else data)
    pipeline.list_folder()
    session = pipeline.export()
    assert [m["status"] for m in session["matches"]] == ["r1_only", "complete"]
    assert [r["status"] for r in session["rounds"]] == ["r1_only", "quarantined", "complete", "complete"]


# --- timing records ---

BAD_RECORDS = {
    "empty": (lambda data: b"", "empty file"),
    "cut": (lambda data: data[:-20], "cut"),
    "binary": (lambda data: b"\x00\x01\xff" * 30, "neither JSON nor"),
    "no end": (lambda data: b'{"map": "supply", "round": 1}', "end time"),
    "a list": (lambda data: b"[1, 2]", "neither JSON nor"),
    "too large": (lambda data: data + b" " * (2 << 20), "larger than"),
}  # type: dict[str, tuple[Spoil, str]]
ODD_RECORDS: dict[str, dict[str, object]] = {
    "a pause of ages": {"pause_seconds": 10**11},
    "many pauses": {"pause_count": 10**10, "warmup_seconds": -(10**11)},
    "text that no database takes": {"end_reason": "a\0b\ud800", "a\0b": ["\0"]},
    "numbers that are none": {"duration": float("nan"), "something": float("inf")},
    "a large number": {"something": 10**300},
}


def record_name(n: int) -> str:
    return f"gametime-supply-R1-{int(ENDED.timestamp()) - 600 * n}.json"


def test_bad_timing_records_are_quarantined_and_leave_their_neighbours_alone(
    pipeline: Pipeline, evening: Evening
) -> None:
    good = timing_bytes(evening.rounds[0])
    keys = {name: pipeline.put(record_name(n), spoil(good)) for n, (name, (spoil, _)) in enumerate(BAD_RECORDS.items())}
    write_evening(pipeline.folder, evening)
    pipeline.list_folders()
    for name, key in keys.items():
        row = pipeline.file(key)
        assert (row["status"], BAD_RECORDS[name][1] in row["reason"]) == ("quarantined", True), (name, row["reason"])
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def test_odd_timing_records_end_one_way_or_the_other_and_leave_their_neighbours_alone(
    pipeline: Pipeline, evening: Evening
) -> None:
    keys = []
    for n, odd in enumerate(ODD_RECORDS.values(), start=20):
        record = {"map": "supply", "round": 1, "round_end_unix": int(ENDED.timestamp()) - 600 * n} | odd
        keys.append(pipeline.put(record_name(n), json.dumps(record).encode()))
    keys.append(pipeline.put(record_name(40), b'{"map": "supply", "x": ' + b"[" * 900 + b"]" * 900 + b"}"))
    write_evening(pipeline.folder, evening)
    pipeline.list_folders()
    for key in keys:
        row = pipeline.file(key)
        assert row["status"] == "ingested" or (row["status"] == "quarantined" and row["reason"]), key
    assert differences(as_exported(pipeline.export()), as_played(evening)) == []


def test_a_fixed_timing_record_is_linked(pipeline: Pipeline, evening: Evening) -> None:
    write_evening(pipeline.folder, evening)
    first = evening.rounds[0]
    pipeline.put(first.timing_name, timing_bytes(first)[:-9])
    pipeline.list_folders()
    assert pipeline.export()["rounds"][0]["timing_status"] == "NO LUA DATA"
    pipeline.put(first.timing_name, timing_bytes(first))
    pipeline.list_folder(GAMETIMES)
    pipeline.run(round_key(first))
    assert pipeline.export()["rounds"][0]["timing_status"] != "NO LUA DATA"
