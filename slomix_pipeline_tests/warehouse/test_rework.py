"""Every cause of rework: what brings it about, that it is found by its name alone, and for whom it is asked."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.filenames import FileKind, gametime_file_name, parse_file_name, stats_file_name
from slomix_pipeline.gameserver.source import RemoteFile
from slomix_pipeline.rules.overrides import CUT, DOES_NOT_COUNT, OverrideKind
from slomix_pipeline.rules.team_names import KnownTeam
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline.settings import load_settings, project_folder
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.stages.common import perform
from slomix_pipeline.stages.round_stats import round_stats
from slomix_pipeline.warehouse import due, files, overrides, teams, timing_records, unfinished
from slomix_pipeline.warehouse.rework import Stale, stale_rounds
from slomix_pipeline.warehouse.rework_causes import COMPARING, Cause
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key

Conn = Connection[DictRow]


@pytest.fixture
def evening(pipeline: Pipeline) -> Evening:
    """One match, told: round 1 has a timing record, round 2 has none, and neither has awards."""
    played = play_evening(71, maps=1, ends_at=just_now())
    pipeline.put(played.rounds[0].timing_name, timing_bytes(played.rounds[0]))
    for sim_round in played.rounds:
        pipeline.put_stats(sim_round)
    pipeline.take_in_all()
    assert pipeline.stale() == []
    return played


def asked(conn: Conn, pipeline: Pipeline, among: list[str] | None = None) -> dict[str, tuple[Cause, ...]]:
    settings = load_settings(discord_webhook=pipeline.page.webhook_url)
    return {stale.round_key: stale.causes for stale in stale_rounds(conn, settings, among=among)}


def enter_record(conn: Conn, evening: Evening, number: int, after: timedelta, stored: str = "now()") -> str:
    """Stores a timing record of a round that ended so long after its stats file was written. Returns its key."""
    sim_round = evening.rounds[number - 1]
    ended_at = sim_round.stamp + after
    record = replace(sim_round.timing, started_at=None, ended_at=ended_at)
    name = gametime_file_name(record.map_name, number, int(ended_at.timestamp()))
    row = find(conn, name, gametimes.dump(record))
    timing_records.store_records(conn, [(row, record)])
    conn.execute(f"update timing_record set stored_at = {stored} where record_key = %s", [row.partition_key])
    return str(row.partition_key)


def enter_endstats(conn: Conn, evening: Evening, number: int, stamp: datetime) -> str:
    """An endstats file is seen. Returns its key."""
    name = stats_file_name(stamp, evening.rounds[0].map_name, number).replace(".txt", "-endstats.txt")
    return str(find(conn, name, b"x").partition_key)


def find(conn: Conn, name: str, data: bytes) -> files.FileRow:
    """A file is found on the game server."""
    return files.note_found(conn, SERVER, RemoteFile(name, len(data), 1_772_658_309), parse_file_name(name), data)


def decide(conn: Conn, kind: OverrideKind, key: str, value: str) -> None:
    overrides.add(conn, kind, SERVER, key, value, reason="seen on the demo", made_by="ref")


Situation = Callable[[Conn, Evening, str, str], object]
"""What happens to an evening, given the keys of its rounds 1 and 2."""

OF_ROUND_1: dict[Cause, Situation] = {
    Cause.FILE_REPLACED: lambda conn, evening, first, second: files.keep_bytes(
        conn, {files.files_of(conn, FileKind.STATS, [first])[first]: b"other"}
    ),
    Cause.OTHER_RULES: lambda conn, evening, first, second: conn.execute(
        "update round set rules = 'of long ago' where round_key = %s", [first]
    ),
    Cause.RECORD_REPLACED: lambda conn, evening, first, second: conn.execute(
        "update timing_record set stored_at = now()"
    ),
    Cause.RECORD_NOT_USED: lambda conn, evening, first, second: conn.execute(
        "update round set placed_with = null where round_key = %s", [first]
    ),
    Cause.WITNESS_LATE: lambda conn, evening, first, second: (
        conn.execute("update round set status = 'superseded' where round_key = %s", [first]),
        enter_endstats(conn, evening, 2, evening.rounds[0].stamp + timedelta(minutes=2)),
    ),
    Cause.TEAMS_RENAMED: lambda conn, evening, first, second: teams.remember_team(
        conn, KnownTeam("Night Owls", None, frozenset(evening.team_b))
    ),
    Cause.NOT_COMPARED: lambda conn, evening, first, second: due.note_results(
        conn, [f"{SERVER}:{evening.rounds[0].stem[:17]}"]
    ),
}
OF_ROUND_2: dict[Cause, Situation] = {
    Cause.INCOMPLETE: lambda conn, evening, first, second: conn.execute(
        "delete from session_round where round_key = %s", [second]
    ),
    Cause.PARSED_SINCE: lambda conn, evening, first, second: conn.execute(
        "update parsed_round set parsed_at = now() where round_key = %s", [second]
    ),
    Cause.NOT_SCORED: lambda conn, evening, first, second: conn.execute(
        """with worked as (update round set rules_at = now() where round_key = %s returning round_key)
           update session set worked_at = now()
           where session_key in (select session_key from session_round join worked using (round_key))""",
        [second],
    ),
    Cause.RUN_ENDED_EARLY: lambda conn, evening, first, second: unfinished.note_begun(
        conn, [second], [unfinished.Stage.ROUND_AWARDS]
    ),
    Cause.RECORD_LATE: lambda conn, evening, first, second: enter_record(conn, evening, 2, timedelta(seconds=-4)),
    Cause.RECORD_TAKEN: lambda conn, evening, first, second: conn.execute(
        "update round_timing set timed_at = 'epoch' where round_key = %s", [second]
    ),
    Cause.RECORD_UNREADABLE: lambda conn, evening, first, second: files.finish(
        conn,
        find(
            conn,
            gametime_file_name(evening.rounds[1].map_name, 2, int(evening.rounds[1].stamp.timestamp()) - 4),
            b"{",
        ),
        FileStatus.QUARANTINED,
        "cut",
    ),
    Cause.RECORD_UNEXPLAINED: lambda conn, evening, first, second: enter_record(
        conn, evening, 2, timedelta(minutes=20), "now() - interval '6 minutes'"
    ),
    Cause.HOUR_TOLD: lambda conn, evening, first, second: (
        conn.execute("update parsed_round set stamp_ambiguous = true where round_key = %s", [second]),
        enter_record(conn, evening, 2, timedelta(hours=1)),
    ),
    Cause.ENDSTATS_LATE: lambda conn, evening, first, second: enter_endstats(
        conn, evening, 2, evening.rounds[1].stamp + timedelta(seconds=2)
    ),
    Cause.DECISION: lambda conn, evening, first, second: decide(conn, OverrideKind.ROUND, second, DOES_NOT_COUNT),
}


def test_every_cause_is_found_by_its_name_and_by_no_other(pipeline: Pipeline, evening: Evening) -> None:
    first, second = map(round_key, evening.rounds)
    found, expected = {}, {}
    for key, situations in ((first, OF_ROUND_1), (second, OF_ROUND_2)):
        for cause, situation in situations.items():
            with pipeline.database.connect() as conn, conn.transaction(force_rollback=True):
                situation(conn, evening, first, second)
                found[cause] = asked(conn, pipeline)
            expected[cause] = {key: (cause,)}
    assert found == expected
    assert set(found) == set(Cause)
    assert pipeline.stale() == []


def test_a_round_with_several_causes_names_them_all_in_one_order_with_the_newest_time(
    pipeline: Pipeline, evening: Evening
) -> None:
    first, second = map(round_key, evening.rounds)
    with pipeline.database.connect() as conn, conn.transaction(force_rollback=True):
        for cause in (Cause.DECISION, Cause.RUN_ENDED_EARLY, Cause.INCOMPLETE):
            OF_ROUND_2[cause](conn, evening, first, second)
        (stale,) = stale_rounds(conn, load_settings(discord_webhook=pipeline.page.webhook_url))
        decided = conn.execute("select made_at from override").fetchone()
    assert decided is not None
    assert stale == Stale(second, (Cause.INCOMPLETE, Cause.RUN_ENDED_EARLY, Cause.DECISION), decided["made_at"])


def test_who_brings_a_record_an_endstats_file_or_a_decision_is_told_the_rounds_that_it_concerns(
    pipeline: Pipeline, evening: Evening
) -> None:
    first, second = map(round_key, evening.rounds)
    with pipeline.database.connect() as conn, conn.transaction(force_rollback=True):
        record = enter_record(conn, evening, 2, timedelta(seconds=-4))
        awards = enter_endstats(conn, evening, 1, evening.rounds[0].stamp)
        assert asked(conn, pipeline, [record]) == {second: (Cause.RECORD_LATE,)}
        assert asked(conn, pipeline, [awards]) == {first: (Cause.ENDSTATS_LATE,)}
        assert asked(conn, pipeline, [second]) == {second: (Cause.RECORD_LATE,)}
        assert asked(conn, pipeline, ["main:another"]) == {}


def test_a_decision_about_a_boundary_concerns_the_session_before_too(pipeline: Pipeline, evening: Evening) -> None:
    first, second = map(round_key, evening.rounds)
    with pipeline.database.connect() as conn, conn.transaction(force_rollback=True):
        decide(conn, OverrideKind.SESSION, second, CUT)
        assert asked(conn, pipeline, [second]) == {first: (Cause.DECISION,), second: (Cause.DECISION,)}
        assert asked(conn, pipeline, [first]) == {first: (Cause.DECISION,)}


def test_the_admins_page_lists_every_cause_in_its_order() -> None:
    page = (project_folder() / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z ]+)`( \*)? \|", page.partition("slomix/cause")[2].partition("\n## ")[0], re.M)
    assert [(cause.value, " *" if cause in COMPARING else "") for cause in Cause] == listed


def test_rounds_worked_out_by_a_run_of_that_stage_alone_are_scored_too(pipeline: Pipeline, evening: Evening) -> None:
    first, second = map(round_key, evening.rounds)
    perform(round_stats, [second], pipeline.tools())
    assert pipeline.causes() == {first: (Cause.NOT_SCORED,), second: (Cause.NOT_SCORED,)}
    pipeline.work(pipeline.stale())
    assert pipeline.stale() == []
