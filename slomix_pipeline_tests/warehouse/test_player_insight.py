"""What is learned of a player is told with how sure it is, of who may be named, and never as a rank."""

from itertools import product

import pytest

from slomix_pipeline.reports.pair_words import apart_text, nemesis_text, together_text
from slomix_pipeline.reports.strength_words import strength_text
from slomix_pipeline.rules.attack_model import REGULAR_FROM
from slomix_pipeline.rules.pairs import Duo, nemeses
from slomix_pipeline.rules.people import IdentityKind
from slomix_pipeline.warehouse import pair_records
from slomix_pipeline.warehouse.facts import rewrite_duels
from slomix_pipeline.warehouse.strengths import StrengthSeen, strength_of
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played
from slomix_pipeline_tests.warehouse.test_careers import CYD
from slomix_pipeline_tests.warehouse.test_players import line, versus


def test_a_strength_is_told_with_its_interval_and_of_who_is_new_only_his_matches(played: Played) -> None:
    played.conn.execute("insert into strength values (%s, 0.19, 0.1, 116, 0.45)", [ADA])
    played.conn.execute("insert into strength values (%s, 0.4, 0.2, %s, 0.45)", [BOB, REGULAR_FROM - 1])
    ada, bob = strength_of(played.conn, ADA), strength_of(played.conn, BOB)
    assert ada is not None and bob is not None and strength_of(played.conn, CYD) is None
    assert strength_text(ada) == (
        "+8 points of win chance in a 3v3 in place of an average regular (80 %: +3 to +13), 116 matches"
    )
    assert bob == StrengthSeen(None, None, None, REGULAR_FROM - 1) and strength_text(bob) == "new: 19 matches"


@pytest.mark.parametrize(
    ("points", "said"), [(0.3, "±0 points"), (-0.3, "±0 points"), (1.2, "+1 point"), (-4.5, "−4 points")]
)
def test_points_are_whole_and_have_a_sign(points: float, said: str) -> None:
    assert strength_text(StrengthSeen(points, -5, 5, 40)).startswith(f"{said} of win chance")


def test_pairs_are_told_from_both_sides_with_most_matches_first_and_of_who_may_be_named(played: Played) -> None:
    played.round(line(ADA), line(BOB), line(CYD))
    pairs = [
        Duo(ADA, BOB, 31, 17, 15.8, 0.38, 0.71, 40, 19),
        Duo(ADA, CYD, 12, 12, None, 0.76, 1.0, 0, 0),
        Duo(BOB, CYD, 50, 1, 2.5, 0.0, 0.1, 3, 3),
    ]
    assert pair_records.store(played.conn, pairs, {}) == 6
    with_ada = pair_records.pairs_of(played.conn, ADA)
    assert [(own.guid, own.matches, own.won) for own in with_ada] == [(BOB, 31, 17), (CYD, 12, 12)]
    seen = pair_records.pair_of(played.conn, BOB, ADA)
    assert seen is not None and together_text(seen) == "31 matches, won 17; 15.8 expected (38–71 %)"
    assert apart_text(seen) == "40 matches with just one of them in a team, 19 of them won"
    assert "expected" not in together_text(with_ada[1])

    assert pair_records.store(played.conn, pairs[:2], {}) == 2
    assert [own.guid for own in pair_records.pairs_of(played.conn, BOB)] == [ADA]
    played.decided(IdentityKind.HIDE, BOB, name="Player 3F2A")
    assert [own.guid for own in pair_records.pairs_of(played.conn, ADA)] == [CYD]
    played.decided(IdentityKind.MERGE, CYD, ADA)  # until it is counted anew he is nobody's mate
    assert pair_records.pairs_of(played.conn, ADA) == []


def test_a_nemesis_is_found_in_all_duels_of_a_person_whatever_guids_he_played_under(played: Played) -> None:
    fay = "FAY00005"
    for session, (own, other) in product((1, 2), ((ADA, BOB), (CYD, BOB))):
        key = played.round(line(own), line(other), line(fay), session=session)
        versus(played, key, own, other, 2, 14)
        versus(played, key, own, fay, 20, 12)
        versus(played, key, other, fay, 12, 20)
    rewrite_duels(played.conn, ["main:s1", "main:s2"])
    played.decided(IdentityKind.MERGE, ADA, CYD)
    duels = pair_records.all_duels(played.conn)
    assert duels[CYD][BOB] == (8, 56) and duels[BOB][CYD] == (56, 8) and ADA not in duels
    pair_records.store(played.conn, [], nemeses(duels))
    seen = pair_records.nemesis_of(played.conn, CYD)
    assert seen is not None and (seen.guid, seen.kills, seen.times) == (BOB, 56, 64) and seen.expected < 50
    assert nemesis_text(seen).startswith("killed him 56 of 64 times (")
    assert nemesis_text(seen).endswith("expected), in rounds with a list of who killed whom")
    assert pair_records.nemesis_of(played.conn, "DAN00009") is None
    pair_records.store(played.conn, [], {})
    assert pair_records.nemesis_of(played.conn, CYD) is None
