"""Records: the highest that a checked round holds, with its file; who came first keeps it."""

from typing import Any

import pytest

from slomix_pipeline.rules import laws
from slomix_pipeline.rules.records import LEAST_SECONDS, LEAST_SHOTS, PLACES, RecordKind, RecordLevel
from slomix_pipeline.warehouse.check_results import CheckName
from slomix_pipeline.warehouse.records import RecordSeen, bests, personal_bests_of, records
from slomix_pipeline_tests.building import at
from slomix_pipeline_tests.warehouse.checked_rounds import CHECKED, COUNTS, attacked, checked
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

KINDS_OF_ROUNDS = [kind for level, kind in PLACES if level is RecordLevel.ROUND]


def held(played: Played, kind: RecordKind, level: RecordLevel = RecordLevel.ROUND, **only: Any) -> RecordSeen | None:
    return next((own for own in records(played.conn, **only) if own.kind is kind and own.level is level), None)


def test_a_record_is_told_with_its_holder_its_round_and_its_file(played: Played) -> None:
    checked(played, {"guid": ADA, "name": "Ada", "kills": 20})
    key = checked(played, {"guid": BOB, "name": "Bob", "kills": 31}, match=2)
    record = held(played, RecordKind.KILLS)
    assert record is not None
    assert (record.value, record.guids, record.holders, record.map) == (31, (BOB,), ("Bob",), "supply")
    assert (record.round_key, record.match_key, record.session_key, record.ended_at) == (key, key, "main:s1", at(20))
    assert (record.file, record.sha256, record.equalled) == (key, "0" * 64, 0)


def test_who_reached_it_first_holds_it_and_later_ones_equalled_it(played: Played) -> None:
    checked(played, {"guid": BOB, "kills": 20}, minutes=30)
    checked(played, {"guid": ADA, "kills": 20}, match=2, minutes=10)
    record = held(played, RecordKind.KILLS)
    assert record is not None and (record.guids, record.equalled) == ((ADA,), 1)


@pytest.mark.parametrize("failed", CHECKED)
def test_a_round_whose_checks_did_not_pass_is_under_review_and_in_no_book(played: Played, failed: CheckName) -> None:
    checked(played, {"guid": ADA, "kills": 99}, failed=failed)
    checked(played, {"guid": BOB, "kills": 5}, match=2)
    for level in (RecordLevel.ROUND, RecordLevel.MATCH):
        record = held(played, RecordKind.KILLS, level)
        assert record is not None and record.guids == (BOB,)
    assert held(played, RecordKind.KILLS, RecordLevel.SESSION) is not None  # Bob's: Ada's night is under review


def test_a_round_that_no_check_looked_at_or_that_does_not_count_holds_no_record(played: Played) -> None:
    played.round({"guid": ADA, "kills": 99})
    checked(played, {"guid": ADA, "kills": 98}, match=2, invalid="bots took part")
    checked(played, {"guid": ADA, "kills": 97, "flags": ["cumulative"]}, match=3)
    assert records(played.conn) == []


@pytest.mark.parametrize(
    ("unknown", "number", "kinds"),
    [
        (laws.KILLS, "kills", [RecordKind.KILLS, RecordKind.KILLS_PER_MINUTE]),
        (laws.DAMAGE, "damage_given", [RecordKind.DAMAGE_GIVEN, RecordKind.DPM]),
    ],
)
def test_a_law_that_could_not_be_checked_lets_its_numbers_be_no_record(
    played: Played, unknown: str, number: str, kinds: list[RecordKind]
) -> None:
    line = {"kills": 9, "damage_given": 900, "seconds_played": 600}
    checked(played, {"guid": ADA} | line | {number: 999}, unknown=unknown)
    checked(played, {"guid": BOB} | line | {"kills": 5, "damage_given": 500} | {number: 4}, match=2)
    for record in records(played.conn):
        assert record.guids == ((BOB,) if record.kind in kinds else (ADA,)), record
    assert {own.kind for own in bests(played.conn, [ADA])}.isdisjoint(kinds)


def test_a_number_over_a_time_that_nobody_knows_was_held_against_no_bound(played: Played) -> None:
    checked(played, {"guid": ADA, "kills": 99, "gibs": 99, "seconds_played": None})
    assert records(played.conn) == []


def test_rates_need_a_sample(played: Played) -> None:
    short = {"guid": ADA, "kills": 5, "damage_given": 900, "seconds_played": LEAST_SECONDS - 1}
    aimed = {"hits": 4, "shots": LEAST_SHOTS - 1}
    checked(played, short | aimed)
    assert held(played, RecordKind.DPM) is held(played, RecordKind.AIMED_ACCURACY) is None
    checked(played, short | {"seconds_played": LEAST_SECONDS} | aimed | {"shots": LEAST_SHOTS}, match=2)
    dpm, accuracy = held(played, RecordKind.DPM), held(played, RecordKind.AIMED_ACCURACY)
    assert dpm is not None and dpm.value == 300
    assert accuracy is not None and accuracy.value == 4


def test_of_one_chain_of_kills_in_a_round_there_is_no_record(played: Played) -> None:
    checked(played, {"guid": ADA, "multikills_4": 1, "multikills_2": 2}, {"guid": BOB, "multikills_2": 3})
    assert held(played, RecordKind.MULTIKILLS_4) is None
    record = held(played, RecordKind.MULTIKILLS_2)
    assert record is not None and (record.value, record.guids) == (3, (BOB,))


def test_matches_and_sessions_have_records_of_their_sums(played: Played) -> None:
    checked(played, {"guid": ADA, "kills": 20})
    last = checked(played, {"guid": ADA, "kills": 10}, number=2)
    checked(played, {"guid": ADA, "kills": 25}, match=2, session=2, map_name="te_escape2")
    match, session = (held(played, RecordKind.KILLS, level) for level in (RecordLevel.MATCH, RecordLevel.SESSION))
    assert match is not None and (match.value, match.match_key, match.round_key) == (30, "main:r1", last)
    assert session is not None and (session.value, session.session_key, session.map) == (30, "main:s1", None)
    of_map = held(played, RecordKind.KILLS, RecordLevel.MATCH, map_name="te_escape2")
    assert of_map is not None and of_map.value == 25
    assert held(played, RecordKind.KILLS, RecordLevel.SESSION, map_name="te_escape2") is None


def test_denied_playtime_of_older_files_is_no_record(played: Played) -> None:
    old = checked(played, {"guid": ADA, "denied_playtime": 5838})
    played.conn.execute("update parsed_round set tail_fields = 36 where round_key = %s", [old])
    checked(played, {"guid": BOB, "denied_playtime": 90}, match=2)
    record = held(played, RecordKind.DENIED_PLAYTIME)
    assert record is not None and record.value == 90


def test_every_kind_has_a_record_and_a_players_best(played: Played) -> None:
    counts = dict.fromkeys(COUNTS, 9)
    checked(played, {"guid": ADA, "seconds_played": 300, "hits": 40, "shots": 120} | counts)
    assert [(own.level, own.kind) for own in records(played.conn)] == list(PLACES)
    assert [own.kind for own in bests(played.conn, [ADA])] == KINDS_OF_ROUNDS


def test_nothing_is_no_record(played: Played) -> None:
    checked(played, {"guid": ADA, "kills": 0, "gibs": 0})
    assert records(played.conn) == []


def test_who_wishes_not_to_be_named_holds_no_record_and_takes_it_from_nobody(played: Played) -> None:
    checked(played, {"guid": ADA, "kills": 31}, {"guid": BOB, "kills": 20})
    played.decided("hide", ADA, name="Player 3F2A")
    record = held(played, RecordKind.KILLS)
    assert record is not None and (record.guids, record.value, record.equalled) == ((BOB,), 20, 0)


def test_a_players_bests_are_his_own(played: Played) -> None:
    checked(played, {"guid": ADA, "kills": 20, "gibs": 4}, {"guid": BOB, "kills": 31})
    assert [(own.kind, own.value) for own in bests(played.conn, [ADA])] == [
        (RecordKind.KILLS, 20),
        (RecordKind.GIBS, 4),
    ]


def test_a_session_tells_the_personal_bests_of_who_has_a_history(played: Played) -> None:
    for night in range(1, 6):
        checked(played, {"guid": ADA, "name": "Ada", "kills": 10 + night}, match=night, session=night)
    for player in ({"guid": ADA, "name": "Ada", "kills": 30}, {"guid": BOB, "kills": 90}):
        checked(played, player, match=6, session=6)
    for night in range(1, 7):
        played.conn.execute(
            "update session set started_at = %s where session_key = %s", [at(1000 * night), f"main:s{night}"]
        )
    (found,) = personal_bests_of(played.conn, "main:s6")
    assert (found.best.name, found.best.kind, found.best.value) == ("Ada", RecordKind.KILLS, 30)
    assert (found.old.value, found.stood, found.nights_before) == (15, 1, 5)
    assert personal_bests_of(played.conn, "main:s5") == []


def test_the_fastest_attack_of_a_map_is_its_teams_and_a_first_deed_once_there_were_others(played: Played) -> None:
    for _ in range(10):
        attacked(played, 300)
    attacked(played, 200, failed=CheckName.PLAUSIBILITY)
    feat = attacked(played, 250)
    attacked(played, 250)
    record = held(played, RecordKind.ATTACK)
    assert record is not None
    assert (record.value, record.guids, record.round_key, record.equalled) == (250, (ADA,), feat, 1)
    told = played.rows("select match_key, team, seconds, best_before from fastest_attack")
    assert told == [{"match_key": feat, "team": "A", "seconds": 250, "best_before": 300}]
    deeds = played.rows("select team, round_key from attack_deed where deed = 'map_record'")
    assert deeds == [{"team": "A", "round_key": feat}]


def test_the_fastest_attack_stands_without_names_when_its_whole_team_is_hidden(played: Played) -> None:
    feat = attacked(played, 250)
    played.decided("hide", ADA, name="Player 3F2A")
    record = held(played, RecordKind.ATTACK)
    assert record is not None
    assert (record.value, record.guids, record.holders, record.round_key) == (250, (), (), feat)


def test_the_checks_that_records_go_by_are_checks_that_there_are(played: Played) -> None:
    (row,) = played.rows("select pg_get_viewdef('round_checked') as text")
    assert all(f"'{text}'" in row["text"] for text in (*CHECKED, laws.KILLS, laws.DAMAGE, laws.UNKNOWN))
    no_sum = laws.lobby_laws([])
    assert {laws.KILLS, laws.DAMAGE} < {finding.law for finding in no_sum}
