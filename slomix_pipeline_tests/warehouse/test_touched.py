"""The sessions that rounds touch are those that all of the server's rounds make, however few of them are read."""

import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from slomix_pipeline.rules.overrides import CUT, JOIN
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.touched import touched_sessions

GAP = timedelta(minutes=60)
BEGIN = datetime(2031, 5, 6, 20, tzinfo=UTC)


def rounds_with_breaks(breaks: Sequence[timedelta]) -> list[Stamped]:
    """A round after each break."""
    stamps = [BEGIN + sum(breaks[: number + 1], timedelta(0)) for number in range(len(breaks))]
    return [Stamped(f"s:{number:03}", stamp) for number, stamp in enumerate(stamps)]


def store_placed(
    database: Database, rounds: Sequence[Stamped], decided: dict[str, str], unplaced: Collection[str] = ()
) -> None:
    """Rounds as parsed and placed, and decisions about whether one begins a session."""
    with database.transaction() as conn:
        conn.execute("insert into file_content (sha256, bytes) values (repeat('a', 64), 'x')")
        conn.execute(
            """insert into file (server, name, kind, partition_key, status, sha256)
               select 's', key, 'stats', key, 'ingested', repeat('a', 64) from unnest(%s::text[]) key""",
            [[entry.key for entry in rounds]],
        )
        conn.execute(
            """insert into parsed_round (round_key, server, name, sha256, stamp_local, stamp, stamp_ambiguous, label, map,
                   server_name, config, limit_text, attack_time_text, limit_seconds, attack_seconds, tail_fields,
                   generation, session_if_first)
               select key, 's', key, repeat('a', 64), stamp at time zone 'UTC', stamp, false, 1, 'supply', '', '',
                      '12:00', '12:00', 720, 720, 38, 'invented', key
               from unnest(%s::text[], %s::timestamptz[]) as given (key, stamp)""",
            [[entry.key for entry in rounds], [entry.stamp for entry in rounds]],
        )
        conn.execute(
            """insert into round (round_key, match_key, number, status)
               select key, key, 1, 'r1_only' from unnest(%s::text[]) key""",
            [[entry.key for entry in rounds if entry.key not in unplaced]],
        )
        conn.execute(
            """insert into override (kind, server, round_key, value, reason, made_by)
               select 'session', 's', key, value, 'a test', 'Ada' from unnest(%s::text[], %s::text[]) as given (key, value)""",
            [list(decided), list(decided.values())],
        )


def touched(database: Database, keys: Sequence[str], *, placed: bool = True) -> list[list[Stamped]]:
    with database.connect() as conn:
        return touched_sessions(conn, "s", keys, GAP, placed=placed)


@pytest.mark.parametrize("seed", range(3))
def test_scattered_rounds_touch_the_sessions_that_all_rounds_make(database: Database, seed: int) -> None:
    drawn = random.Random(seed)
    lengths = (
        timedelta(0),
        timedelta(minutes=9),
        GAP,
        GAP + timedelta(seconds=1),
        timedelta(hours=11),
        timedelta(days=9),
    )
    rounds = rounds_with_breaks(drawn.choices(lengths, weights=(1, 30, 6, 2, 2, 2), k=200))
    decided = {entry.key: drawn.choice((CUT, JOIN)) for entry in drawn.sample(rounds, 12)}
    store_placed(database, rounds, decided)
    begins = {key: value == CUT for key, value in decided.items()}
    sessions = group_into_sessions(rounds, GAP, begins)
    for _ in range(25):
        keys = [entry.key for entry in drawn.sample(rounds, drawn.choice((1, 1, 2, 5)))]
        assert touched(database, keys) == [s for s in sessions if any(entry.key in keys for entry in s)]


def test_a_session_that_goes_on_for_days_is_read_to_its_ends(database: Database) -> None:
    rounds = rounds_with_breaks([timedelta(minutes=50)] * 200)
    store_placed(database, rounds, {})
    assert touched(database, ["s:100"]) == [rounds]


def test_a_session_that_somebody_joined_over_weeks_is_one_from_either_end(database: Database) -> None:
    week, minutes = timedelta(days=7), timedelta(minutes=9)
    rounds = rounds_with_breaks([minutes, minutes, 3 * week, minutes, week, minutes])
    store_placed(database, rounds, {"s:002": JOIN, "s:004": JOIN})
    assert touched(database, ["s:000"]) == touched(database, ["s:003"]) == touched(database, ["s:005"]) == [rounds]


def test_a_round_that_is_not_placed_joins_no_sessions_of_placed_ones(database: Database) -> None:
    rounds = rounds_with_breaks([GAP, GAP, GAP])
    store_placed(database, rounds, {"s:001": JOIN}, unplaced={"s:001"})
    assert touched(database, ["s:000"]) == [[rounds[0]]]
    assert touched(database, ["s:000"], placed=False) == [rounds]


def test_a_session_that_loses_a_round_is_touched_too(database: Database) -> None:
    rounds = rounds_with_breaks([timedelta(0), timedelta(days=2), timedelta(days=2)])
    store_placed(database, rounds, {})
    with database.transaction() as conn:
        conn.execute(
            "insert into session (session_key, server, started_at, ended_at) values ('s:1', 's', now(), now())"
        )
        conn.execute("insert into session_round values ('s:001', 's:1', 1), ('s:002', 's:1', 2)")
    assert touched(database, ["s:001"]) == [[rounds[1]], [rounds[2]]]
    assert touched(database, ["s:000"]) == [[rounds[0]]]


def test_a_round_nobody_knows_touches_nothing(database: Database) -> None:
    assert touched(database, ["s:404"]) == []
