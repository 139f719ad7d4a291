"""The metrics people read, on a few rounds made by hand: formulas, edges, levels, weapons, names; and a real evening.

Belongs here: what the views in ``sql/views`` say. That no view reads past the valid rounds: ``test_valid_rounds_door``.
"""

import re
import shutil
from pathlib import Path

import psycopg
import pytest

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.formats.tail import LAYOUTS, TAIL_FIELDS
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.real_files import FOLDER, TOTALS_2025_10_02
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

# --- formulas ---

FORMULAS = [
    # function, arguments, value
    ("kd", (10, 4), 2.5),
    ("kd", (7, 0), 7),  # without a death the kills themselves
    ("kd", (0, 0), 0),
    ("kd", (None, 0), None),
    ("kd", (7, None), None),
    ("efficiency", (3, 1), 75),
    ("efficiency", (0, 0), None),
    ("efficiency", (3, None), None),
    ("dpm", (1500, 300), 300),  # there for 5 of 10 minutes
    ("dpm", (1500, 0), None),
    ("dpm", (1500, None), None),
    ("dpm", (None, 300), None),
    ("kills_per_minute", (15, 300), 3),
    ("kills_per_minute", (15, 0), None),
    ("frag_potential", (1500, 600, 300), 300),
    ("frag_potential", (1500, 600, 600), None),
    ("frag_potential", (1500, 600, None), None),
    ("alive_dpm", (1500, 300, 120, 600), 300),  # the engine's time wins
    ("alive_dpm", (1500, None, 300, 600), 300),
    ("alive_dpm", (1500, None, None, 600), None),
    ("alive_dpm", (1500, 0, 600, 600), None),
    ("damage_ratio", (300, 200), 1.5),
    ("damage_ratio", (300, 0), None),
    ("accuracy", (1, 3), 100 / 3),
    ("accuracy", (0, 3), 0),
    ("accuracy", (0, 0), None),
    ("accuracy", (2, -1), None),  # more shots taken back than fired in a round
    ("accuracy", (None, None), None),
    ("aimed_accuracy", (1, 4), 25),
    ("headshot_percent", (10, 10), 100),
    ("headshot_percent", (0, 0), None),
    ("headshot_percent", (11, 10), None),  # contradicts itself: never above 100
    ("headshot_kill_percent", (1, 4), 25),
    ("headshot_kill_percent", (5, 4), None),
    ("headshot_kill_percent", (0, 0), None),
    ("useful_kill_percent", (3, 4), 75),
    ("useless_kill_percent", (None, 4), None),
    ("denied_per_minute", (90, 300), 18),
    ("denied_per_minute", (None, 300), None),
    ("multikills", (3, 2, 1, 0, 0), 6),
    ("multikills", (3, 2, None, 0, 0), None),
    ("dead_percent", (150, 600), 25),
    ("dead_percent", (0, 0), None),
    ("survival_percent", (540, 100, 600), 90),  # the engine's share wins
    ("survival_percent", (None, 150, 600), 75),  # what the dead time leaves
    ("survival_percent", (None, None, 600), None),
    ("survival_percent", (0, 0, 0), None),
    ("survival_percent", (601, 0, 600), None),
    ("survival_drift", (540, 120, 600), 10),
    ("survival_drift", (None, 120, 600), None),
    ("survival_disputed", (540, 72, 600), False),  # exactly 2 points
    ("survival_disputed", (540, 73, 600), True),
    ("survival_disputed", (None, 73, 600), None),
    ("per_round", (3, 2), 1.5),
    ("per_round", (None, 2), None),
    ("per_round", (0, 0), None),
]


@pytest.mark.parametrize(("name", "arguments", "value"), FORMULAS)
def test_a_metric_is_what_its_formula_says(
    played: Played, name: str, arguments: tuple[int | None, ...], value: float | None
) -> None:
    marks = ", ".join(["%s::int"] * len(arguments))
    (row,) = played.rows(f"select metric_{name}({marks}) as value", *arguments)
    assert row["value"] == (None if value is None else pytest.approx(value))


def test_every_metric_is_a_column_of_its_own_at_every_level_and_nothing_else_is(played: Played) -> None:
    functions = {
        row["proname"].removeprefix("metric_")
        for row in played.rows("select proname from pg_proc where proname like 'metric\\_%%'")
    } - {"share", "per_round", "impact"}  # the last takes numbers of others too
    assert {name for name, _, _ in FORMULAS} == functions | {"per_round"}

    def columns(view: str) -> set[str]:
        return {column.name for column in played.conn.execute(f"select * from {view}").description or ()}

    per_round = {column for column in columns("player_metric") if column.endswith("_per_round")}
    assert columns("round_player_metric") - columns("round_player_number") == functions
    assert columns("player_metric") - columns("player_sum") == functions | per_round
    assert columns("player_metric") - columns("match_player_metric") == set()
    assert columns("player_metric") - columns("session_player_metric") == set()


def test_every_count_of_a_round_is_summed(played: Played) -> None:
    counts = {
        row["name"]
        for row in played.rows(
            """select column_name as name from information_schema.columns where table_name = 'round_player_number'
               and data_type in ('integer', 'bigint', 'double precision')"""
        )
    } - {"seconds_dead_raw", "alive_percent"}  # uncapped, and a ratio
    numbers = dict.fromkeys(sorted(counts - {"aimed_hits", "aimed_shots", "engine_alive_seconds"}), 3)
    played.round({"guid": ADA, "alive_percent": 100} | numbers)
    played.round({"guid": ADA, "alive_percent": 100} | numbers, session=2)
    sums = played.metric("career", "all")
    longest = {"killing_spree", "death_spree"}
    assert {name: sums[name] for name in counts} == {name: 3 if name in longest else 6 for name in counts}


def test_nothing_is_rounded_before_it_is_shown() -> None:
    texts = [path.read_text("utf-8") for path in (bundled_folder("sql") / "views").glob("*.sql")]
    assert texts
    assert not [text for text in texts if re.search(r"\b(round|trunc|floor|ceil|to_char)\s*\(", text)]


# --- several rounds ---


def test_ratios_of_several_rounds_are_sum_by_sum_not_a_mean_of_ratios(played: Played) -> None:
    played.round(
        {"guid": ADA, "kills": 9, "deaths": 1, "damage_given": 3000, "seconds_played": 600, "hits": 90, "shots": 100}
    )
    played.round(
        {"guid": ADA, "kills": 0, "deaths": 8, "damage_given": 100, "seconds_played": 60, "hits": 1, "shots": 300},
        number=2,
    )
    row = played.metric("match", "main:r1")
    assert (row["kd"], row["dpm"]) == (pytest.approx(1.0), pytest.approx(3100 * 60 / 660))
    assert (row["accuracy"], row["efficiency"]) == (pytest.approx(9100 / 400), pytest.approx(50))
    assert (row["kills_per_round"], row["damage_per_round"]) == (4.5, 1550)


def test_dpm_goes_by_the_time_the_player_was_there(played: Played) -> None:
    key = played.round(
        {"guid": ADA, "damage_given": 1500, "seconds_played": 300},
        {"guid": BOB, "damage_given": 1500, "seconds_played": 600},
    )
    assert [played.metric("round", key, guid)["dpm"] for guid in (ADA, BOB)] == [300, 150]


def test_dead_time_is_capped_per_round_and_then_summed(played: Played) -> None:
    capped = {"guid": ADA, "seconds_played": 510, "seconds_dead": 510, "seconds_dead_raw": 13242}
    played.round(capped)
    played.round({"guid": ADA, "seconds_played": 600, "seconds_dead": 60, "seconds_dead_raw": 60}, number=2)
    row = played.metric("match", "main:r1")
    assert (row["seconds_dead"], row["dead_percent"]) == (570, pytest.approx(57000 / 1110))
    with pytest.raises(psycopg.errors.CheckViolation):
        played.round(capped | {"seconds_dead": 511})


def test_survival_weighs_the_engines_share_by_time(played: Played) -> None:
    played.round({"guid": ADA, "alive_percent": 90, "seconds_played": 600, "seconds_dead": 60})
    played.round({"guid": ADA, "alive_percent": 50, "seconds_played": 60, "seconds_dead": 30}, number=2)
    played.round({"guid": ADA, "alive_percent": None, "seconds_played": 0, "seconds_dead": 0}, match=2)
    row = played.metric("session", "main:s1")
    assert row["survival_percent"] == pytest.approx((90 * 600 + 50 * 60) / 660)
    assert row["survival_disputed"] is False


def test_one_round_without_the_engines_share_leaves_survival_to_the_dead_time_of_all(played: Played) -> None:
    played.round({"guid": ADA, "alive_percent": 90, "seconds_played": 600, "seconds_dead": 300})
    played.round({"guid": ADA, "alive_percent": None, "seconds_played": 600, "seconds_dead": 0}, number=2)
    row = played.metric("match", "main:r1")
    assert (row["survival_percent"], row["survival_drift"]) == (75, None)


def test_a_sum_over_a_round_with_an_unknown_number_is_unknown(played: Played) -> None:
    played.round({"guid": ADA, "revives_given": None, "kills": 1, "killing_spree": None, "seconds_played": 600})
    played.round({"guid": ADA, "revives_given": 4, "kills": 2, "killing_spree": 3, "seconds_played": 300}, number=2)
    row = played.metric("career", "all")
    assert (row["kills"], row["revives_given"], row["revives_given_per_round"], row["killing_spree"]) == (
        3,
        None,
        None,
        None,
    )


def test_a_number_that_is_unknown_in_one_session_is_unknown_in_a_career(played: Played) -> None:
    played.round({"guid": ADA, "name": "ada", "revives_given": 4, "kills": 2, "killing_spree": 9})
    played.round({"guid": ADA, "name": "", "revives_given": None, "kills": 1, "killing_spree": 3}, session=2)
    row = played.metric("career", "all")
    assert (row["kills"], row["killing_spree"], row["revives_given"], row["rounds"]) == (3, 9, None, 2)
    assert (row["name"], row["kills_per_round"]) == ("ada", 1.5)


def test_what_is_known_of_a_number_that_old_files_lack_comes_with_its_rounds(played: Played) -> None:
    played.round({"guid": ADA, "denied_playtime": None, "kills": 1, "seconds_played": 600})
    played.round({"guid": ADA, "denied_playtime": 90, "kills": 2, "seconds_played": 300}, number=2)
    played.round({"guid": BOB, "denied_playtime": None, "seconds_played": 300}, match=2)
    (row,) = played.rows(
        """select guid, total, rounds, kills, per_round, metric_denied_per_minute(total, seconds_played) as per_minute
           from player_known_sum where level = 'career' and number = 'denied_playtime'"""
    )
    assert row == {"guid": ADA, "total": 90, "rounds": 1, "kills": 2, "per_round": 90, "per_minute": 18}


def test_known_sums_tell_of_exactly_the_fields_that_some_writers_left_out(played: Played) -> None:
    late = set(TAIL_FIELDS) - set(LAYOUTS[min(LAYOUTS)]) | {"bullets_fired"}  # another unit before
    played.round({"guid": ADA} | dict.fromkeys(late, 1))
    assert {row["number"] for row in played.rows("select number from player_known_sum")} == late


def test_levels_hold_the_rounds_that_belong_to_them(played: Played) -> None:
    played.round({"guid": ADA, "kills": 1})
    played.round({"guid": ADA, "kills": 2}, number=2)
    played.round({"guid": ADA, "kills": 4}, session=2, map_name="Supply ")
    played.round({"guid": ADA, "kills": 8}, session=2, map_name="te_escape2")
    played.round({"guid": ADA, "kills": 16}, server="second")
    found = {
        (row["level"], row["scope"]): (row["kills"], row["rounds"])
        for row in played.rows("select * from player_metric")
    }
    assert {key: value for key, value in found.items() if key[0] != "round"} == {
        ("match", "main:r1"): (3, 2),
        ("match", "main:r3"): (4, 1),
        ("match", "main:r4"): (8, 1),
        ("match", "second:r1"): (16, 1),
        ("session", "main:s1"): (3, 2),
        ("session", "main:s2"): (12, 2),
        ("session", "second:s1"): (16, 1),
        ("map", "supply"): (23, 4),
        ("map", "te_escape2"): (8, 1),
        ("career", "all"): (31, 5),
    }
    assert sum(level == "round" for level, _ in found) == 5


def test_a_round_that_does_not_count_is_in_no_total_but_keeps_numbers_of_its_own(played: Played) -> None:
    gun = {"mp40": {"kills": 4, "hits": 9, "shots": 20}}
    played.round({"guid": ADA, "kills": 4, "deaths": 2, "revives_given": 1, "weapons": gun}, invalid="bots took part")
    counted = played.round({"guid": ADA, "kills": 1, "deaths": 1, "revives_given": 1, "weapons": gun})
    assert {row["kills"] for row in played.rows("select kills from player_metric")} == {1}
    assert {row["rounds"] for row in played.rows("select rounds from weapon_metric")} == {1}
    assert {row["rounds"] for row in played.rows("select rounds from player_known_sum")} == {1}
    assert {row["round_key"] for row in played.rows("select round_key from valid_round")} == {counted}
    assert sorted(row["kd"] for row in played.rows("select kd from round_player_metric")) == [1, 2]


# --- weapons ---


def test_weapons_never_multiply_kills(played: Played) -> None:
    weapons = {"mp40": {"kills": 5}, "luger": {"kills": 2}, "grenade": {"kills": 1}}
    for number in (1, 2):
        played.round({"guid": ADA, "kills": 8, "weapons": weapons}, {"guid": BOB, "kills": 0}, number=number)
    for level, scope in (("match", "main:r1"), ("session", "main:s1"), ("map", "supply"), ("career", "all")):
        assert played.metric(level, scope)["kills"] == 16
        by_weapon = played.rows("select weapon, kills, rounds from weapon_metric where level = %s order by 2", level)
        assert [(row["weapon"], row["kills"], row["rounds"]) for row in by_weapon] == [
            ("grenade", 2, 2),
            ("luger", 4, 2),
            ("mp40", 10, 2),
        ]
    assert [row["kills"] for row in played.rows("select kills from match_player_metric order by 1")] == [0, 16]


def test_a_weapon_has_its_own_accuracy_and_headshots(played: Played) -> None:
    played.round(
        {
            "guid": ADA,
            "weapons": {
                "mp40": {"hits": 20, "shots": 80, "headshots": 5},
                "grenade": {"hits": 3, "shots": 2},
                "mg42": {"deaths": 1},
            },
        }
    )
    rows = {row["weapon"]: row for row in played.rows("select * from weapon_metric where level = 'round'")}
    assert (rows["mp40"]["accuracy"], rows["mp40"]["headshot_percent"]) == (25, 25)
    assert rows["grenade"]["accuracy"] == 150
    assert (rows["mg42"]["accuracy"], rows["mg42"]["headshot_percent"], rows["mg42"]["deaths"]) == (None, None, 1)


def test_aimed_accuracy_leaves_out_the_listed_weapons_and_keeps_shots_that_were_taken_back(played: Played) -> None:
    weapons = {
        "mp40": {"hits": 30, "shots": 90},
        "knife": {"hits": 0, "shots": 0},
        "grenade": {"hits": 9, "shots": 5},
        "syringe": {"hits": 4, "shots": 4},
    }
    played.round({"guid": ADA, "hits": 43, "shots": 97, "weapons": weapons}, {"guid": BOB, "hits": 1, "shots": 4})
    row = played.metric("career", "all")
    assert (row["aimed_hits"], row["aimed_shots"]) == (30, 88)
    assert (row["aimed_accuracy"], row["accuracy"]) == (pytest.approx(3000 / 88), pytest.approx(4300 / 97))
    assert played.metric("career", "all", BOB)["aimed_accuracy"] == 25


def test_the_weapons_left_out_of_aimed_accuracy_exist_and_say_why(played: Played) -> None:
    rows = played.rows("select * from aimed_accuracy_exclusion")
    assert {row["weapon"] for row in rows} < set(WEAPONS) and all(row["reason"] for row in rows)


# --- a real evening; not part of the project ---

_needs_real_files = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no real files here: they are not part of the project"
)


@_needs_real_files
def test_the_totals_of_a_real_evening_are_the_known_ones_at_every_level(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for path in FOLDER.glob("2025-10-02-*.txt"):
        shutil.copy(path, archive)
    pipeline.import_(archive)
    for level in ("session", "career"):
        rows = pipeline.rows("select * from player_metric where level = %s order by kills desc", level)
        assert [
            (
                r["kills"],
                r["deaths"],
                r["damage_given"],
                r["damage_received"],
                round(r["seconds_played"] / 60, 1),
                round(r["dpm"], 1),
                round(r["accuracy"], 2),
                round(r["headshot_percent"], 2),
                round(r["seconds_dead"] / 60, 1),
            )
            for r in rows
        ] == TOTALS_2025_10_02
        assert {r["rounds"] for r in rows} == {20}
        assert sum(r["kills"] for r in rows) == sum(r["deaths"] for r in rows) == 927
        assert sum(r["damage_given"] for r in rows) == sum(r["damage_received"] for r in rows) == 185_311
        assert all(r["revives_given"] is None for r in rows)  # these files have 37 fields
        assert all(r["survival_disputed"] for r in rows)  # and their writer counts dead time several times over
    for level in ("round", "match", "map"):
        (sums,) = pipeline.rows(
            "select sum(kills)::int as kills, sum(deaths)::int as deaths, sum(damage_given)::int as damage from player_metric where level = %s",
            level,
        )
        assert sums == {"kills": 927, "deaths": 927, "damage": 185_311}
        (by_weapon,) = pipeline.rows("select sum(kills)::int as kills from weapon_metric where level = %s", level)
        assert by_weapon == {"kills": 927}


@_needs_real_files
def test_the_numbers_of_a_real_round_2_are_the_known_ones(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for stem in ("211808-etl_adlernest-round-1", "212249-etl_adlernest-round-2"):
        shutil.copy(FOLDER / f"2025-10-02-{stem}.txt", archive)
    pipeline.import_(archive)
    (row,) = pipeline.rows(
        "select m.* from round_player_metric m join round r using (round_key) where r.number = 2 and kills = 7"
    )
    shown = {
        name: round(row[name], 2)
        for name in ("dpm", "accuracy", "headshot_percent", "dead_percent", "survival_percent")
    }
    assert shown == {
        "dpm": 380.79,
        "accuracy": 35.82,
        "headshot_percent": 12.5,
        "dead_percent": 5.26,
        "survival_percent": pytest.approx(96.2, abs=0.05),
    }
    assert (row["kd"], row["damage_ratio"]) == (3.5, pytest.approx(1447 / 695))
