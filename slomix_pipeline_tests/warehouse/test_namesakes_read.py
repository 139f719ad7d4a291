"""Who may be one person, as history is read for it: persons, not GUIDs, and nobody of whom it is decided."""

import json

from click.testing import CliRunner

from slomix_pipeline.cli.main import main
from slomix_pipeline.rules.namesakes import Reason
from slomix_pipeline.rules.people import IdentityKind
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.namesakes import suggested
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played
from slomix_pipeline_tests.warehouse.test_careers import CYD
from slomix_pipeline_tests.warehouse.test_players import line

DAN, EVE, GUS = "DAN00004", "EVE00006", "GUS00007"
MP40 = {"weapons": {"mp40": {"shots": 500, "hits": 200}, "panzerfaust": {"shots": 90, "hits": 90}}}


def test_two_who_may_be_one_are_found_with_all_that_speaks_for_it_until_somebody_decides(
    played: Played, database: Database
) -> None:
    mates = [line(guid) for guid in (DAN, EVE, GUS)]
    played.round(line(ADA, name="^1Countess", **MP40), line(BOB, name="Baron", side=2), *mates)
    played.round(line(CYD, name="countess", **MP40), line(BOB, name="Countes", side=2), *mates, session=2)
    (found,) = suggested(played.conn)
    assert (found.newer, found.older, found.newer_name) == (CYD, ADA, "countess")
    assert {*found.reasons} == {Reason.SAME_RARE_NAME, Reason.SUCCESSION, Reason.PROFILE, Reason.MATES}

    played.conn.commit()
    env = {"SLOMIX_POSTGRES_URL": database.url}
    told = CliRunner().invoke(main, ["identity", "list"], env=env).stdout
    assert f"{CYD} (countess) and {ADA} (^1Countess): the same name, which nobody else ever had, one starts" in told
    assert all(f"slomix identity {decision} {CYD} {ADA}" in told for decision in ("merge", "reject"))
    plain = json.loads(CliRunner().invoke(main, ["identity", "list", "--json"], env=env).stdout)
    assert plain["decisions"] == [] and [own["newer"] for own in plain["suggestions"]] == [CYD]

    played.decided(IdentityKind.REJECT, ADA, CYD)
    assert suggested(played.conn) == []


def test_who_is_one_person_already_met_all_whom_any_of_his_guids_met(played: Played) -> None:
    played.round(line(ADA, name="Countess"), line(BOB, name="Baron"))
    played.round(line(CYD, name="Somebody"), line(DAN, name="Duke"), session=2)
    played.round(line(EVE, name="Countess"), line(DAN, name="Duke"), session=3)
    assert [(own.newer, own.older) for own in suggested(played.conn)] == [(EVE, ADA)]
    played.round(line(CYD, name="Somebody"), line(EVE, name="Countess"), session=4)
    played.decided(IdentityKind.MERGE, CYD, ADA)
    assert suggested(played.conn) == []
