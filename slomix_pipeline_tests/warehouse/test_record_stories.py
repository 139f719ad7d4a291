"""What stands around a record: what it broke, who comes next, since when its number is known; and the longest hold."""

import pytest

from slomix_pipeline.formats.tail import NEWEST_LAYOUT
from slomix_pipeline.rules.records import RecordKind, RecordLevel
from slomix_pipeline.warehouse import record_stories
from slomix_pipeline.warehouse.record_stories import (
    Story,
    attack_stories,
    known_since,
    longest_hold,
    longest_run,
    stories,
)
from slomix_pipeline.warehouse.records import named, records
from slomix_pipeline_tests.building import at
from slomix_pipeline_tests.warehouse.checked_rounds import attacked, checked
from slomix_pipeline_tests.warehouse.played_rounds import ADA, BOB, Played

CAT = "CAT00003"


def night(played: Played, session: int, **kills: int) -> None:
    """A session of one round: Ada, Bob and Cat with their kills."""
    guids = {"ada": ADA, "bob": BOB, "cat": CAT}
    checked(
        played,
        *({"guid": guids[name], "name": name.title(), "kills": count} for name, count in kills.items()),
        session=session,
        match=session,
    )
    played.conn.execute(
        "update session set started_at = %s where session_key = %s", [at(1000 * session), f"main:s{session}"]
    )


def story(played: Played, map_name: str | None = None) -> Story:
    """Of most kills in one round."""
    return next(
        own
        for own in stories(played.conn, records(played.conn, map_name), named(played.conn), map_name)
        if own.record.kind is RecordKind.KILLS and own.record.level is RecordLevel.ROUND
    )


@pytest.mark.parametrize("early", [0, 2, 30])
def test_a_record_broke_the_best_of_all_sessions_before_and_the_best_of_others_comes_next(
    played: Played, monkeypatch: pytest.MonkeyPatch, early: int
) -> None:
    monkeypatch.setattr(record_stories, "_EARLY", early)
    night(played, 1, ada=20, bob=10)
    night(played, 2, ada=15, bob=20)
    night(played, 3, ada=29, bob=31)
    night(played, 4, ada=30, bob=25)
    found = story(played)
    assert (found.record.value, found.record.holders) == (31, ("Bob",))
    assert found.broke is not None and found.next_best is not None
    assert (found.broke.value, found.broke.holders, found.broke.session_key) == (20, ("Ada",), "main:s1")
    assert (found.next_best.value, found.next_best.holders, found.next_best.session_key) == (30, ("Ada",), "main:s4")
    assert story(played, "supply").broke == found.broke


def test_who_reached_it_again_holds_it_too_and_is_nobodys_runner_up(played: Played) -> None:
    night(played, 1, ada=31)
    night(played, 2, bob=31, ada=31)
    night(played, 3, cat=12)
    found = story(played)
    assert (found.record.holders, found.record.later_holders, found.record.equalled) == (("Ada",), ("Bob",), 2)
    assert found.broke is None
    assert found.next_best is not None and found.next_best.holders == ("Cat",)


def test_who_is_hidden_has_no_part_in_it(played: Played) -> None:
    night(played, 1, ada=20, bob=19)
    night(played, 2, bob=31, cat=30)
    played.decided("hide", ADA, name="Player 3F2A")
    played.decided("hide", CAT, name="Player 4F2A")
    found = story(played)
    assert found.broke is not None and (found.broke.value, found.broke.holders) == (19, ("Bob",))
    assert found.next_best is None


def test_numbers_that_old_files_lack_are_known_since_the_first_that_has_them(played: Played) -> None:
    night(played, 1, ada=20)
    assert known_since(played.conn) is None
    played.conn.execute("update parsed_round set tail_fields = %s", [NEWEST_LAYOUT - 1])
    night(played, 2, ada=20)
    assert known_since(played.conn) == at(20)


def test_the_longest_hold_is_the_first_of_those_that_nobody_gave_up(played: Played) -> None:
    attacked(played, 300)
    attacked(played, 420)
    attacked(played, 420)
    assert longest_hold(played.conn) is None  # whether somebody gave up is not known of any
    played.conn.execute("update map_attack set given_up = false, team = coalesce(team, 'B')")
    hold = longest_hold(played.conn, "supply")
    assert hold is not None
    assert (hold.seconds, hold.map, hold.round_key, hold.equalled) == (420, "supply", "main:r4", 1)
    assert longest_hold(played.conn, "another") is None


def test_the_longest_run_is_of_sessions_that_were_decided(played: Played) -> None:
    for session in (1, 2, 3):
        attacked(played, 300, session=session, name="Ada")
    played.conn.execute("update match set points_a = 1, points_b = 0")
    ended = played.conn.execute("select max(ended_at) as at from session").fetchone()
    assert ended is not None
    over, running = (lambda at: False), (lambda at: bool(at == ended["at"]))
    assert [(run.name, run.nights, run.goes_on) for run in longest_run(played.conn, named(played.conn), over)] == [
        ("Ada", 3, True)
    ]
    assert [run.nights for run in longest_run(played.conn, named(played.conn), running)] == [2]
    played.conn.execute("update match set winner = 'draw', points_a = 0 where session_key = 'main:s2'")
    assert longest_run(played.conn, named(played.conn), over) == []


def test_a_fastest_attack_broke_the_fastest_of_all_sessions_before(played: Played) -> None:
    for session, seconds in ((1, 300), (1, 250), (2, 250), (3, 240), (3, 200)):
        attacked(played, seconds, session=session, name="Ada")
    (found,) = attack_stories(played.conn, records(played.conn))
    assert (found.record.value, found.record.session_key) == (200, "main:s3")
    assert found.broke is not None and found.next_best is None
    assert (found.broke.value, found.broke.holders, found.broke.session_key) == (250, ("Ada",), "main:s1")


def test_the_first_session_of_a_map_broke_no_fastest_attack(played: Played) -> None:
    attacked(played, 300)
    attacked(played, 250)
    (found,) = attack_stories(played.conn, records(played.conn))
    assert found.broke is None


def test_an_attack_of_who_is_hidden_was_still_broken(played: Played) -> None:
    attacked(played, 300, session=1)
    attacked(played, 250, session=2)
    played.decided("hide", ADA, name="Player 3F2A")
    (found,) = attack_stories(played.conn, records(played.conn))
    assert found.broke is not None and (found.broke.value, found.broke.holders) == (300, ())
