"""Names of players: which they used, when and how often, and which one is shown."""

from collections import Counter
from pathlib import Path

from slomix_pipeline.rules.identity import with_distinct_guids
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.building import at, make_line, make_stats
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

# --- names ---


def names(played: Played) -> dict[str, str]:
    return {row["guid"]: row["name"] for row in played.rows("select * from player_name")}


def test_an_alias_tells_when_and_in_how_many_rounds_it_was_used(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada"}, minutes=0)
    played.round({"guid": ADA, "name": "Countess"}, number=2, minutes=10)
    played.round({"guid": ADA, "name": "Ada"}, minutes=20, invalid="filler map")  # a name all the same
    found = played.rows("select name, first_seen, last_seen, rounds from alias order by name")
    assert found == [
        {"name": "Ada", "first_seen": at(0), "last_seen": at(20), "rounds": 2},
        {"name": "Countess", "first_seen": at(10), "last_seen": at(10), "rounds": 1},
    ]


def test_who_was_renamed_is_one_player_shown_under_the_name_seen_last(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada", "kills": 3})
    played.round({"guid": ADA, "name": "Countess", "kills": 4}, number=2)
    (row,) = played.rows("select name, kills, team from session_player_metric")
    assert row == {"name": "Countess", "kills": 7, "team": "A"}
    assert names(played) == {ADA: "Countess"}


def test_a_name_of_colour_codes_only_is_never_shown_when_there_is_another(played: Played) -> None:
    played.round({"guid": ADA, "name": "Ada"}, {"guid": BOB, "name": ""})
    played.round({"guid": ADA, "name": ""}, {"guid": BOB, "name": ""}, number=2)
    assert names(played) == {ADA: "Ada", BOB: "Unknown Player"}
    assert played.metric("match", "main:r1")["name"] == "Ada"


def test_of_two_names_seen_at_the_same_moment_the_one_of_more_rounds_is_shown_then_the_alphabet_decides(
    played: Played,
) -> None:
    played.round({"guid": ADA, "name": "Zeta"}, {"guid": BOB, "name": "Beta"}, minutes=0)
    played.round({"guid": ADA, "name": "Zeta"}, {"guid": BOB, "name": "Beta"}, minutes=10)
    played.round({"guid": ADA, "name": "Alpha"}, {"guid": BOB, "name": "Alpha"}, minutes=10, server="second")
    played.round({"guid": BOB, "name": "Alpha"}, minutes=5, server="second")
    assert names(played) == {ADA: "Zeta", BOB: "Alpha"}


def test_bots_have_no_aliases(played: Played) -> None:
    (bot,) = with_distinct_guids(make_stats(make_line("OMNIBOT0", name="[BOT]Sam")), "a file").players
    played.round({"guid": bot.guid, "name": bot.clean_name}, {"guid": ADA, "name": "Ada"}, invalid="bots took part")
    assert names(played) == {ADA: "Ada"}


def test_importing_and_running_a_round_again_counts_no_alias_twice(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    evening = play_evening(21, maps=1)
    write_evening(archive, evening)
    aliases = "select guid, name, first_seen, last_seen, rounds from alias order by guid, name"
    pipeline.import_(archive)
    before = pipeline.rows(aliases)
    pipeline.import_(archive)
    pipeline.work([row["round_key"] for row in pipeline.rows("select round_key from round order by round_key")])
    assert pipeline.rows(aliases) == before
    counted: Counter[str] = Counter()
    for row in before:
        counted[row["guid"]] += row["rounds"]
    assert counted == Counter(guid for sim_round in evening.rounds for guid in sim_round.players)
