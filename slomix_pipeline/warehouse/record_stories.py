"""What stands around each record: what it broke, who comes next; and records of teams: the longest hold and run.

Belongs here: asking about records what the book does not say. Does not belong here: the records (``records``), which
of them fell in a session as it was then (``fallen_records``).

Only who may be named has a part in it, as in the book.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.formats.tail import NEWEST_LAYOUT
from slomix_pipeline.rules.records import NightEnded, RecordKind, longest_runs
from slomix_pipeline.rules.score_policies import Points, session_winner
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class Beaten:
    """What somebody else reached, or he himself in another session, which began at ``started_at``."""

    value: float
    guid: str
    name: str
    session_key: str
    started_at: datetime


@dataclass(frozen=True)
class Story:
    """A record of a player. ``broke``: the best of all sessions before; ``next_best``: the best of anybody who does not
    hold it; None where there was none."""

    record: RecordSeen
    broke: Beaten | None
    next_best: Beaten | None


@dataclass(frozen=True)
class Hold:
    """The defence that held longest, until its limit or for what it had to beat; nobody gave up. ``equalled``: how many
    others held as long."""

    seconds: int
    map: str
    round_key: str
    ended_at: datetime
    guids: tuple[str, ...]
    holders: tuple[str, ...]
    equalled: int


@dataclass(frozen=True)
class RunSeen:
    """A run of evenings won. ``first``, ``last``: the sessions at its ends."""

    guid: str
    name: str
    nights: int
    first: str
    last: str
    ended_at: datetime
    goes_on: bool


_BROKE = """
    select n.{kind}::double precision as value, n.guid, n.session_key, s.started_at
    from book_night n
    join session s using (session_key)
    join session own on own.session_key = %(session)s
    where n.level = %(level)s and n.map = %(map)s and n.guid = any(%(guids)s) and n.{kind} > 0
      and (s.started_at, s.session_key) < (own.started_at, own.session_key)
    order by n.{kind} desc, s.started_at, s.session_key, n.guid limit 1"""

# The same where so few sessions were before that it is faster to look into them than to go down from the best of all.
_BROKE_EARLY = """
    select n.{kind}::double precision as value, n.guid, n.session_key, s.started_at
    from book_night n
    join session s using (session_key)
    where n.level = %(level)s and n.map = %(map)s and n.guid = any(%(guids)s) and n.{kind} > 0
      and n.session_key = any(%(first)s)
    order by n.{kind} desc, s.started_at, s.session_key, n.guid limit 1"""
_EARLY = 30  # sessions

_NEXT = """
    select n.{kind}::double precision as value, n.guid, n.session_key, s.started_at
    from book_night n
    join session s using (session_key)
    where n.level = %(level)s and n.map = %(map)s and n.guid = any(%(others)s) and n.{kind} > 0
    order by n.{kind} desc, s.started_at, s.session_key, n.guid limit 1"""

_HOLD = """
    select a.seconds, a.map, a.round_key, a.stamp as ended_at, team.guids, team.holders, longest.count - 1 as equalled
    from (select seconds, count(*) from map_attack
          where in_book and not completed and given_up is false and team is not null
            and (%(map)s::text is null or map = %(map)s)
          group by seconds order by seconds desc limit 1) longest
    cross join lateral (
        select * from map_attack own
        where own.seconds = longest.seconds and in_book and not completed and given_up is false and team is not null
          and (%(map)s::text is null or own.map = %(map)s)
        order by stamp, round_key limit 1
    ) a
    cross join lateral (
        select coalesce(array_agg(p.person order by p.name, p.person), '{}') as guids,
               coalesce(array_agg(p.name order by p.name, p.person), '{}') as holders
        from player_round_fact f join board_person p using (guid)
        where f.round_key = a.round_key and f.team <> a.team
    ) team"""


def stories(
    conn: Connection[DictRow],
    found: Sequence[RecordSeen],
    who: Mapping[str, tuple[str, str]],
    map_name: str | None = None,
) -> list[Story]:
    """These records of players with what stands around them. ``who``: may be named (``records.named``); ``map_name``:
    they are of this map alone."""
    first = _first_sessions(conn)
    made = []
    for record in found:
        if record.kind is RecordKind.ATTACK:
            continue
        holders = {*record.guids, *record.later_guids}
        is_early = record.session_key in first
        asked = {
            "session": record.session_key,
            "first": first[: first.index(record.session_key)] if is_early else [],
            "level": record.level,
            "map": map_name or "",
            "guids": list(who),
            "others": [guid for guid, (person, _) in who.items() if person not in holders],
        }
        broke, next_best = (
            _beaten(conn.execute(sql.SQL(query).format(kind=sql.Identifier(record.kind)), asked).fetchone(), who)
            for query in (_BROKE_EARLY if is_early else _BROKE, _NEXT)
        )
        made.append(Story(record, broke, next_best))
    return made


def _first_sessions(conn: Connection[DictRow]) -> list[str]:
    rows = conn.execute("select session_key from session order by started_at, session_key limit %s", [_EARLY])
    return [row["session_key"] for row in rows]


def _beaten(row: DictRow | None, who: Mapping[str, tuple[str, str]]) -> Beaten | None:
    if row is None:
        return None
    person, name = who[row["guid"]]
    return Beaten(row["value"], person, name, row["session_key"], row["started_at"])


def known_since(conn: Connection[DictRow]) -> datetime | None:
    """Since when files know the numbers that old ones lack; None: there are no older ones."""
    row = conn.execute(
        """select min(stamp) filter (where tail_fields >= %(all)s) as known, min(stamp) as first from parsed_round""",
        {"all": NEWEST_LAYOUT},
    ).fetchone()
    return row["known"] if row and row["known"] != row["first"] else None


def longest_hold(conn: Connection[DictRow], map_name: str | None = None) -> Hold | None:
    """The defence that held longest, of one map or of all; of equal ones the first."""
    with conn.cursor(row_factory=rows_of(Hold)) as cursor:
        return cursor.execute(_HOLD, {"map": map_name}).fetchone()


def longest_run(
    conn: Connection[DictRow], who: Mapping[str, tuple[str, str]], still_runs: Callable[[datetime], bool]
) -> list[RunSeen]:
    """The longest run of evenings won; of everybody who had one as long, in time. ``who``: may be named;
    ``still_runs``: whether a session that ended then, so far, may go on, and nobody won it yet."""
    winners, ended = _decided(conn, still_runs)
    nights: dict[str, dict[str, bool | None]] = {key: {} for key in winners}
    for row in conn.execute(
        """select session_key, team, array_agg(guid order by guid) as guids from session_player
           where team is not null group by session_key, team"""
    ):
        winner = winners.get(row["session_key"])
        if winner is None:
            continue
        won = None if winner is Winner.DRAW else row["team"] == winner
        own = nights[row["session_key"]]
        for person, _ in (who[guid] for guid in row["guids"] if guid in who):
            own[person] = won if own.get(person, won) == won else False  # who was in both teams did not win
    found = longest_runs(NightEnded(person, key, won) for key, own in nights.items() for person, won in own.items())
    names = dict(who.values())
    return [
        RunSeen(
            run.guid,
            names[run.guid],
            len(run.sessions),
            run.sessions[0],
            run.sessions[-1],
            ended[run.sessions[-1]],
            run.goes_on,
        )
        for run in found
    ]


def _decided(
    conn: Connection[DictRow], still_runs: Callable[[datetime], bool]
) -> tuple[dict[str, Winner], dict[str, datetime]]:
    """The sessions that are over and were decided, in order of play: who won each, and when it ended."""
    winners, ended = {}, {}
    for row in conn.execute(
        """select session_key, ended_at, points_a, points_b, matches - not_counted as counted, without_points
           from session_score order by started_at, session_key"""
    ):
        won = session_winner(Points(row["points_a"], row["points_b"]), row["counted"], row["without_points"])
        if won is not None and not still_runs(row["ended_at"]):
            winners[row["session_key"]], ended[row["session_key"]] = won, row["ended_at"]
    return winners, ended
