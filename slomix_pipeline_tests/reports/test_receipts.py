"""``slomix explain``: what is said of a number is what the file, the rules and the database say."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import STAMP_FORMAT, stats_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR, PlayerLine, StatsFile, WeaponCounts
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.reports.player_receipts import line_in
from slomix_pipeline.rules.stats_files import parse_stats
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.building import lobby, make_line, make_stats
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key

ADA, BOB, CYD, DAN, EVE = "ADA00001", "BOB00002", "CYD00003", "DAN00004", "EVE00005"
EVERYBODY = (ADA, BOB, CYD, DAN)

FIRST = make_stats(
    make_line(ADA, AXIS, 0, 6, 3, 60, 200, 7, damage_given=1100, minutes_played=8.0, alive_percent=80.0),
    make_line(BOB, AXIS, 0, 4, 5, 40, 150, 3, damage_given=800, minutes_played=8.0, alive_percent=70.0),
    make_line(CYD, ALLIES, 0, 5, 4, 50, 170, 4, damage_given=900, minutes_played=8.0, alive_percent=75.0),
    make_line(DAN, ALLIES, 0, 3, 6, 30, 140, 2, damage_given=600, minutes_played=8.0, alive_percent=65.0),
)
SECOND = make_stats(
    make_line(
        ADA,
        ALLIES,
        1,
        10,
        7,
        95,
        330,
        9,
        damage_given=1900,
        minutes_played=14.0,
        alive_percent=78.0,
        minutes_dead=1.2,
        xp=31,
    ),
    make_line(
        BOB, ALLIES, 1, 7, 2, 30, 100, 2, damage_given=500, minutes_played=3.0, alive_percent=90.0, minutes_dead=0.3
    ),
    make_line(CYD, SPECTATOR, 1, 5, 4, 50, 170, 4, damage_given=900, minutes_played=8.0, alive_percent=75.0),
    make_line(
        DAN, AXIS, 1, 6, 9, 70, 260, 5, damage_given=1400, minutes_played=14.0, alive_percent=61.0, minutes_dead=50.0
    ),
    make_line(
        EVE, AXIS, 0, 1, 2, 12, 60, 1, damage_given=200, minutes_played=2.0, alive_percent=50.0, minutes_dead=1.0
    ),
    number=2,
    limit="8:00",
    attack_time="6:00",
)


def put(pipeline: Pipeline, minutes_ago: float, number: int, stats: StatsFile | bytes, map_name: str = "supply") -> str:
    """A stats file on the game server; returns its round's key."""
    stamp = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    data = stats if isinstance(stats, bytes) else gamestats.dump(stats)
    return pipeline.put(stats_file_name(stamp, map_name, number), data)


@pytest.fixture
def match(pipeline: Pipeline) -> tuple[str, str]:
    """The keys of a match's rounds. In round 2 Bob has reconnected, Cyd looks on, Eve is new and Dan's file has him
    dead for longer than he was there."""
    keys = put(pipeline, 40, 1, FIRST), put(pipeline, 30, 2, SECOND)
    pipeline.take_in()
    return keys


def receipt(pipeline: Pipeline, *arguments: str) -> dict[str, Any]:
    done = pipeline.slomix("explain", *arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == "slomix.receipt/1"
    return found


def field(player: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (f for f in player["fields"] if f["field"] == name)
    assert isinstance(found, dict)
    return found


# --- a player's numbers ---


def test_a_number_is_followed_from_both_files_lines_to_what_is_stored(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    found = receipt(pipeline, match[1], "--player", ADA)
    player = found["player"]
    lines = gamestats.dump(SECOND).decode().splitlines()
    assert player["line"] == {"file": f"{match[1].partition(':')[2]}.txt", "number": 2, "text": lines[1]}
    assert player["round_1_line"]["text"] == gamestats.dump(FIRST).decode().splitlines()[1]
    kills = field(player, "kills")
    assert (kills["round_1"], kills["file"], kills["own"]) == (6, 10, 4)
    assert (kills["policy"], kills["how"]) == ("cumulative", "10 - 6 = 4")
    assert (field(player, "xp")["policy"], field(player, "xp")["own"]) == ("this round", 31)
    (mp40,) = player["weapons"]
    assert (mp40["round_1"]["shots"], mp40["file"]["shots"], mp40["own"]["shots"]) == (200, 330, 130)
    assert (player["side"], player["side_in_round_1"]) == ("Allies", "Axis")
    assert found["differs_from_rules"] == []


def test_every_sum_written_out_gives_the_number_that_is_stored(pipeline: Pipeline, match: tuple[str, str]) -> None:
    for guid in (ADA, BOB, DAN, EVE):
        player = receipt(pipeline, match[1], "--player", guid)["player"]
        assert {f["field"] for f in player["fields"]} > set(TAIL_FIELDS)
        assert sum(worked_out(entry) for entry in player["fields"]) > len(TAIL_FIELDS)


def worked_out(entry: dict[str, Any]) -> bool:
    """Works a field's sum out as it is written; False where none is."""
    how = entry["how"]
    if found := re.fullmatch(r"(\S+) - (\S+)( min)? = (\S+)(?: s)?", how):
        assert (float(found[1]) - float(found[2])) * (60 if found[3] else 1) == pytest.approx(float(found[4]))
        assert float(found[4]) == entry["own"]
    elif " / " in how:
        formula = how.removesuffix(", within 0 to 100").replace("x", "*")
        assert re.fullmatch(r"[\d.()*/ -]+", formula)
        assert eval(formula) == pytest.approx(entry["own"], abs=0.05)
    elif how == "as it is":
        assert entry["own"] == entry["file"]
    else:
        return False
    return True


def test_it_says_which_counters_told_that_somebody_reconnected(pipeline: Pipeline, match: tuple[str, str]) -> None:
    player = receipt(pipeline, match[1], "--player", BOB)["player"]
    assert player["made"] == "restarted" and player["flags"] == ["counter_reset"]
    assert "minutes_played fell from 8 to 3" in player["signs"]
    assert (field(player, "kills")["own"], field(player, "kills")["how"]) == (7, "as it is")
    assert "minutes_played fell from 8 to 3" in pipeline.slomix("explain", match[1], "--player", BOB).output


def test_who_looked_on_who_is_new_and_who_was_dead_too_long_is_told(pipeline: Pipeline, match: tuple[str, str]) -> None:
    found = receipt(pipeline, match[1], "--player", DAN)
    made = {player["guid"]: player["made"] for player in found["players"]}
    assert made == {ADA: "difference", BOB: "restarted", CYD: "absent", DAN: "difference", EVE: "joined"}
    dead = field(found["player"], "minutes_dead")
    assert (dead["own"], dead["how"]) == (360, "50 min = 3000 s, capped at the 360 s he was there")
    assert field(receipt(pipeline, match[1], "--player", CYD)["player"], "kills")["own"] is None
    text = pipeline.slomix("explain", match[1]).output
    assert "dead_time_capped" in text and "3000 s, capped at 360 s" in text and "sat out" in text


PLAYER_KEYS = """guid name team side flags has_entry line made signs sha256 first_file_name first_sha256 seconds_played
seconds_dead seconds_dead_raw file_minutes_played first_minutes_played kills file_kills first_kills
deaths file_deaths first_deaths damage_given file_damage_given first_damage_given damage_received file_damage_received
first_damage_received"""


def test_the_columns_of_the_view_are_the_names_in_a_receipt(pipeline: Pipeline, match: tuple[str, str]) -> None:
    for player in receipt(pipeline, match[1])["players"]:
        assert set(player) == set(PLAYER_KEYS.split())


def test_numbers_of_an_orphan_are_unknown_with_the_reason(pipeline: Pipeline) -> None:
    key = put(pipeline, 30, 2, SECOND)
    pipeline.take_in()
    player = receipt(pipeline, key, "--player", ADA)["player"]
    assert player["made"] == "orphan"
    assert (field(player, "kills")["own"], field(player, "kills")["how"]) == (
        None,
        "unknown: holds more than this round",
    )
    assert field(player, "xp")["own"] == 31


def test_a_guid_may_be_shortened_and_an_unknown_one_lists_who_was_there(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    assert receipt(pipeline, match[1], "--player", "ada0")["player"]["guid"] == ADA
    for unknown in ("FFFF0000", "ADA"):
        done = pipeline.slomix("explain", match[1], "--player", unknown)
        assert (done.exit_code, done.stdout) == (2, "")
        assert all(f"{guid} ({guid.title()})" in done.stderr for guid in (*EVERYBODY, EVE))


def test_bots_that_share_a_guid_are_found_on_their_own_lines() -> None:
    weapons = {"mp40": WeaponCounts(5, 9, 1, 1, 0)}
    bots = [make_line("OMNIBOT0", AXIS, weapons=weapons, name=f"[BOT]{name}") for name in ("Zed", "Abe")]
    data = gamestats.dump(make_stats(make_line(ADA), *bots))
    found = {line.clean_name: line_in(data, line) for line in parse_stats(data).players}
    assert {name: number for name, (number, _) in found.items()} == {"Ada00001": 2, "[BOT]Zed": 3, "[BOT]Abe": 4}
    assert all(name in text for name, (_, text) in found.items())


# --- a round ---


def test_a_receipt_of_a_pair_shows_what_speaks_for_it(pipeline: Pipeline, match: tuple[str, str]) -> None:
    found = receipt(pipeline, match[1])
    pairing = found["pairing"]
    assert (pairing["partner"], pairing["gap_seconds"] // 60) == (match[0], 10)
    assert [(law["law"], law["holds"], law["numbers"]) for law in pairing["laws"]] == [
        ("limit of round 2 = time of round 1", True, "8:00 and 8:00"),
        ("shared players swap sides", True, "3 of 3 shared players"),
        ("rounds go up by one", True, "4 of 4 shared players"),
    ]
    assert receipt(pipeline, match[0])["pairing"] == pairing | {"partner": match[1]}
    text = pipeline.slomix("explain", match[1]).output
    assert "limit of round 2 = time of round 1: yes, 8:00 and 8:00" in text
    assert "shared players swap sides: yes, 3 of 3 shared players" in text


def test_a_receipt_holds_file_header_length_match_and_every_check(pipeline: Pipeline, match: tuple[str, str]) -> None:
    found = receipt(pipeline, match[1])
    stored = pipeline.file(match[1])
    assert found["file"]["sha256"] == stored["sha256"] == found["file"]["read_sha256"]
    assert (found["file"]["generation"], found["file"]["line_ends"]) == ("8 header fields, 38 tail fields", "LF")
    assert found["header"]["as_read"]["attackers_won"] is True
    assert (found["duration"]["seconds"], found["duration"]["source"]) == (360, "attack_time")
    assert [(s["source"], s["why"]) for s in found["duration"]["sources"]][:2] == [
        ("attack_time", "used"),
        ("measured", "not there"),
    ]
    assert (found["match"]["winner"], found["match"]["key"]) == ("A", match[0])
    checks = pipeline.rows("select check_name, metadata from check_result where partition_key = %s", match[1])
    assert {c["name"]: c["facts"] for c in found["checks"]} == {c["check_name"]: c["metadata"] for c in checks}
    text = pipeline.slomix("explain", match[1]).output
    for expected in (stored["sha256"], "LF", "the attackers won", "seven_comparisons", match[0], "counts   yes"):
        assert expected in text


def test_a_linked_timing_record_is_shown_with_its_distance(pipeline: Pipeline) -> None:
    evening = play_evening(6, maps=1, ends_at=datetime.now(UTC) - timedelta(minutes=2))
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    timing = receipt(pipeline, round_key(evening.rounds[0]))["timing"]
    assert (timing["link_class"], timing["candidate"]) == ("exact_end", None)
    off = evening.rounds[0].stamp - evening.rounds[0].ended_at
    assert timing["stamp_minus_record_end"] == pytest.approx(off.total_seconds(), abs=1)
    assert "linked: " in pipeline.slomix("explain", round_key(evening.rounds[0])).output


def test_states_come_with_reason_and_age(pipeline: Pipeline) -> None:
    orphan = put(pipeline, 300, 2, SECOND, "radar")
    started = make_stats(*lobby(names=EVERYBODY), number=2, limit="12:00", attack_time="71:05")
    aborted = put(pipeline, 200, 2, started, "goldrush")
    replayed = put(pipeline, 60, 1, make_stats(*lobby(names=EVERYBODY, kills=1, deaths=1)))
    put(pipeline, 50, 1, FIRST)
    put(pipeline, 40, 2, SECOND)
    pipeline.take_in()
    for key, status, age in (
        (orphan, "r2_only", "5 h"),
        (aborted, "aborted", "3 h"),
        (replayed, "superseded", "60 min"),
    ):
        found, text = receipt(pipeline, key), pipeline.slomix("explain", key).output
        assert found["round"]["status"] == status and found["round"]["reason"] in text
        assert f"{status}, {age} old: " in text and "counts   no: " in text
    assert "its file says round 2, it really was round 1" in pipeline.slomix("explain", aborted).output


def test_files_that_were_never_read_get_a_receipt_too(pipeline: Pipeline) -> None:
    cut = put(pipeline, 30, 1, gamestats.dump(FIRST)[:-40])
    pipeline.take_in()
    found = receipt(pipeline, cut)
    assert found["file"]["status"] == "quarantined" and "cut" in found["file"]["reason"]
    assert "round" not in found and found["file"]["first_line"].startswith("A server\\supply")
    assert [check["name"] for check in found["checks"] if not check["passed"]] == ["parse"]
    assert "quarantined: cut" in pipeline.slomix("explain", cut).output
    done = pipeline.slomix("explain", cut, "--player", ADA)
    assert done.exit_code == 2 and "never read" in done.stderr


def test_a_file_that_was_only_seen_gets_a_receipt(pipeline: Pipeline) -> None:
    key = put(pipeline, 30, 1, FIRST)
    pipeline.tick(seconds=10)
    found = receipt(pipeline, key)
    assert (found["file"]["sha256"], found["checks"]) == (None, [])
    assert "its bytes never came" in pipeline.slomix("explain", key).output


def test_a_round_that_is_read_but_not_worked_out_says_so(pipeline: Pipeline, match: tuple[str, str]) -> None:
    pipeline.facts_hold = False
    with pipeline.database.transaction() as conn:
        conn.execute("delete from round")
    found = receipt(pipeline, match[1])
    assert (found["round"]["status"], found["match"], "players" in found) == (None, None, False)
    assert "pairing  not worked out yet" in pipeline.slomix("explain", match[1]).output
    done = pipeline.slomix("explain", match[1], "--player", ADA)
    assert done.exit_code == 2 and "materialise round_stats" in done.stderr


def test_earlier_versions_of_a_file_are_named(pipeline: Pipeline, match: tuple[str, str]) -> None:
    name, earlier = f"{match[0].partition(':')[2]}.txt", pipeline.file(match[0])["sha256"]
    changed = replace(FIRST, players=(*FIRST.players, make_line("NEW00009", kills=0, shots=3)))
    pipeline.put(name, gamestats.dump(changed))
    pipeline.take_in()
    assert f"took the place of an earlier version, sha256 {earlier}" in pipeline.slomix("explain", match[0]).output
    pipeline.put(name, b"nothing of a stats file\n")
    pipeline.take_in()
    found = receipt(pipeline, match[0])
    assert found["file"]["status"] == "quarantined" and found["file"]["sha256"] != found["file"]["read_sha256"]
    assert (found["file"]["first_line"], found["file"]["generation"]) == ("nothing of a stats file", None)
    assert found["header"]["line"].startswith("A server\\supply") and len(found["players"]) == 5
    assert "all below is of an earlier version" in pipeline.slomix("explain", match[0]).output


def test_a_stored_number_that_the_rules_would_not_make_is_pointed_out(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    pipeline.facts_hold = False
    with pipeline.database.transaction() as conn:
        conn.execute("update round_player set kills = 99 where round_key = %s and guid = %s", [match[1], ADA])
    assert receipt(pipeline, match[1])["differs_from_rules"] == [{"what": f"{ADA} kills", "stored": 99, "now": 4}]
    text = pipeline.slomix("explain", match[1]).output
    assert "materialise round_stats" in text and f"{ADA} kills: stored 99, now 4" in text
    assert receipt(pipeline, match[0])["differs_from_rules"] == []


def test_a_stored_winner_that_the_rules_would_not_make_is_pointed_out(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    pipeline.facts_hold = False
    (won,) = pipeline.rows("select winner from match")
    with pipeline.database.transaction() as conn:
        conn.execute("update match set winner = 'draw'")
    assert receipt(pipeline, match[0])["differs_from_rules"] == [
        {"what": "match_winner", "stored": "draw", "now": won["winner"]}
    ]


def test_a_stored_length_from_elsewhere_is_pointed_out_in_plain_words(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    with pipeline.database.transaction() as conn:
        conn.execute("update round_timing set duration_source = 'players' where round_key = %s", [match[1]])
    text = pipeline.slomix("explain", match[1]).output
    assert "duration: stored (360.0, 'players'), now (360.0, 'attack_time')" in text


def test_names_are_shown_as_they_are(pipeline: Pipeline) -> None:
    named: tuple[PlayerLine, ...] = (replace(FIRST.players[0], name="^1[red]a[/red]|*b*"), *FIRST.players[1:])
    key = put(pipeline, 30, 1, replace(FIRST, players=named))
    pipeline.take_in()
    text = pipeline.slomix("explain", key, "--player", ADA).output
    assert f"{ADA} [red]a[/red]|*b*" in text and r"\^1[red]a[/red]|*b*\0\1" in text


# --- which round is meant ---


def test_a_round_is_found_by_key_stem_file_name_stamp_and_as_the_latest(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    stem = match[1].partition(":")[2]
    for wanted in (match[1], stem, f"{stem}.txt", stem[: len(datetime.now(UTC).strftime(STAMP_FORMAT))], "latest"):
        assert receipt(pipeline, wanted)["key"] == match[1]


def test_what_is_not_there_or_could_be_several_ends_with_exit_code_2(
    pipeline: Pipeline, match: tuple[str, str]
) -> None:
    unknown = pipeline.slomix("explain", "main:1999-01-01-000000-supply-round-1")
    assert (unknown.exit_code, unknown.stdout) == (2, "") and "slomix files" in unknown.stderr
    several = pipeline.slomix("explain", "main:")
    assert (several.exit_code, several.stdout) == (2, "") and all(key in several.stderr for key in match)
