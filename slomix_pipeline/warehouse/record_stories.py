"""What stands around each record: what it broke, who comes next; and records of teams: the longest hold and run.

Belongs here: asking about records what the book does not say. Does not belong here: the records (``records``), which
of them fell in a session as it was then (``fallen_records``).

Only who may be named has a part in it, as in the book.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.formats.tail import NEWEST_LAYOUT
from slomix_pipeline.rules.records import PLACES, EveningEnded, RecordKind, longest_runs
from slomix_pipeline.rules.score_policies import Points, session_winner
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.warehouse.records import RecordSeen, of_each
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class Beaten:
    """What was reached in another session, which began at ``started_at``, and by whom: one player, or the team of an
    attack, as far as they may be named."""

    value: float
    guids: tuple[str, ...]
    holders: tuple[str, ...]
    session_key: str
    started_at: datetime


@dataclass(frozen=True)
class Story:
    """A record. ``broke``: the best of all sessions before; ``next_best``: the best of anybody who does not hold it, of
    attacks not told; None where there was none."""

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


# Of one kind at one level, from the index of its column; asked of all of them at once: see of_each. What a place has no
# record for, and which of the first two is not to be asked, is null: that part is not begun.
_BROKE = """
    (select {name} as kind, {level} as level, true as is_broken, n.{kind}::double precision as value, n.guid,
            n.session_key, s.started_at
     from book_night n
     join session s using (session_key)
     where (%(begun)s::timestamptz[])[{at}] is not null
       and n.level = {level} and n.map = %(map)s and n.guid = any(%(guids)s) and n.{kind} > 0
       and (s.started_at, s.session_key) < ((%(begun)s::timestamptz[])[{at}], (%(sessions)s::text[])[{at}])
     order by n.{kind} desc, s.started_at, s.session_key, n.guid limit 1)"""

# The same where so few sessions were before that it is faster to look into them than to go down from the best of all.
_BROKE_EARLY = """
    (select {name}, {level}, true, n.{kind}::double precision, n.guid, n.session_key, s.started_at
     from book_night n
     join session s using (session_key)
     where (%(before)s::integer[])[{at}] is not null
       and n.level = {level} and n.map = %(map)s and n.guid = any(%(guids)s) and n.{kind} > 0
       and n.session_key = any((%(first)s::text[])[:(%(before)s::integer[])[{at}]])
     order by n.{kind} desc, s.started_at, s.session_key, n.guid limit 1)"""
_EARLY = 30  # sessions

_NEXT = """
    (select {name}, {level}, false, n.{kind}::double precision, n.guid, n.session_key, s.started_at
     from book_night n
     join session s using (session_key)
     where (%(sessions)s::text[])[{at}] is not null
       and n.level = {level} and n.map = %(map)s and n.guid = any(%(guids)s) and n.{kind} > 0
       and not %(holders)s::jsonb -> ({at} - 1) ? n.guid
     order by n.{kind} desc, s.started_at, s.session_key, n.guid limit 1)"""

_STORIES = f"{_BROKE} union all {_BROKE_EARLY} union all {_NEXT}"

# Who held it before: the fastest of those played before it in other sessions, and the first of them.
_BROKE_ATTACKS = """
    select own.map, a.seconds::double precision as value, a.session_key, s.started_at, team.guids, team.holders
    from unnest(%(maps)s::text[], %(session_keys)s::text[], %(ended)s::timestamptz[]) own (map, session_key, ended_at)
    cross join lateral (
        select min(seconds) as seconds from map_attack b
        where b.map = own.map and b.completed and b.in_book and b.team is not null
          and b.stamp < own.ended_at and b.session_key <> own.session_key
    ) best
    cross join lateral (
        select * from map_attack b
        where b.map = own.map and b.seconds = best.seconds and b.completed and b.in_book and b.team is not null
          and b.stamp < own.ended_at and b.session_key <> own.session_key
        order by b.stamp, b.round_key limit 1
    ) a
    join session s on s.session_key = a.session_key
    cross join lateral (
        select coalesce(array_agg(p.person order by p.name, p.person), '{}') as guids,
               coalesce(array_agg(p.name order by p.name, p.person), '{}') as holders
        from player_round_fact f join board_person p using (guid)
        where f.round_key = a.round_key and f.team = a.team
    ) team"""

# The longest of each map, from the end of its index, and so of them all.
_HOLD = """
    with longest as materialized (
        select of.map, own.seconds
        from attacked_map of
        cross join lateral (
            select seconds from map_attack own
            where own.map = of.map and own.in_book and not own.completed and own.given_up is false
              and own.team is not null
            order by seconds desc limit 1
        ) own
        where %(map)s::text is null or of.map = %(map)s
    )
    select a.seconds, a.map, a.round_key, a.stamp as ended_at, team.guids, team.holders, a.equalled
    from (
        select own.*, count(*) over () - 1 as equalled
        from longest
        join map_attack own using (map, seconds)
        where longest.seconds = (select max(seconds) from longest)
          and own.in_book and not own.completed and own.given_up is false and own.team is not null
        order by own.stamp, own.round_key limit 1
    ) a
    cross join lateral (
        select coalesce(array_agg(p.person order by p.name, p.person), '{}') as guids,
               coalesce(array_agg(p.name order by p.name, p.person), '{}') as holders
        from player_round_fact f join board_person p using (guid)
        where f.round_key = a.round_key and f.team <> a.team
    ) team"""


_DECIDED = """
    select s.session_key, s.ended_at, s.points_a, s.points_b, s.matches - s.not_counted as counted, s.without_points,
           p.team_a, p.team_b
    from session_score s
    cross join lateral (
        select array_agg(guid) filter (where team = 'A') as team_a, array_agg(guid) filter (where team = 'B') as team_b
        from session_player own where own.session_key = s.session_key
    ) p
    order by s.started_at, s.session_key"""


def stories(
    conn: Connection[DictRow],
    found: Sequence[RecordSeen],
    who: Mapping[str, tuple[str, str]],
    map_name: str | None = None,
) -> list[Story]:
    """These records of players with what stands around them. ``who``: may be named (``records.named``); ``map_name``:
    they are of this map alone."""
    first = _first_sessions(conn)
    own = {(record.level, record.kind): record for record in found if record.kind is not RecordKind.ATTACK}
    of_places = [own.get(place) for place in PLACES]
    begun = _begun(conn, [record.session_key for record in own.values()])
    before = [
        first.index(record.session_key) if record and record.session_key in first else None for record in of_places
    ]
    asked = {
        "map": map_name or "",
        "guids": list(who),
        "first": first,
        "before": before,
        "sessions": [record and record.session_key for record in of_places],
        "begun": [
            begun[record.session_key] if record and early is None else None
            for record, early in zip(of_places, before, strict=True)
        ],
        "holders": Jsonb([_guids_of(record, who) for record in of_places]),
    }
    beaten = {
        (row["level"], row["kind"], row["is_broken"]): _beaten(row, who)
        for row in conn.execute(of_each(_STORIES, PLACES), asked)
    }
    return [Story(record, beaten.get((*place, True)), beaten.get((*place, False))) for place, record in own.items()]


def _begun(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, datetime]:
    rows = conn.execute("select session_key, started_at from session where session_key = any(%s)", [session_keys])
    return {row["session_key"]: row["started_at"] for row in rows}


def _guids_of(record: RecordSeen | None, who: Mapping[str, tuple[str, str]]) -> list[str]:
    """All GUIDs of those who hold it."""
    holders = {*record.guids, *record.later_guids} if record else ()
    return [guid for guid, (person, _) in who.items() if person in holders]


def _first_sessions(conn: Connection[DictRow]) -> list[str]:
    rows = conn.execute("select session_key from session order by started_at, session_key limit %s", [_EARLY])
    return [row["session_key"] for row in rows]


def _beaten(row: DictRow, who: Mapping[str, tuple[str, str]]) -> Beaten:
    person, name = who[row["guid"]]
    return Beaten(row["value"], (person,), (name,), row["session_key"], row["started_at"])


def attack_stories(conn: Connection[DictRow], found: Sequence[RecordSeen]) -> list[Story]:
    """The fastest attacks among these records with what they broke."""
    attacks = [record for record in found if record.kind is RecordKind.ATTACK]
    asked = {
        "maps": [record.map for record in attacks],
        "session_keys": [record.session_key for record in attacks],
        "ended": [record.ended_at for record in attacks],
    }
    broke = {
        row["map"]: Beaten(
            row["value"], tuple(row["guids"]), tuple(row["holders"]), row["session_key"], row["started_at"]
        )
        for row in conn.execute(_BROKE_ATTACKS, asked)
    }
    return [Story(record, broke.get(record.map or ""), None) for record in attacks]


def known_since(conn: Connection[DictRow]) -> datetime | None:
    """Since when files know the numbers that old ones lack; None: there are no older ones."""
    row = conn.execute(
        """select (select min(stamp) from parsed_round where tail_fields >= %(all)s) as known,
                  (select min(stamp) from parsed_round) as first""",
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
    evenings, ended = [], {}
    for row in conn.execute(_DECIDED):
        winner = session_winner(Points(row["points_a"], row["points_b"]), row["counted"], row["without_points"])
        if winner is None or still_runs(row["ended_at"]):
            continue
        a, b = ({who[guid][0] for guid in guids or () if guid in who} for guids in (row["team_a"], row["team_b"]))
        won = a if winner is Winner.A else b if winner is Winner.B else set()
        lost = b if winner is Winner.A else a if winner is Winner.B else a | b
        evenings.append(EveningEnded(row["session_key"], sorted(won - lost), lost))  # who was in both did not win
        ended[row["session_key"]] = row["ended_at"]
    names = dict(who.values())
    return [
        RunSeen(run.guid, names[run.guid], run.nights, run.first, run.last, ended[run.last], run.goes_on)
        for run in longest_runs(evenings)
    ]
