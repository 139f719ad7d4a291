"""The first broken link between the timing script and a round is named, from whatever is known."""

from dataclasses import replace
from datetime import UTC

import pytest

from slomix_pipeline.formats.consolelog import ScriptSigns
from slomix_pipeline.formats.filenames import gametime_file_name, parse_file_name
from slomix_pipeline.rules.linking import Clocked, Link, LinkClass
from slomix_pipeline.rules.timing_chain import ChainLink, Evidence, first_broken_link
from slomix_pipeline.rules.timing_records import (
    UNREADABLE,
    Unlinked,
    UnlinkedClass,
    UnreadFile,
    UnreadStatus,
    clocked_file,
)
from slomix_pipeline.rules.values import FileStatus
from slomix_pipeline_tests.building import at
from slomix_pipeline_tests.building import make_record as record

ROUND = Clocked("main:r", "et-under.the_sky", 1, at(60))
NOTHING = Link(LinkClass.NONE, "none within 30 s of the file stamp")
NAME = gametime_file_name(ROUND.map_name, 1, int(ROUND.at.timestamp()) - 3)
LISTED = Evidence(listed_at=at(61))
AN_HOUR_BEFORE = record("main:before", 0)


def named(name: str) -> Clocked:
    found = clocked_file(parse_file_name(name), UTC)
    assert found is not None
    return found


def broken(evidence: Evidence, link: Link = NOTHING, **unlinked: Unlinked) -> tuple[ChainLink, str]:
    found = first_broken_link(ROUND, link, unlinked, evidence)
    assert found is not None
    return found.link, found.why


def test_of_a_linked_round_no_link_is_broken() -> None:
    assert first_broken_link(ROUND, Link(LinkClass.EXACT_END, record_key="x"), {}, Evidence()) is None


def test_without_any_sign_of_the_script_it_is_not_seen_alive() -> None:
    assert broken(LISTED) == (
        ChainLink.ALIVE,
        "no record within 6 h, and the folder was last listed since the round ended, at 2031-05-06 21:01 UTC",
    )


def test_what_was_never_listed_is_said_to_be_so() -> None:
    assert broken(Evidence())[1].endswith("no folder of a game server was ever listed: records come only by import")


def test_a_folder_that_can_not_be_listed_is_named_with_its_trouble() -> None:
    link, why = broken(Evidence(trouble="There is no folder 'gametimes'"))
    assert link is ChainLink.ALIVE and "There is no folder 'gametimes'" in why


def test_a_script_that_wrote_another_round_did_not_write_this_one() -> None:
    assert broken(replace(LISTED, records=[AN_HOUR_BEFORE])) == (
        ChainLink.WRITTEN,
        "the script wrote a record 60 min before this round's end, but the folder holds none of this round",
    )


def test_a_folder_last_listed_before_the_end_may_hold_the_file_by_now() -> None:
    link, _ = broken(Evidence(records=[AN_HOUR_BEFORE], listed_at=at(59)))
    assert link is ChainLink.FETCHED


def test_a_record_of_yesterday_is_no_sign_of_life() -> None:
    assert broken(replace(LISTED, records=[record("main:old", -24 * 3600)]))[0] is ChainLink.ALIVE


@pytest.mark.parametrize(
    ("signs", "link", "words"),
    [
        (ScriptSigns("2.0.0", frozenset(), None), ChainLink.WRITTEN, "log shows version 2.0.0"),
        (ScriptSigns("2.0.0", frozenset(), "CAN'T WRITE gametimes/x"), ChainLink.WRITTEN, "CAN'T WRITE"),
        (ScriptSigns("2.0.0", frozenset({NAME}), None), ChainLink.FETCHED, f"says {NAME} was written"),
        (ScriptSigns(None, frozenset({"gametime-radar-R1-1.json"}), None), ChainLink.ALIVE, "no record"),
    ],
    ids=["alive", "could not write", "wrote it", "knows nothing"],
)
def test_the_servers_log_is_a_witness(signs: ScriptSigns, link: ChainLink, words: str) -> None:
    found, why = broken(replace(LISTED, signs=signs, signs_at=at(61)))
    assert found is link and words in why


def test_of_an_old_round_the_log_of_today_knows_only_what_it_wrote() -> None:
    today = replace(LISTED, signs_at=at(60 * 24))
    assert broken(replace(today, signs=ScriptSigns("2.0.0", frozenset(), "CAN'T WRITE")))[0] is ChainLink.ALIVE
    assert broken(replace(today, signs=ScriptSigns("2.0.0", frozenset({NAME}), None)))[0] is ChainLink.FETCHED


@pytest.mark.parametrize(
    ("status", "link"),
    [
        (FileStatus.LISTED, ChainLink.FETCHED),
        (FileStatus.REQUESTED, ChainLink.FETCHED),
        (FileStatus.QUARANTINED, ChainLink.PARSED),
        (UNREADABLE, ChainLink.PARSED),
    ],
)
def test_a_known_file_that_gave_no_record_is_named_with_its_status(status: UnreadStatus, link: ChainLink) -> None:
    file = UnreadFile(named(NAME), status, "cut or damaged")
    assert broken(replace(LISTED, unread=[file])) == (link, f"{NAME} is {status}: cut or damaged")


def test_a_file_of_another_play_of_the_map_is_not_meant() -> None:
    other = named(gametime_file_name(ROUND.map_name, 1, int(ROUND.at.timestamp()) - 300))
    assert broken(replace(LISTED, unread=[UnreadFile(other, FileStatus.QUARANTINED, None)]))[0] is ChainLink.ALIVE


def test_a_record_that_is_there_but_not_linked_is_named_with_the_reason() -> None:
    candidate = Link(LinkClass.FUZZY, "more than 30 s off", candidate_key="main:x")
    assert broken(LISTED, candidate) == (ChainLink.LINKED, "main:x: more than 30 s off")
    tie = Link(LinkClass.TIE, "two candidates")
    near = record("main:x", 60 * 60 - 3, map_name=ROUND.map_name)
    assert broken(replace(LISTED, records=[near]), tie) == (ChainLink.LINKED, "main:x: two candidates")


def test_a_near_record_that_belongs_to_nobody_or_to_another_round_says_so() -> None:
    evidence = replace(LISTED, records=[record("x", 60 * 60 - 3, map_name=ROUND.map_name)])
    restarted = Unlinked(UnlinkedClass.RESTARTED, "round 1 was restarted")
    assert broken(evidence, x=restarted) == (ChainLink.LINKED, "x: round 1 was restarted")
    assert broken(evidence) == (ChainLink.LINKED, "x: it belongs to another round")


def test_the_stamp_in_a_name_is_read_in_the_servers_zone() -> None:
    file = named("2031-05-06-210000-supply-round-1-timing.txt")
    assert file.at == at(60) and file.number == 1
    assert clocked_file(parse_file_name("2031-05-06-210000-supply-round-1.txt"), UTC) is None
