"""Endstats files of simulated evenings: who got what and who killed whom comes out as it was played."""

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given

from slomix_pipeline.formats import endstats
from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.rules.endstats import Scope, resolve_awards, resolve_duels
from slomix_pipeline.rules.stats_files import parse_stats
from slomix_pipeline.simulator.awards import endstats_bytes, endstats_name
from slomix_pipeline.simulator.evening import play_courses, play_evening
from slomix_pipeline.simulator.matches import Course, FalseStart, Shape
from slomix_pipeline.simulator.values import SimRound, TruePlayer
from slomix_pipeline.simulator.writing import round_files, write_evening
from slomix_pipeline_tests.any_evening import Plan, examples, partners, plans, true_players
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, round_key

_COUNTERS = frozenset(
    (
        "damage_given",
        "damage_received",
        "team_damage_given",
        "team_damage_received",
        "team_kills",
        "self_kills",
        "gibs",
        "revives_given",
        "times_revived",
        "dynamites_planted",
        "dynamites_defused",
        "killing_spree",
        "death_spree",
        "kill_assists",
        "kill_steals",
        "headshot_kills",
        "denied_playtime",
        "useless_kills",
    )
)


def people(sim_round: SimRound) -> dict[str, TruePlayer]:
    """True players by the GUID that the pipeline gives them: every bot has one of his own."""
    truth = true_players(sim_round)
    lines = parse_stats(sim_round.stats_bytes).players
    named = {line.guid: clean_name(line.name) if line.guid.startswith("BOT-") else line.guid for line in lines}
    return {guid: truth[name] for guid, name in named.items() if name in truth}


def untrue(sim_round: SimRound) -> Iterator[str]:
    """What the rules make of a round's endstats file that is not as it was played."""
    file, stats = endstats.parse(endstats_bytes(sim_round)), parse_stats(sim_round.stats_bytes)
    players = people(sim_round)
    for award in resolve_awards(file, stats, sim_round.label):
        kind = award.award.kind
        if not kind or kind.name not in _COUNTERS or not award.guid or award.scope is not Scope.THIS_ROUND:
            continue
        if award.award.value != players[award.guid].counters[kind.name]:
            yield f"{kind.name} of {award.guid} is {award.award.value}"
    for duel in resolve_duels(file, stats):
        if duel.guid and duel.opponent_guid:
            one, other = players[duel.guid], players[duel.opponent_guid]
            kills, deaths = one.victims.get(other.fighter.key, 0), other.victims.get(one.fighter.key, 0)
            if (duel.kills, duel.deaths) != (kills, deaths):
                yield f"{duel.guid} against {duel.opponent_guid}: {duel.kills}, {duel.deaths}"


@examples(40)
@given(plans())
def test_what_is_known_of_a_round_of_any_shape_is_as_it_was_played(plan: Plan) -> None:
    for sim_round in (played for played in plan.play().rounds if played.status != "aborted"):
        data = endstats_bytes(sim_round)
        assert not data or endstats.dump(endstats.parse(data)) == data
        assert not data or list(untrue(sim_round)) == []


def test_the_name_of_the_file_is_a_moment_before_the_stats_files() -> None:
    sim_round = play_evening(1, maps=1).rounds[0]
    name = parse_file_name(endstats_name(sim_round))
    assert (name.kind, name.map_name, name.number) == ("endstats", sim_round.map_name, sim_round.label)
    stats = parse_file_name(sim_round.stats_name)
    assert name.stamp and stats.stamp and (stats.stamp - name.stamp).total_seconds() == 2


def test_a_round_cut_short_has_none() -> None:
    rounds = play_courses(3, [Course("supply", 600, Shape.BEATEN, starts=[FalseStart.ABORTED])]).rounds
    assert [len(round_files(sim_round)) for sim_round in rounds] == [2, 3, 3]


def test_an_evening_brings_awards_and_duels_of_every_round(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(22, maps=3, leaver=True, reconnect=True)
    write_evening(tmp_path / "archive", evening)
    summary = pipeline.import_(tmp_path / "archive")
    assert (summary.waiting, summary.quarantined) == (0, [])
    assert pipeline.rows("select * from round_without_endstats") == []
    other = partners(evening)
    for sim_round in evening.rounds:
        rows = pipeline.rows("select * from award where round_key = %s", round_key(sim_round))
        assert len(rows) >= 15 and all(row["guid"] for row in rows)
        for row in rows:
            own = sim_round.players[row["guid"]]
            if row["award"] in _COUNTERS:
                numbers = {own.counters[row["award"]]}
                if row["scope"] == "both_rounds":
                    before = other[sim_round.stem].players.get(row["guid"])
                    numbers.add(own.counters[row["award"]] + (before.counters[row["award"]] if before else 0))
                assert row["value"] in numbers, row
        duels = pipeline.rows("select * from versus where round_key = %s", round_key(sim_round))
        assert {(row["guid"], row["opponent_guid"]): row["kills"] for row in duels if row["kills"]} == {
            (guid, victim): kills for guid, own in sim_round.players.items() for victim, kills in own.victims.items()
        }
    scopes = pipeline.rows(
        "select distinct number, scope from valid_round_award where award = 'damage_given' order by 1"
    )
    assert [(row["number"], row["scope"]) for row in scopes] == [(1, "this_round"), (2, "both_rounds")]
