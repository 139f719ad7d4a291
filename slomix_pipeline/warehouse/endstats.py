"""Endstats in the database: which files wait for a round, and the awards and duels of rounds.

Belongs here: ``round_endstats``, ``endstats_file``, ``award``, ``versus``.
Does not belong here: which file belongs to which round (``rules.endstats``).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.formats.names import readable
from slomix_pipeline.rules.endstats import EndstatsLink, ResolvedAward, ResolvedVersus
from slomix_pipeline.rules.linking import Clocked
from slomix_pipeline.warehouse.facts import rewrite_duels


def waiting_for(conn: Connection[DictRow], round_keys: Iterable[str]) -> list[str]:
    """The keys of the unread endstats files that may belong to rounds."""
    rows = conn.execute(
        "select distinct file_key from unread_endstats where round_key = any(%s) order by 1", [list(round_keys)]
    )
    return [row["file_key"] for row in rows]


def local_rounds(conn: Connection[DictRow], round_keys: Iterable[str]) -> dict[str, Clocked]:
    """Rounds by the game server's own wall clock, as labelled, by key."""
    rows = conn.execute(
        "select round_key, map, label, stamp_local from parsed_round where round_key = any(%s)", [list(round_keys)]
    )
    return {row["round_key"]: Clocked(row["round_key"], row["map"], row["label"], row["stamp_local"]) for row in rows}


def files_read(
    conn: Connection[DictRow], server: str, spans: Sequence[tuple[datetime, datetime]]
) -> tuple[list[list[Clocked]], dict[str, str]]:
    """The endstats files named between two moments of the server's wall clock, for each such span, and the sha256 of
    all: of one whose present version could not be read, or was not yet, the earlier version."""
    rows = conn.execute(
        """select span.number, f.partition_key, f.named_map, f.named_number, f.named_stamp,
                  case f.status when 'ingested' then f.sha256 else earlier.sha256 end as sha256
           from unnest(%(first)s::timestamp[], %(last)s::timestamp[]) with ordinality as span (first, last, number)
           join file f on f.named_stamp between span.first and span.last
           left join endstats_file earlier on earlier.file_key = f.partition_key
           where f.server = %(server)s and f.kind = 'endstats'
             and (f.status = 'ingested' or earlier.sha256 is not null)""",
        {"server": server, "first": [first for first, _ in spans], "last": [last for _, last in spans]},
    ).fetchall()
    found: list[list[Clocked]] = [[] for _ in spans]
    for row in rows:
        clocked = Clocked(row["partition_key"], row["named_map"], row["named_number"], row["named_stamp"])
        found[row["number"] - 1].append(clocked)
    return found, {row["partition_key"]: row["sha256"] for row in rows}


def store_endstats(
    conn: Connection[DictRow],
    links: Mapping[str, EndstatsLink],
    digests: Mapping[str, str],
    awards: Mapping[str, Sequence[ResolvedAward]],
    duels: Mapping[str, Sequence[ResolvedVersus]],
) -> None:
    """Writes the endstats of rounds, by round key, in place of what was there. ``digests``: sha256 by file key."""
    conn.execute(
        """update session set awarded_at = now()
           where session_key in (select session_key from session_round where round_key = any(%s))""",
        [list(links)],
    )
    conn.execute("delete from round_endstats where round_key = any(%s)", [list(links)])
    with conn.cursor() as cursor:
        with cursor.copy("copy round_endstats (round_key, link_class, reason) from stdin") as copy:
            for key, link in links.items():
                copy.write_row((key, link.link_class, link.reason))
        with cursor.copy("copy endstats_file (file_key, round_key, sha256) from stdin") as copy:
            for key, link in links.items():
                for file_key in link.keys:
                    copy.write_row((file_key, key, digests[file_key]))
        with cursor.copy(
            "copy award (round_key, position, label, award, player, guid, value, unit, text, scope) from stdin"
        ) as copy:
            for key, found in awards.items():
                for row in award_rows(found):
                    copy.write_row((key, *row))
        with cursor.copy(
            "copy versus (round_key, position, player, guid, opponent, opponent_guid, kills, deaths) from stdin"
        ) as copy:
            for key, lines in duels.items():
                for line in duel_rows(lines):
                    copy.write_row((key, *line))
    rows = conn.execute("select distinct session_key from session_round where round_key = any(%s)", [list(links)])
    rewrite_duels(conn, [row["session_key"] for row in rows])


def award_rows(awards: Sequence[ResolvedAward]) -> list[tuple[object, ...]]:
    """The awards of a round as they are stored, without its key."""
    return [
        (
            position,
            readable(a.award.label),
            kind.name if kind else None,
            readable(a.award.player),
            a.guid,
            a.award.value,
            kind.unit if kind else None,
            readable(a.award.text),
            a.scope,
        )
        for position, a in enumerate(awards, start=1)
        for kind in [a.award.kind]
    ]


def duel_rows(duels: Sequence[ResolvedVersus]) -> list[tuple[object, ...]]:
    """Who killed whom in a round as it is stored, without its key."""
    return [
        (
            position,
            None if d.player is None else readable(d.player),
            d.guid,
            readable(d.opponent),
            d.opponent_guid,
            d.kills,
            d.deaths,
        )
        for position, d in enumerate(duels, start=1)
    ]


def stored_endstats(
    conn: Connection[DictRow], round_keys: Sequence[str]
) -> tuple[dict[str, list[tuple[object, ...]]], dict[str, list[tuple[object, ...]]]]:
    """The stored awards and duels of rounds by key, each as ``award_rows`` and ``duel_rows`` have them."""
    awards: dict[str, list[tuple[object, ...]]] = {}
    duels: dict[str, list[tuple[object, ...]]] = {}
    for row in conn.execute(
        """select round_key, position, label, award, player, guid, value, unit, text, scope from award
           where round_key = any(%s) order by round_key, position""",
        [round_keys],
    ):
        awards.setdefault(row.pop("round_key"), []).append(tuple(row.values()))
    for row in conn.execute(
        """select round_key, position, player, guid, opponent, opponent_guid, kills, deaths from versus
           where round_key = any(%s) order by round_key, position""",
        [round_keys],
    ):
        duels.setdefault(row.pop("round_key"), []).append(tuple(row.values()))
    return awards, duels
