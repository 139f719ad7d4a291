"""What the database itself refuses, whoever writes: the last guard behind parsers, rules and checks."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors, sql

from slomix_pipeline.rules.policy import COUNTERS
from slomix_pipeline_tests.postgres_fixtures import address_of

# One match of two rounds with its files, a player with a weapon in each, its timing record and its session.
WHOLE = """
insert into file_content (sha256, bytes) values (repeat('a', 64), 'x'), (repeat('b', 64), 'y'), (repeat('c', 64), 'z');
insert into file (server, name, kind, partition_key, status, sha256)
values ('s', 'one.txt', 'stats', 's:one', 'ingested', repeat('a', 64)),
       ('s', 'two.txt', 'stats', 's:two', 'ingested', repeat('b', 64)),
       ('s', 'record.json', 'timing', 's:record', 'ingested', repeat('c', 64));
insert into parsed_round (round_key, server, name, sha256, stamp_local, stamp, stamp_ambiguous, label, map, server_name,
    config, limit_text, attack_time_text, limit_seconds, attack_seconds, tail_fields, generation, session_if_first)
select 's:' || stem, 's', stem || '.txt', repeat(sha, 64), '2031-05-06 20:00'::timestamp + number * interval '8 min',
       '2031-05-06 20:00Z'::timestamptz + number * interval '8 min', false, number, 'supply', '', '', '12:00', '12:00',
       720, 720, 38, 'invented', 's:evening of ' || stem
from (values ('one', 'a', 1), ('two', 'b', 2)) as files (stem, sha, number);
insert into parsed_player (round_key, guid, name, rounds, side)
select 's:' || stem, guid, guid, 0, 1 from unnest(array['one', 'two']) stem, unnest(array['ADA', 'BOB']) guid;
insert into parsed_weapon select round_key, guid, 'mp40', 9, 20, 2, 1, 3 from parsed_player;
insert into timing_record (record_key, server, name, sha256, map, label, ended_at, duration_seconds)
values ('s:record', 's', 'record.json', repeat('c', 64), 'supply', 1, '2031-05-06 20:07:57Z', 480);
insert into session (session_key, server, started_at, ended_at)
values ('s:evening', 's', '2031-05-06 20:00Z', '2031-05-06 20:16Z');
insert into round (round_key, match_key, partner_key, number, status)
values ('s:one', 's:one', 's:two', 1, 'complete'), ('s:two', 's:one', 's:one', 2, 'complete');
insert into round_player (round_key, guid, name, side, kills, deaths, hits, shots, seconds_played, seconds_dead)
select round_key, guid, name, side, 2, 1, 9, 20, 480, 60 from parsed_player;
insert into round_weapon select * from parsed_weapon;
insert into round_timing (round_key, duration_seconds, duration_source, timing_status, record_key, link_class)
values ('s:one', 480, 'timing', 'ALIGNED', 's:record', 'exact_end'), ('s:two', 470, 'players', 'NO LUA DATA', null, 'none');
insert into session_round values ('s:one', 's:evening', 1), ('s:two', 's:evening', 2);
insert into session_player values ('s:evening', 'ADA', 'Ada', 'A'), ('s:evening', 'BOB', 'Bob', 'B');
insert into match (match_key, session_key, position, map, status, r1_key, r2_key, winner, source, reason, policy)
values ('s:one', 's:evening', 1, 'supply', 'complete', 's:one', 's:two', 'A', 'header', 'faster', 'map-wins/1');
insert into post (thing, kind, partition_key, state) values ('result:s:two', 'result', 's:two', 'claimed');
insert into check_result values ('s:one', 'parse', true, 'WARN', '{}');
insert into round_endstats (round_key, link_class, reason) values ('s:one', 'exact_end', null);
insert into endstats_file values ('s:endstats', 's:one', repeat('a', 64));
insert into award (round_key, position, label, player, text) values ('s:one', 1, 'Most kills', 'Ada', '2');
insert into versus (round_key, position, opponent, kills, deaths) values ('s:one', 1, 'Bob', 2, 1);
"""


@pytest.fixture(scope="module")
def whole_match(postgres_server: str, migrated_template: str) -> Iterator[psycopg.Connection]:
    """A connection to a database with ``WHOLE`` in it. What a test does there is taken back."""
    name = "constraints"
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        template = sql.Identifier(migrated_template)
        conn.execute(sql.SQL("create database {} owner slomix template {}").format(sql.Identifier(name), template))
    with psycopg.connect(address_of(postgres_server, name)) as conn:
        conn.execute(WHOLE)
        conn.commit()
        yield conn
        conn.rollback()
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def run(conn: psycopg.Connection, statement: str) -> None:
    """Runs a statement as if it were committed, and takes it back."""
    try:
        conn.execute(statement)  # the tests' own text
        conn.execute("set constraints all immediate")
    finally:
        conn.rollback()


ONE = "where round_key = 's:one' and guid = 'ADA'"

NEGATIVE = {
    **{
        f"negative {name}": f"update round_player set {name} = -1 {ONE}"
        for name in ("kills", "deaths", "headshots", "hits", "seconds_played", "seconds_dead", *COUNTERS)
        if name not in ("xp", "bullets_fired")
    },  # team kills cost experience; the engine takes shots back
    **{
        f"negative {name} with a weapon": f"update round_weapon set {name} = -1 {ONE}"
        for name in ("hits", "shots", "kills", "deaths", "headshots")
    },
    **{
        f"negative {name} with a weapon in the file": f"update parsed_weapon set {name} = -1 {ONE}"
        for name in ("hits", "shots", "kills", "deaths", "headshots")
    },
    "a round of no length": "update round_timing set duration_seconds = 0",
    "a timing record of negative length": "update timing_record set duration_seconds = -5",
    "negative times of trying": "update file set attempts = -1",
    "a negative size": "update file set size = -1",
    "a negative time limit": "update parsed_round set limit_seconds = -1",
    "a negative time of attack": "update parsed_round set attack_seconds = -1",
    "a play time of 0": "update parsed_round set playtime_seconds = 0",
    "negative kills over somebody": "update versus set kills = -1",
    "negative deaths by somebody": "update versus set deaths = -1",
}

ORPHANS = {
    "a parsed round without its file": "update parsed_round set name = 'nowhere.txt' where round_key = 's:one'",
    "a parsed round without its bytes": "update parsed_round set sha256 = repeat('d', 64)",
    "a file whose bytes were never stored": "update file set sha256 = repeat('d', 64)",
    "the bytes of a file taken away": "delete from file_content",
    "a parsed player without a round": "insert into parsed_player (round_key, guid, name, rounds, side) "
    "values ('s:none', 'EVE', 'Eve', 0, 1)",
    "a parsed weapon without a player": "insert into parsed_weapon values ('s:one', 'EVE', 'mp40', 1, 1, 0, 0, 0)",
    "a round that was never parsed": "insert into round (round_key, match_key, number, status) "
    "values ('s:none', 's:none', 1, 'r1_only')",
    "a player without a round": "insert into round_player (round_key, guid, name) values ('s:none', 'EVE', 'Eve')",
    "a weapon without a player": "insert into round_weapon values ('s:one', 'EVE', 'mp40', 1, 1, 0, 0, 0)",
    "timing without a round": "update round_timing set round_key = 's:none' where round_key = 's:two'",
    "timing from a record that is not there": "update round_timing set record_key = 's:none' where round_key = 's:one'",
    "a round in a session that is not there": "update session_round set session_key = 's:none'",
    "a session's round that is not there": "update session_round set round_key = 's:none' where position = 1",
    "a player of a session that is not there": "insert into session_player values ('s:none', 'EVE', 'Eve', 'A')",
    "a match in a session that is not there": "update match set session_key = 's:none'",
    "a match whose round 1 is not there": "update match set r1_key = 's:none'",
    "a match whose round 2 is not there": "update match set r2_key = 's:none'",
    "awards of a round that is not there": "update round_endstats set round_key = 's:none'",
    "an award without its round's link": "insert into award (round_key, position, label, player, text) "
    "values ('s:two', 1, 'Most kills', 'Ada', '2')",
    "a duel without its round's link": "insert into versus (round_key, position, opponent, kills, deaths) "
    "values ('s:two', 1, 'Bob', 2, 1)",
}

TWICE = {
    "a file twice": "insert into file (server, name, kind, status) values ('s', 'one.txt', 'stats', 'listed')",
    "two files for one round": "update file set partition_key = 's:one' where name = 'two.txt'",
    "the same bytes stored twice": "insert into file_content (sha256, bytes) values (repeat('a', 64), 'x')",
    "a round parsed twice": "update parsed_round set round_key = 's:one'",
    "a player twice in a file": "update parsed_player set guid = 'ADA'",
    "a player twice in a round": "update round_player set guid = 'EVE' where round_key = 's:two'",
    "two rounds 1 of one match": "update round set number = 1",
    "one timing record for two rounds": "update round_timing set record_key = 's:record', link_class = 'exact_end' where round_key = 's:two'",
    "two rounds in one place of a session": "update session_round set position = 1",
    "a round in two sessions": "insert into session_round values ('s:one', 's:evening', 3)",
    "a known team twice, in other letters": "insert into known_team values ('Owls', null, '{ADA}'), ('OWLS', null, '{BOB}')",
    "a player twice in a session": "insert into session_player values ('s:evening', 'ADA', 'Ada', 'B')",
    "a match twice": "insert into match (match_key, session_key, position, map, status, reason, policy) "
    "values ('s:one', 's:evening', 2, 'supply', 'complete', '', '')",
    "two matches in one place of a session": "insert into match (match_key, session_key, position, map, status, reason, policy) "
    "values ('s:two', 's:evening', 1, 'supply', 'r2_only', '', '')",
    "a round in two matches": "insert into match (match_key, session_key, position, map, status, reason, policy, r2_key) "
    "values ('s:two', 's:evening', 2, 'supply', 'r2_only', '', '', 's:two')",
    "a thing said twice": "insert into post (thing, kind, partition_key, state) values ('result:s:two', 'result', 's:two', 'claimed')",
    "a thing due twice": "insert into due (thing, kind, partition_key, due_until) "
    "values ('round1:s:one', 'round1', 's:one', now()), ('round1:s:one', 'round1', 's:one', now())",
    "two outcomes of a check": "insert into check_result values ('s:one', 'parse', false, 'WARN', '{}')",
    "one endstats file for two rounds": "insert into round_endstats values ('s:two', 'exact_end'); "
    "insert into endstats_file values ('s:endstats', 's:two', repeat('a', 64))",
}

IMPOSSIBLE = {
    "a round 3": "update round set number = 3 where round_key = 's:two'",
    "a round 0": "update round set number = 0 where round_key = 's:two'",
    "a file labelled round 3": "update parsed_round set label = 3 where round_key = 's:two'",
    "a timing record labelled round 0": "update timing_record set label = 0",
    "a side 3 in a round": f"update round_player set side = 3 {ONE}",
    "a side 0 in a round": f"update round_player set side = 0 {ONE}",
    "a side 4 in a file": f"update parsed_player set side = 4 {ONE}",
    "an unknown status of a round": "update round set status = 'fine'",
    "an unknown status of a match": "update match set status = 'fine'",
    "an unknown status of a file": "update file set status = 'done'",
    "a file of an unknown kind": "update file set kind = 'picture'",
    "a third team": "update session_player set team = 'C'",
    "a third team of a session": "insert into session_team values ('s:evening', 'C', 'Owls', 'known')",
    "a team's name from nowhere": "insert into session_team values ('s:evening', 'A', 'Owls', 'guess')",
    "a reason why a player of a team has none": "update session_player set open_reason = 'a tie'",
    "teams that are unheard-of sure": "update session set team_confidence = 'total', team_reasons = '{}', team_flags = '[]'",
    "teams that are sure without a reason": "update session set team_confidence = 'high'",
    "a known team of nobody": "insert into known_team values ('Owls', null, '{}')",
    "a known team of one letter": "insert into known_team values ('O', null, '{ADA}')",
    "a known team with outer spaces": "insert into known_team values ('Owls ', null, '{ADA}')",
    "a colour that is none": "insert into known_team values ('Owls', -1, '{ADA}')",
    "a winner that is no team": "update match set winner = 'C'",
    "a result from nowhere": "update match set source = 'guess'",
    "more head hits than hits with a weapon": f"update round_weapon set headshots = hits + 1 {ONE}",
    "more head hits than hits in a file": f"update parsed_weapon set headshots = hits + 1 {ONE}",
    "longer dead than there": f"update round_player set seconds_dead = seconds_played + 1 {ONE}",
    "a length without its source": "update round_timing set duration_source = null",
    "a source without its length": "update round_timing set duration_seconds = null",
    "a length from nowhere": "update round_timing set duration_source = 'guess'",
    "an unknown timing status": "update round_timing set timing_status = 'FINE'",
    "a linked record that is not called linked": "update round_timing set link_class = 'fuzzy'",
    "a link without a record": "update round_timing set link_class = 'exact_end' where round_key = 's:two'",
    "an empty GUID": f"update parsed_player set guid = '' {ONE}",
    "a GUID of 9 characters": f"update parsed_player set guid = 'ABCDEFGH9' {ONE}",
    "a sha256 that is none": "insert into file_content (sha256, bytes) values ('abc', 'x')",
    "a tail of a width no writer had": "update parsed_round set tail_fields = 12",
    "a place 0 in a session": "update session_round set position = 0 where round_key = 's:one'",
    "a match in place 0": "update match set position = 0",
    "a message sent without its id": "update post set state = 'sent'",
    "a message whose id is known but that nobody sent": "update post set state = 'told', message_id = '1'",
    "a message under another's name": "update post set kind = 'round1'",
    "a message of a kind that nobody knows": "update post set kind = 'gossip', thing = 'gossip:s:two'",
    "an unknown state of a message": "update post set state = 'maybe'",
    "a check neither WARN nor ERROR": "update check_result set severity = 'INFO'",
    "a round that can't be scored but counts": "update round set unscored_reason = 'bots'",
    "an award that counts something, of no round": "update award set award = 'kills'",
}

NEEDED = {
    "a player without a name": f"update round_player set name = null {ONE}",
    "a round without a status": "update round set status = null",
    "a round without its match": "update round set match_key = null",
    "a parsed round without its time": "update parsed_round set stamp = null",
    "a match without a reason": "update match set reason = null",
    "a weapon with unknown hits": f"update round_weapon set hits = null {ONE}",
}

REFUSED = {
    **dict.fromkeys(NEGATIVE, errors.CheckViolation),
    **dict.fromkeys(ORPHANS, errors.ForeignKeyViolation),
    **dict.fromkeys(TWICE, errors.UniqueViolation),
    **dict.fromkeys(IMPOSSIBLE, errors.CheckViolation),
    **dict.fromkeys(NEEDED, errors.NotNullViolation),
}
STATEMENTS = NEGATIVE | ORPHANS | TWICE | IMPOSSIBLE | NEEDED


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_refuses(whole_match: psycopg.Connection, what: str) -> None:
    with pytest.raises(REFUSED[what]):
        run(whole_match, STATEMENTS[what])


TAKEN = {
    "unknown numbers": f"update round_player set kills = null, seconds_played = null, seconds_dead = null {ONE}",
    "shots that the engine took back": f"update round_player set shots = -2, bullets_fired = -2 {ONE}",
    "experience lost": f"update round_player set xp = -3 {ONE}",
    "explosives that hit more often than they were used": f"update round_weapon set shots = 1 {ONE}",
    "more head hits than kills": f"update round_player set headshots = 9, kills = 2 {ONE}",
    "more team kills than kills": f"update round_player set team_kills = 3, kills = 2 {ONE}",
    "dead all the time": f"update round_player set seconds_dead = seconds_played {ONE}",
    "a player whose side is unknown": f"update round_player set side = null {ONE}",
    "a player whose team is open": "update session_player set team = null",
    "a match that is not counted": "update match set winner = null, source = null",
}


@pytest.mark.parametrize("what", TAKEN)
def test_the_database_takes(whole_match: psycopg.Connection, what: str) -> None:
    run(whole_match, TAKEN[what])


def test_what_belongs_to_a_round_goes_with_it(whole_match: psycopg.Connection) -> None:
    tables = (
        "round",
        "round_player",
        "round_weapon",
        "round_timing",
        "session_round",
        "match",
        "parsed_player",
        "parsed_weapon",
        "round_endstats",
        "award",
        "versus",
    )
    try:
        whole_match.execute("delete from parsed_round where round_key = 's:one'")
        left = {table: _rows_of_round_1(whole_match, table) for table in tables}
    finally:
        whole_match.rollback()
    assert left == dict.fromkeys(tables, 0)


def _rows_of_round_1(conn: psycopg.Connection, table: str) -> int:
    column = "r1_key" if table == "match" else "round_key"
    query = sql.SQL("select count(*) from {} where {} = 's:one'").format(sql.Identifier(table), sql.Identifier(column))
    (count,) = conn.execute(query).fetchone() or (-1,)
    return int(count)
