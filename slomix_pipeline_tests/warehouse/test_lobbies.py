"""Teams are suggested to who is there by what is known of everybody, and odds only once they have earned it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from slomix_pipeline.rules.attack_model import VERSION, AttackModel, Roster, as_json
from slomix_pipeline.rules.attack_times import fit
from slomix_pipeline.rules.expected import LEAST_ROUNDS
from slomix_pipeline.rules.forecast_report import Foretells, Report, ReportOf
from slomix_pipeline.rules.odds import decided_odds, decided_range
from slomix_pipeline.warehouse import fitted, forecast_reports
from slomix_pipeline.warehouse.careers import NotOnePlayer
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.fairness import ExpectedOfTeams, expected_of_teams
from slomix_pipeline.warehouse.fitted import Fitted, Model
from slomix_pipeline.warehouse.forecast_reports import ReportKept
from slomix_pipeline.warehouse.lobbies import NoSplit, Suggestions, suggest, told_model
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline.warehouse.usual_rates import UsualRate, rate_of_a_newcomer, store_rates
from slomix_pipeline_tests.rated_histories import history
from slomix_pipeline_tests.warehouse.played_rounds import Played

NAMES = {"PLAYER00": "Ada", "PLAYER01": "Bob", "PLAYER02": "Cyd", "PLAYER03": "Dan", "PLAYER04": "Eve"}
RATES = {"PLAYER00": 400.0, "PLAYER01": 320.0, "PLAYER02": 300.0, "PLAYER03": 200.0, "PLAYER04": 100.0}
AT = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture
def known(played: Played) -> Played:
    """Five who played, and what damage is usual of the first four of them; the last is new."""
    played.round(*({"guid": guid, "name": name, "seconds_played": 600} for guid, name in NAMES.items()))
    rated = [UsualRate(guid, rate, LEAST_ROUNDS) for guid, rate in RATES.items() if guid != "PLAYER04"]
    store_rates(played.conn, rated)
    return played


def evening(played: Played, number: int, days_ago: float, teams: Mapping[str, str]) -> None:
    """An evening on which everybody stood in the team that is given."""
    key = f"main:s{number}"
    players = [{"guid": guid, "name": NAMES[guid]} for guid in teams]
    played.round(*players, session=number)
    played.conn.execute(
        "update session set started_at = %s where session_key = %s", [AT - timedelta(days=days_ago), key]
    )
    for guid, team in teams.items():
        played.conn.execute(
            "update session_player set team = %s where session_key = %s and guid = %s", [team, key, guid]
        )


def sides(found: Suggestions) -> list[str]:
    """The teams of each way, by the first letters of their names."""
    return [
        "-".join("".join(sorted(own.name[0] for own in team.players)) for team in (way.first, way.second))
        for way in found.ways
    ]


def test_teams_are_as_even_as_the_damage_expected_of_them(known: Played) -> None:
    found = suggest(known.conn, ["ada", "BOB", "PLAYER02", "dan"])
    assert sides(found) == ["AD-BC", "AC-BD", "AB-CD"]
    (best, *_) = found.ways
    assert best.odds is None and best.difference == pytest.approx(620 / 600 - 1)
    assert sides(suggest(known.conn, ["ada", "bob", "cyd", "dan"], together=[["ada", "bob"]])) == ["AB-CD"]
    assert sides(suggest(known.conn, ["ada", "bob", "cyd", "dan"], apart=[["ada", "dan"], ["cyd", "bob"]])) == [
        "AC-BD",
        "AB-CD",
    ]


def test_of_a_newcomer_is_expected_what_all_do_on_average(known: Played) -> None:
    found = suggest(known.conn, ["eve", "ada"])
    assert [own.name for own in found.newcomers] == ["Eve"]
    (eve, ada) = found.players
    assert ada.damage_per_minute == 400
    assert eve.damage_per_minute == rate_of_a_newcomer(known.conn) == pytest.approx((400 * 320 * 300 * 200) ** 0.25)


def test_it_is_said_why_nothing_can_be_suggested(known: Played) -> None:
    for names, wishes, why in (
        (["ada"], {}, "2 to 16 players can be divided into teams, not 1"),
        (["ada"] * 17, {}, "not 17"),
        (["ada", "PLAYER00"], {}, "'ada' and 'PLAYER00' are the same player"),
        (["ada", "ada"], {}, "'ada' and 'ada' are the same player"),
        (["ada", "bob"], {"together": [["ada", "cyd"]]}, "Cyd is not among who is to be divided"),
        (["ada", "bob"], {"together": [["ada", "bob"]]}, "nothing keeps all of these wishes"),
        (["ada", "bob", "cyd", "dan"], {"apart": [["ada", "bob", "cyd"]]}, "nothing keeps all of these wishes"),
    ):
        with pytest.raises(NoSplit, match=why):
            suggest(known.conn, names, **wishes)
    with pytest.raises(NotOnePlayer) as several:
        suggest(known.conn, ["PLAYER0", "ada"])
    assert len(several.value.found) == len(NAMES)
    known.decided("hide", "PLAYER01", name="Player 3F2A")
    with pytest.raises(NotOnePlayer, match="nobody"):
        suggest(known.conn, ["ada", "bob"])
    store_rates(known.conn, [])
    with pytest.raises(NoSplit, match="not known yet"):
        suggest(known.conn, ["ada", "cyd"])


def test_it_is_told_when_a_team_last_was_one_and_who_were_together_of_late_are_parted(known: Played) -> None:
    evening(known, 2, 400, {"PLAYER00": "A", "PLAYER03": "A", "PLAYER01": "B", "PLAYER02": "B"})
    evening(known, 3, 300, {"PLAYER00": "B", "PLAYER03": "B", "PLAYER01": "A", "PLAYER02": "B"})
    known.conn.execute("delete from session_player where session_key = 'main:s1'")
    best = suggest(known.conn, ["ada", "bob", "cyd", "dan"]).ways[0]
    assert best.first.last_together == AT - timedelta(days=300)
    assert best.second.last_together == AT - timedelta(days=400)
    assert suggest(known.conn, ["ada", "bob"]).ways[0].first.last_together is None

    store_rates(known.conn, [UsualRate(guid, 300.0, LEAST_ROUNDS) for guid in NAMES])
    six = list(NAMES)
    known.round({"guid": "PLAYER05", "name": "Fay"}, session=1)
    store_rates(known.conn, [UsualRate(guid, 300.0, LEAST_ROUNDS) for guid in [*NAMES, "PLAYER05"]])
    known.conn.execute("delete from session_player where session_key = 'main:s1'")
    assert "ABC-DEF" in sides(suggest(known.conn, [*six, "fay"]))
    evening(known, 4, 1, {"PLAYER00": "A", "PLAYER01": "A", "PLAYER02": "A"})
    assert "ABC-DEF" not in sides(suggest(known.conn, [*six, "fay"]))


def told(why_not: tuple[str, ...] = (), version: str = VERSION) -> ReportKept:
    """A report of odds before matches."""
    own = Report(200, 30, 0.6, 0.69, 0.2, 0.6, -0.09, -0.12, -0.03, 1.0, 0.1, (), why_not)
    return ReportKept(version, "x", own, None, AT)


def modelled(played: Played) -> AttackModel:
    """A model of attack times in which the five have a part, kept as it is after an evening."""
    model = fit(history(60, 3).matches)
    played.conn.execute("delete from fitted")
    fitted.store(played.conn, Fitted(Model.PLAYER_TIMES, VERSION, "x", AT, as_json(model), AT))
    return model


def test_odds_are_told_once_they_have_proven_better_than_a_coin_and_are_those_of_the_whole_model(
    known: Played,
) -> None:
    model, names = modelled(known), ["ada", "bob", "cyd", "dan", "eve"]
    ledger = (Foretells.MATCH, ReportOf.LEDGER)
    forecast_reports.store(known.conn, {ledger: told(("12 forecasts of the 150 it takes",))})
    assert all(way.odds is None for way in suggest(known.conn, names).ways)
    forecast_reports.store(known.conn, {ledger: told(version="older/0")})
    assert told_model(known.conn, list(NAMES)) is None
    forecast_reports.store(known.conn, {ledger: told()})
    found = suggest(known.conn, names)
    temperature = forecast_reports.temperature(known.conn)
    for way in found.ways:
        assert way.odds is not None and way.odds.matches == 60
        first, second = (
            Roster({own.guid: 1 / len(team.players) for own in team.players}, float(len(team.players)))
            for team in (way.first, way.second)
        )
        assert way.odds.chance == pytest.approx(decided_odds(model, first, second, temperature))
        assert (way.odds.low, way.odds.high) == pytest.approx(decided_range(model, first, second, temperature))
        assert way.odds.low < way.odds.chance < way.odds.high
    known.conn.execute("update fitted set version = 'older/0'")
    assert told_model(known.conn, list(NAMES)) is None


def test_pages_are_told_the_same_and_of_who_is_hidden_no_part_of_the_model(database: Database, known: Played) -> None:
    modelled(known)
    forecast_reports.store(known.conn, {(Foretells.MATCH, ReportOf.LEDGER): told()})
    own = suggest(known.conn, ["ada", "bob", "cyd", "dan"])
    known.conn.commit()
    store = SiteStore(site_url(database.url, ROLE))
    try:
        with store.moment() as moment:
            assert suggest(moment.conn, ["ada", "bob", "cyd", "dan"]) == own
        known.round({"guid": "PLAYER01", "name": "damage"})  # no words of ours are taken for his name
        known.decided("hide", "PLAYER01", name="Player 3F2A")
        known.conn.commit()
        with store.moment() as moment:
            assert suggest(moment.conn, ["ada", "cyd"]).ways[0].odds is not None
            terms = [row["person_guid"] for row in moment.conn.execute("select person_guid from attack_term")]
            rated = [row["guid"] for row in moment.conn.execute("select guid from usual_rate")]
        assert "PLAYER00" in terms and "PLAYER01" not in terms
        assert "PLAYER00" in rated and "PLAYER01" not in rated and len(rated) == 4
    finally:
        store.close()


def test_how_even_teams_were_is_known_where_most_of_each_were(known: Played) -> None:
    evening(known, 2, 0, {"PLAYER00": "A", "PLAYER01": "A", "PLAYER02": "B", "PLAYER03": "B"})
    known.conn.execute("update player_round_fact set seconds_played = 600 where session_key = 'main:s2'")
    known.conn.execute(
        """update player_round_fact f set team = p.team, side = case p.team when 'A' then 1 else 2 end
           from session_player p
           where p.session_key = f.session_key and p.guid = f.guid"""
    )
    assert expected_of_teams(known.conn, "main:s2") is None
    for guid, rate in RATES.items():
        known.conn.execute(
            "insert into expectation select round_key, %s, %s, 5, 20 from session_round where session_key = 'main:s2'",
            [guid, rate],
        )
    assert expected_of_teams(known.conn, "main:s2") == ExpectedOfTeams(720.0, 500.0, 1)
    known.conn.execute("update player_round_fact set side = 2 where guid = 'PLAYER00' and session_key = 'main:s2'")
    assert expected_of_teams(known.conn, "main:s2") is None  # he stood against his own team in its only round
    known.conn.execute("update player_round_fact set side = 1 where guid = 'PLAYER00' and session_key = 'main:s2'")
    known.conn.execute("update expectation set earlier_rounds = 19 where guid = 'PLAYER03'")
    assert expected_of_teams(known.conn, "main:s2") is None
    known.conn.execute("update expectation set earlier_rounds = 20")
    known.conn.execute("delete from expectation where guid = 'PLAYER03'")
    assert expected_of_teams(known.conn, "main:s2") is None
