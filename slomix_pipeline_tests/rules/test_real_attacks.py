"""The attacks of real evenings, whose pars and fitted model are known.

The files are no part of the project: without them these tests are skipped, see ``test_real_evenings``.
"""

from collections import Counter

import pytest

from slomix_pipeline.rules.attack_model import RatedMatch, Term, Terms
from slomix_pipeline.rules.attack_order import Stratum, differ, order_z
from slomix_pipeline.rules.attack_times import fit
from slomix_pipeline.rules.forecast_scores import calibration, gain, gate, scores
from slomix_pipeline.rules.par import holding, holding_curve, par
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions
from slomix_pipeline.rules.walk_forward import at_half_time, before_match, walk_forward
from slomix_pipeline_tests.rated_matches import rated_matches
from slomix_pipeline_tests.real_files import FOLDER, Session, read_all

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no real files here: they are not part of the project")


@pytest.fixture(scope="module")
def matches() -> list[RatedMatch]:
    files = read_all()
    groups = group_into_sessions(Stamped(r.key, r.stamp) for r in files.values())
    return rated_matches({group[0].key: Session([files[entry.key] for entry in group]) for group in groups})


def test_all_matches_are_rated_and_who_attacked_first_won_ten(matches: list[RatedMatch]) -> None:
    assert Counter(match.winner for match in matches) == {Faster.FIRST: 10, Faster.SECOND: 25, Faster.DRAW: 2}


@pytest.mark.parametrize(
    ("map_name", "attacks", "completed", "seconds"),
    [("te_escape2", 14, 11, 4 * 60 + 23), ("supply", 10, 7, 9 * 60 + 41), ("etl_adlernest", 12, 10, 6 * 60 + 56)],
)
def test_the_par_of_a_map(matches: list[RatedMatch], map_name: str, attacks: int, completed: int, seconds: int) -> None:
    on_map = [match for match in matches if match.map == map_name]
    found = par([each for m in on_map for each in (m.first, m.second)], on_map[0].limit_seconds)
    assert (found.attacks, found.completed, found.par) == (attacks, completed, seconds)


def test_how_many_defences_of_a_map_hold_until_when(matches: list[RatedMatch]) -> None:
    curve = holding([each for m in matches if m.map == "te_escape2" for each in (m.first, m.second)])
    assert [(f"{step.seconds // 60}:{step.seconds % 60:02}", round(step.holds, 4)) for step in curve] == [
        ("2:19", 0.9286),
        ("2:23", 0.8512),
        ("3:39", 0.7738),
        ("3:47", 0.6190),
        ("3:57", 0.5417),
        ("4:23", 0.4643),
        ("4:26", 0.3714),
        ("4:35", 0.2786),
        ("6:51", 0.1857),
        ("7:31", 0.0929),
    ]


def test_how_many_defences_of_other_maps_hold_at_par_and_until_the_end(matches: list[RatedMatch]) -> None:
    curves = {
        name: holding_curve([each for m in matches if m.map == name for each in (m.first, m.second)])
        for name in ("supply", "etl_adlernest")
    }
    supply, adlernest = curves["supply"], curves["etl_adlernest"]
    assert [round(supply.holds_at(seconds), 4) for seconds in (9 * 60 + 41, 10 * 60 + 45)] == [0.5, 0.3]
    assert [round(adlernest.holds_at(seconds), 4) for seconds in (6 * 60 + 56, 9 * 60 + 4)] == [0.4125, 0]


def test_no_advantage_of_either_attack_is_shown(matches: list[RatedMatch]) -> None:
    maps = {(match.map, match.limit_seconds) for match in matches}
    on = [[match for match in matches if (match.map, match.limit_seconds) == own] for own in maps]
    strata = [Stratum([match.first for match in own], [match.second for match in own]) for own in on]
    assert -2 < order_z(strata) < 0 and not differ(strata)


def test_the_fit_is_the_known_one_and_knows_next_to_nothing_of_players(matches: list[RatedMatch]) -> None:
    model = fit(matches, Terms.STRENGTH, 0.45)
    parts = Term.SECOND, Term.MAP.of("te_escape2"), Term.MAP.of("supply")
    assert [round(model.values[part], 3) for part in parts] == [-0.096, -0.426, 0.376]
    players = [model.expected({Term.PLAYER.of(guid): 1.0}) for guid in model.played]
    assert max(abs(each.mean) for each in players) == pytest.approx(0.12, abs=5e-3)
    assert min(each.sd for each in players) >= 0.145 and max(each.sd for each in players) <= 0.195


def test_half_time_odds_would_have_been_good_and_those_before_a_match_are_not_proven(
    matches: list[RatedMatch],
) -> None:
    said = walk_forward(matches)
    maps = at_half_time(said, Terms.MAPS)
    slopes = calibration(maps)
    assert scores(maps).difference <= -0.10 and gain(maps).high < 0
    assert slopes is not None and 0.6 <= slopes.slope <= 1.3
    before = before_match(said)
    assert not gate(before).passed and scores(before).difference <= 0.005
