"""Players who can't be told over rounds: in their round's numbers, in no team, in no total, and no reason to lose it."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from slomix_pipeline.formats import gamestats
from slomix_pipeline.simulator.awards import endstats_bytes
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

MaskOf = Callable[[Evening], dict[int, dict[str, bytes]]]


def masked(sim_round: SimRound, guids: dict[str, bytes]) -> bytes:
    """A round's stats file with other GUIDs written for some players."""
    header, *lines = gamestats.dump(sim_round.stats).split(b"\n")
    changed = [guids.get(line[:8].decode("latin-1"), line[:8]) + line[8:] if line else line for line in lines]
    return b"\n".join([header, *changed])


def play(pipeline: Pipeline, evening: Evening, masks: dict[int, dict[str, bytes]]) -> dict[str, Any]:
    """The evening, with some GUIDs of some of its rounds masked, as exported."""
    for position, sim_round in enumerate(evening.rounds):
        pipeline.put(sim_round.stats_name, masked(sim_round, masks.get(position, {})))
    pipeline.take_in()
    return pipeline.export()


def one(evening: Evening, team: int = 0, place: int = 0) -> str:
    """Somebody who played from the beginning to the end."""
    whole = set.intersection(*(set(r.players) for r in evening.rounds))
    return sorted(whole & [evening.team_a, evening.team_b][team])[place]


def without(expected: dict[str, Any], guids: Iterable[str], rounds: Iterable[int]) -> dict[str, Any]:
    """The truth as far as it can be known when these players' GUIDs can't be read in these rounds."""
    for position in rounds:
        for guid in guids:
            del expected["rounds"][position]["players"][guid]
    return expected


def known(exported: dict[str, Any]) -> dict[str, Any]:
    """An export cut down to the players who are known."""
    found = as_exported(exported)
    for round_ in found["rounds"]:
        round_["players"] = {guid: p for guid, p in round_["players"].items() if not guid.startswith("NO-")}
    return found


def nobodies(exported: dict[str, Any], position: int) -> list[dict[str, Any]]:
    return [p for p in exported["rounds"][position]["players"] if "no_identity" in p["flags"]]


EVENING = play_evening(71, maps=2, leaver=False, reconnect=False, ends_at=just_now() - timedelta(minutes=1))
ADA, BOB = one(EVENING), one(EVENING, 0, 1)
EVE = one(EVENING, 1)


@pytest.mark.parametrize(
    ("masks", "gone"),
    [
        ({0: {ADA: b""}, 1: {ADA: b""}}, {0: [ADA], 1: [ADA]}),
        ({0: {ADA: b"NO_GUID", EVE: b"00000000"}, 1: {ADA: b"unknown", EVE: b" "}}, {0: [ADA, EVE], 1: [ADA, EVE]}),
        ({0: {ADA: b""}}, {0: [ADA], 1: []}),
        ({1: {ADA: b"^1"}}, {1: [ADA]}),
        ({0: {BOB: ADA.encode()}, 1: {BOB: ADA.encode()}}, {0: [ADA, BOB], 1: [ADA, BOB]}),
        ({0: {BOB: ADA.encode()}}, {0: [ADA, BOB], 1: []}),
        ({1: {BOB: ADA.encode()}}, {1: [ADA, BOB]}),
    ],
    ids=["no GUID", "two without", "none in round 1", "none in round 2", "one for two", "in round 1", "in round 2"],
)
def test_the_round_counts_and_everybody_else_is_as_he_played(
    pipeline: Pipeline, masks: dict[int, dict[str, bytes]], gone: dict[int, list[str]]
) -> None:
    exported = play(pipeline, EVENING, masks)
    expected = as_played(EVENING, timed=False)
    found = known(exported)
    # Of a known player whose line of round 1 can't be told, round 2 knows only what is its own.
    unknown = {guid for masked_guids in (gone.get(0, []),) for guid in masked_guids} - {*gone.get(1, [])}
    for guid in unknown:
        assert found["rounds"][1]["players"].pop(guid)["kills"] is None
    for position, guids in gone.items():
        without(expected, guids, [position])
    without(expected, unknown, [1])
    for side in (found, expected):
        for round_ in side["rounds"]:  # how long a round was is told by the players' minutes here
            del round_["duration_seconds"]
    assert differences(found, expected) == []
    for position, guids in gone.items():
        truth = EVENING.rounds[position].players
        there = nobodies(exported, position)
        assert [(p["team"], len(p["guid"])) for p in there] == [(None, 8)] * len(guids)
        assert sorted(p["name"] for p in there) == sorted(_name(EVENING, guid) for guid in guids)
        if position == 0:
            assert sorted(p["kills"] for p in there) == sorted(truth[guid].kills for guid in guids)
        else:
            assert [p["kills"] for p in there] == [None] * len(guids)


def _name(evening: Evening, guid: str) -> str:
    from slomix_pipeline.formats.names import clean_name

    return clean_name(evening.rounds[0].players[guid].fighter.name)


def test_a_player_without_identity_is_in_no_total_over_rounds(pipeline: Pipeline) -> None:
    exported = play(pipeline, EVENING, {0: {ADA: b""}, 1: {ADA: b""}, 2: {ADA: b""}, 3: {ADA: b""}})
    made = {p["guid"] for r in range(4) for p in nobodies(exported, r)}
    assert len(made) == 4
    for view in (
        "valid_round_player",
        "valid_round_weapon",
        "player_metric",
        "weapon_metric",
        "alias",
        "player_name",
        "match_player_metric",
        "session_player_metric",
    ):
        guids = {row["guid"] for row in pipeline.rows(f"select guid from {view}")}
        assert guids and not guids & (made | {ADA}), view
    assert {row["guid"] for row in pipeline.rows("select guid from round_player_metric")} >= made
    assert not {row["guid"] for row in pipeline.rows("select guid from session_player")} & made


def test_a_career_goes_on_over_a_round_that_nobody_can_take_apart(pipeline: Pipeline) -> None:
    play(pipeline, EVENING, {0: {ADA: b""}})
    (career,) = pipeline.rows("select rounds, kills from player_metric where level = 'career' and guid = %s", ADA)
    rounds = EVENING.rounds[2:]
    assert career == {"rounds": 2, "kills": sum(r.players[ADA].kills for r in rounds)}


def test_where_nobody_has_a_guid_the_rounds_are_read_and_nobody_is_said_to_have_won(pipeline: Pipeline) -> None:
    everybody = dict.fromkeys({guid for r in EVENING.rounds for guid in r.players}, b"")
    exported = play(pipeline, EVENING, dict.fromkeys(range(4), everybody))
    assert [round_["status"] for round_ in exported["rounds"]] == ["complete"] * 4
    assert [match["winner"] for match in exported["matches"]] == [None] * 2
    assert exported["teams"]["A"]["players"] == exported["teams"]["B"]["players"] == []


def test_awards_and_duels_of_a_player_without_identity_are_nobodys(pipeline: Pipeline) -> None:
    first = EVENING.rounds[0]
    stats = pipeline.put(first.stats_name, masked(first, {ADA: b""}))
    text = endstats_bytes(first)
    full = first.players[ADA].fighter.guid32.encode()
    pipeline.put(first.stats_name.replace(".txt", "-endstats.txt"), text.replace(full, b""))
    pipeline.take_in()
    guids = pipeline.rows("select guid from award where round_key = %s union select guid from versus", stats)
    assert guids and not [row for row in guids if row["guid"] and row["guid"].startswith(("NO-", ADA))]
    own = _name(EVENING, ADA)
    assert pipeline.rows("select * from versus where player = %s and guid is null and opponent_guid is not null", own)
    assert pipeline.rows("select * from versus where opponent = %s and opponent_guid is null", own)


def test_he_is_named_in_the_result_and_in_the_grade(pipeline: Pipeline) -> None:
    exported = play(pipeline, EVENING, {0: {ADA: b""}, 1: {ADA: b""}})
    assert [m["embeds"][0]["description"] for m in pipeline.page.messages() if "GUID" in str(m)]
    assert any("identity" in reason for reason in exported["grade"]["reasons"])


@pytest.mark.parametrize("part", ["NO-", "receipt"])
def test_his_receipt_can_be_had(pipeline: Pipeline, part: str) -> None:
    from datetime import UTC, datetime

    from slomix_pipeline.reports.receipts import explain
    from slomix_pipeline.settings import load_settings

    exported = play(pipeline, EVENING, {0: {ADA: b""}, 1: {ADA: b""}})
    (nobody,) = nobodies(exported, 1)
    guid = nobody["guid"][:4] if part == "NO-" else nobody["guid"]
    receipt = explain(pipeline.database, load_settings(), exported["rounds"][1]["key"], guid, datetime.now(UTC))
    assert receipt["player"]["guid"] == nobody["guid"]
    assert receipt["player"]["flags"] == ["cumulative", "no_identity"]
    assert receipt["differs_from_rules"] == []
