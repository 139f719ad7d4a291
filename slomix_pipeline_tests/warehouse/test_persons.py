"""Who is who in what is read: chains of merges followed to their end, one career per person, names chosen and hidden."""

import random
from typing import Any

import pytest

from slomix_pipeline.rules.people import IdentityKind, Person
from slomix_pipeline.warehouse import identities
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

COY = "COY00003"


def decide(played: Played, kind: IdentityKind, guid: str, **more: Any) -> int:
    return identities.add(played.conn, kind, guid, reason="he said so", made_by="ref", **more)


def merge(played: Played, guid: str, into: str) -> int:
    return decide(played, IdentityKind.MERGE, guid, other_guid=into)


def link(played: Played, guid: str, name: str | None) -> int:
    return decide(played, IdentityKind.LINK, guid, discord_id="80351110224678912", name=name)


def hide(played: Played, guid: str) -> int:
    return decide(played, IdentityKind.HIDE, guid, name="Player 3F2A")


def persons(played: Played) -> dict[str, tuple[str, str, bool]]:
    """By GUID: that of the person, the name to show, whether it hides him."""
    return {row.pop("guid"): tuple(row.values()) for row in played.rows("select * from person")}


def careers(played: Played, query: str = "select guid, name, rounds, kills from player_metric") -> list[Any]:
    return [tuple(row.values()) for row in played.rows(f"{query} where level = 'career' order by guid")]


@pytest.fixture
def three(played: Played) -> Played:
    """Three who played one after the other, under different GUIDs."""
    weapons = {"mp40": {"kills": 1, "hits": 2, "shots": 8}}
    for guid, name, kills in ((ADA, "Ada", 1), (BOB, "Bob", 2), (COY, "Coy", 4)):
        played.round({"guid": guid, "name": name, "kills": kills, "repairs": kills, "weapons": weapons}, session=kills)
    return played


def test_without_any_decision_everybody_is_who_his_guid_is(three: Played) -> None:
    assert persons(three) == {ADA: (ADA, "Ada", False), BOB: (BOB, "Bob", False), COY: (COY, "Coy", False)}
    assert three.rows("select * from person_decided") == []
    assert careers(three) == [(ADA, "Ada", 1, 1), (BOB, "Bob", 1, 2), (COY, "Coy", 1, 4)]


def test_merged_guids_are_one_person_in_careers_alone(three: Played) -> None:
    merge(three, ADA, BOB)
    assert careers(three) == [(BOB, "Bob", 2, 3), (COY, "Coy", 1, 4)]
    assert three.metric("session", "main:s1", ADA)["kills"] == 1
    assert three.metric("map", "supply", ADA)["kills"] == 1
    weapons = careers(three, "select guid, weapon, rounds, kills from weapon_metric")
    assert weapons == [(BOB, "mp40", 2, 2), (COY, "mp40", 1, 1)]
    known = careers(three, "select guid, number, rounds, total::int from player_known_sum")
    assert known == [(BOB, "repairs", 2, 3), (COY, "repairs", 1, 4)]


def test_what_is_usual_for_somebody_is_his_whole_career_before_the_session(three: Played) -> None:
    usual = "select rounds, kd from session_player_usual where session_key = 'main:s4' and guid = %s"
    three.conn.execute("update session set started_at = ended_at - interval '5 minutes'")
    three.conn.execute("update player_session_fact set deaths = 1")
    assert three.rows(usual, COY) == []
    merge(three, ADA, COY)
    merge(three, BOB, COY)
    assert three.rows(usual, COY) == [{"rounds": 2, "kd": 1.5}]


def test_a_chain_of_merges_is_followed_to_its_end_in_whatever_order_it_was_made(three: Played) -> None:
    merge(three, BOB, COY)
    first = merge(three, ADA, BOB)
    assert persons(three) == dict.fromkeys((ADA, BOB, COY), (COY, "Coy", False))
    assert careers(three) == [(COY, "Coy", 3, 7)]
    identities.revoke(three.conn, first, reason="two after all", revoked_by="ref")
    assert careers(three) == [(ADA, "Ada", 1, 1), (COY, "Coy", 2, 6)]


def test_a_person_is_shown_by_the_name_that_any_of_his_guids_had_last(three: Played) -> None:
    merge(three, COY, ADA)
    assert persons(three) == {ADA: (ADA, "Coy", False), BOB: (BOB, "Bob", False), COY: (ADA, "Coy", False)}
    assert careers(three) == [(ADA, "Coy", 2, 5), (BOB, "Bob", 1, 2)]


def test_one_career_is_found_by_the_guid_of_its_person(three: Played) -> None:
    merge(three, ADA, BOB)
    assert three.metric("career", "all", BOB)["kills"] == 3
    assert three.rows("select * from player_metric where level = 'career' and guid = %s", ADA) == []


def test_a_chosen_name_is_shown_for_all_guids_of_the_person_and_a_wish_to_be_hidden_before_it(three: Played) -> None:
    merge(three, ADA, BOB)
    link(three, ADA, "Countess")
    assert persons(three)[BOB] == (BOB, "Countess", False)
    assert careers(three)[0] == (BOB, "Countess", 2, 3)
    hidden = hide(three, BOB)
    assert persons(three)[ADA] == persons(three)[BOB] == (BOB, "Player 3F2A", True)
    assert careers(three)[0] == (BOB, "Player 3F2A", 2, 3)
    identities.revoke(three.conn, hidden, reason="he changed his mind", revoked_by="ref")
    assert persons(three)[ADA] == (BOB, "Countess", False)


def test_a_link_without_a_name_changes_no_name(three: Played) -> None:
    link(three, ADA, None)
    assert persons(three)[ADA] == (ADA, "Ada", False)
    assert identities.person_of(three.conn, ADA) == Person(ADA, (ADA,), ADA, False)
    assert identities.person_of(three.conn, "NOBODY00") is None


def test_a_decision_about_the_same_thing_takes_the_earlier_one_back(three: Played) -> None:
    link(three, ADA, "Countess")
    link(three, ADA, "Lady")
    for _ in range(2):
        decide(three, IdentityKind.REJECT, ADA, other_guid=BOB)
    decide(three, IdentityKind.REJECT, ADA, other_guid=COY)
    assert persons(three)[ADA] == (ADA, "Lady", False)
    assert identities.rejected_pairs(three.conn) == [(ADA, BOB), (ADA, COY)]
    listed = identities.listed(three.conn, also_revoked=True)
    assert [(row.id, row.revoked_reason) for row in listed if row.revoked_by] == [
        (1, "decided anew: he said so"),
        (3, "decided anew: he said so"),
    ]


def test_who_met_in_a_round_is_found(played: Played) -> None:
    met = played.round({"guid": ADA}, {"guid": BOB})
    played.round({"guid": COY}, session=2)
    assert identities.met_in(played.conn, [ADA], [BOB]) == met
    assert identities.met_in(played.conn, [ADA, BOB], [COY]) is None


@pytest.mark.parametrize("seed", range(8))
def test_any_merges_give_the_persons_that_following_each_by_hand_gives(played: Played, seed: int) -> None:
    dice = random.Random(seed)
    guids = [f"GUID000{number}" for number in range(9)]
    for number, guid in enumerate(guids):
        played.round({"guid": guid, "name": guid, "kills": 2**number}, session=number)
    into: dict[str, str] = {}

    def end(guid: str) -> str:
        while guid in into:
            guid = into[guid]
        return guid

    for _ in range(12):
        one, other = dice.sample(guids, 2)
        if one not in into and end(one) != end(other):  # what rules.people lets through
            merge(played, one, other)
            into[one] = other
    assert {guid: found[0] for guid, found in persons(played).items()} == {guid: end(guid) for guid in guids}
    kills: dict[str, int] = {}
    for number, guid in enumerate(guids):
        kills[end(guid)] = kills.get(end(guid), 0) + 2**number
    assert dict(careers(played, "select guid, kills from player_sum")) == kills
