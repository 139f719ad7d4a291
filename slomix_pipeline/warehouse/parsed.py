"""Parsed stats files in the database: rounds, players and weapons as the game server wrote them.

Belongs here: ``parsed_*``.
Does not belong here: what a round's own numbers are (``results``).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import FileName
from slomix_pipeline.formats.keys import session_key
from slomix_pipeline.formats.names import readable
from slomix_pipeline.formats.tail import TAIL_FIELDS
from slomix_pipeline.rules.linking import Clocked
from slomix_pipeline.rules.stamps import Moment
from slomix_pipeline.rules.stats_files import parse_stats, parsed_before
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.warehouse.files import FileRow, contents
from slomix_pipeline.warehouse.keeping import ReadOtherwise


class FiledStats(NamedTuple):
    """A stats file that was parsed: where it is from, what its name says, its stamp in UTC."""

    row: FileRow
    name: FileName
    moment: Moment
    stats: gamestats.StatsFile


def store_rounds(conn: Connection[DictRow], filed: Sequence[FiledStats]) -> None:
    """Writes parsed stats files, in place of earlier versions of them, and reads them back.

    Raises:
        ReadOtherwise: the database holds something else.
    """
    keys = [entry.row.key for entry in filed]
    with conn.cursor() as cursor:
        cursor.executemany(_STORE_HEADER, [_header_values(entry) for entry in filed])
        cursor.execute("delete from parsed_player where round_key = any(%s)", [keys])
        columns = ", ".join(TAIL_FIELDS)
        with cursor.copy(f"copy parsed_player (round_key, guid, name, rounds, side, {columns}) from stdin") as copy:
            for entry in filed:
                for row in _player_rows(entry.stats):
                    copy.write_row((entry.row.key, *row))
        with cursor.copy("copy parsed_weapon from stdin") as copy:
            for entry in filed:
                for row in _weapon_rows(entry.stats):
                    copy.write_row((entry.row.key, *row))
    stored = _read_back(conn, keys)
    for entry in filed:
        differing = [
            f"{what} {stored[entry.row.key][what]} instead of {value}"
            for what, value in to_read_back(entry.stats).items()
            if stored[entry.row.key][what] != value
        ]
        if differing:
            raise ReadOtherwise(f"the database holds {', '.join(differing)}")


def _player_rows(stats: gamestats.StatsFile) -> list[tuple[object, ...]]:
    return [
        (player.guid, readable(player.name), player.rounds, player.side, *map(player.tail.__getitem__, TAIL_FIELDS))
        for player in stats.players
    ]


def _weapon_rows(stats: gamestats.StatsFile) -> list[tuple[object, ...]]:
    return [
        (player.guid, weapon, c.hits, c.shots, c.kills, c.deaths, c.headshots)
        for player in stats.players
        for weapon, c in player.weapons.items()
    ]


def read_otherwise(conn: Connection[DictRow], rounds: Iterable[FiledRound]) -> dict[str, list[str]]:
    """What the database holds of parsed rounds otherwise than their files say, in words, by key."""
    filed = {entry.key: entry.stats for entry in rounds}
    columns = ", ".join(TAIL_FIELDS)
    players: dict[str, set[tuple[object, ...]]] = {key: set() for key in filed}
    weapons: dict[str, set[tuple[object, ...]]] = {key: set() for key in filed}
    for into, query in (
        (players, f"select round_key, guid, name, rounds, side, {columns} from parsed_player"),
        (weapons, "select round_key, guid, weapon, hits, shots, kills, deaths, headshots from parsed_weapon"),
    ):
        for row in conn.execute(f"{query} where round_key = any(%s)", [list(filed)]):
            into[row.pop("round_key")].add(tuple(row.values()))
    stored = headers(conn, filed)
    found: dict[str, list[str]] = {}
    for key, stats in filed.items():
        theirs = {str(row[0]) for row in players[key] ^ set(_player_rows(stats))}
        guns = {f"{row[0]} {row[1]}" for row in weapons[key] ^ set(_weapon_rows(stats))}
        plain = {name: getattr(stats.header, name) for name in _PLAIN_OF_HEADER}
        head = {name for name, value in plain.items() if getattr(stored[key], name) != value}
        if said := [*sorted(head), *(f"line of {guid}" for guid in sorted(theirs)), *sorted(guns)]:
            found[key] = said
    return found


_PLAIN_OF_HEADER = ("number", "defender_side", "winner_side", "limit_seconds", "attack_seconds", "playtime_seconds")
_STORE_HEADER = """
    insert into parsed_round (round_key, server, name, sha256, stamp_local, stamp, stamp_ambiguous, label, map,
        server_name, config, header_number, defender_side, winner_side, limit_text, attack_time_text,
        playtime_text, limit_seconds, attack_seconds, playtime_seconds, tail_fields, generation,
        session_if_first)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (round_key) do update set (sha256, stamp_local, stamp, stamp_ambiguous, label, map,
        server_name, config, header_number, defender_side, winner_side, limit_text, attack_time_text,
        playtime_text, limit_seconds, attack_seconds, playtime_seconds, tail_fields, generation, parsed_at)
      = (excluded.sha256, excluded.stamp_local, excluded.stamp, excluded.stamp_ambiguous, excluded.label,
        excluded.map, excluded.server_name, excluded.config, excluded.header_number, excluded.defender_side,
        excluded.winner_side, excluded.limit_text, excluded.attack_time_text, excluded.playtime_text,
        excluded.limit_seconds, excluded.attack_seconds, excluded.playtime_seconds, excluded.tail_fields,
        excluded.generation, now())"""


def _header_values(entry: FiledStats) -> list[object]:
    row, name, moment, stats = entry
    header = stats.header
    assert name.stamp is not None
    return [
        row.key,
        row.server,
        row.name,
        row.sha256,
        name.stamp,
        moment.at,
        moment.ambiguous,
        name.number,
        readable(header.map_name),
        readable(header.server_name),
        readable(header.config),
        header.number,
        header.defender_side,
        header.winner_side,
        readable(header.limit),
        readable(header.attack_time),
        None if header.playtime is None else readable(header.playtime),
        header.limit_seconds,
        header.attack_seconds,
        header.playtime_seconds,
        stats.tail_fields,
        stats.generation,
        session_key(row.server, name.stamp),
    ]


def to_read_back(stats: gamestats.StatsFile) -> dict[str, int]:
    """What is counted of a stats file, to be compared with what the database then holds."""
    return {
        "players": len(stats.players),
        "weapon_rows": sum(len(player.weapons) for player in stats.players),
        "kills": sum(player.total("kills") for player in stats.players),
        "deaths": sum(player.total("deaths") for player in stats.players),
        "headshots": sum(player.total("headshots") for player in stats.players),
        "damage_given": sum(int(player.tail["damage_given"] or 0) for player in stats.players),
    }


def _read_back(conn: Connection[DictRow], keys: Sequence[str]) -> dict[str, DictRow]:
    """What the database now holds of parsed rounds, by key: players, weapon rows and their sums."""
    rows = conn.execute(
        """select round_key, coalesce(players, 0) as players, coalesce(damage_given, 0) as damage_given,
                  coalesce(weapon_rows, 0) as weapon_rows, coalesce(kills, 0) as kills,
                  coalesce(deaths, 0) as deaths, coalesce(headshots, 0) as headshots
           from unnest(%(keys)s::text[]) round_key
           left join (select round_key, count(*) as players, sum(damage_given) as damage_given
                      from parsed_player where round_key = any(%(keys)s) group by round_key) p using (round_key)
           left join (select round_key, count(*) as weapon_rows, sum(kills) as kills, sum(deaths) as deaths,
                             sum(headshots) as headshots
                      from parsed_weapon where round_key = any(%(keys)s) group by round_key) w using (round_key)""",
        {"keys": list(keys)},
    )
    return {row["round_key"]: row for row in rows}


def keeps_earlier(conn: Connection[DictRow], row: FileRow, reason: str) -> str:
    """The reason why a file is not taken, with the version that its round keeps, if it has one."""
    earlier = conn.execute("select sha256 from parsed_round where round_key = %s", [row.partition_key]).fetchone()
    return reason if earlier is None else f"{reason}; the round keeps its earlier version {earlier['sha256'][:12]}"


def load_rounds(conn: Connection[DictRow], keys: Iterable[str]) -> list[FiledRound]:
    """Parsed rounds in order of their stamps, by their stored bytes."""
    rows = conn.execute(
        "select round_key, stamp, label, sha256 from parsed_round where round_key = any(%s) order by stamp, round_key",
        [list(keys)],
    ).fetchall()
    digests = {row["sha256"] for row in rows}
    stats = {digest: known for digest in digests if (known := parsed_before(digest))}
    if unread := digests - stats.keys():
        stats |= {digest: parse_stats(data) for digest, data in contents(conn, unread).items()}
    return [FiledRound(r["round_key"], r["stamp"], r["label"], stats[r["sha256"]]) for r in rows]


def stamps(conn: Connection[DictRow], server: str) -> dict[str, datetime]:
    """The stamps of all parsed rounds of a server, by key."""
    rows = conn.execute("select round_key, stamp from parsed_round where server = %s", [server])
    return {row["round_key"]: row["stamp"] for row in rows}


def headers(conn: Connection[DictRow], keys: Iterable[str]) -> dict[str, gamestats.Header]:
    """The headers of parsed rounds, by key."""
    rows = conn.execute("select * from parsed_round where round_key = any(%s)", [list(keys)])
    return {
        row["round_key"]: gamestats.Header(
            row["server_name"],
            row["map"],
            row["config"],
            row["header_number"],
            row["defender_side"],
            row["winner_side"],
            row["limit_text"],
            row["attack_time_text"],
            row["playtime_text"],
        )
        for row in rows
    }


def clocked(conn: Connection[DictRow], keys: Iterable[str]) -> dict[str, Clocked]:
    """Parsed rounds as records are matched with them, by key."""
    rows = conn.execute(
        "select round_key, map, label, stamp from parsed_round where round_key = any(%s)",
        [list(keys)],
    )
    return {row["round_key"]: Clocked(row["round_key"], row["map"], row["label"], row["stamp"]) for row in rows}
