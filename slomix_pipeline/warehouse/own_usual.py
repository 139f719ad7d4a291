"""What is usual for each player of a session: the medians of his own nights before it.

Belongs here: reading these nights. Does not belong here: what is usual, and from how many nights on (``rules.form``),
the form of one player as his page has it (``careers``).

All of it is asked by keys that are known: those of a join do not reach the indexes below what pages read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.form import USUAL_OF, median_of_known
from slomix_pipeline.warehouse.rows import rows_of

_SOME_MONTHS = timedelta(days=120)


@dataclass(frozen=True)
class OwnUsual:
    """A player's own medians, each with the number of nights that it is of; None where too few of them know it."""

    kd: tuple[float, int] | None
    dpm: tuple[float, int] | None
    accuracy: tuple[float, int] | None
    headshot_percent: tuple[float, int] | None


@dataclass(frozen=True)
class _Night:
    guid: str
    kd: float | None
    dpm: float | None
    accuracy: float | None
    headshot_percent: float | None


def own_usual(conn: Connection[DictRow], session_key: str) -> dict[str, OwnUsual]:
    """What was usual for the players of a session when it began, by GUID: later sessions change nothing of it. Of who
    has played under several GUIDs the nights of all; nothing of who is hidden: what he always does tells who he is."""
    players = conn.execute(
        """select p.guid, unnest(coalesce(d.guids, array[p.guid])) as played_as, s.started_at
           from session s join session_player p using (session_key) left join person_decided d on d.guid = p.guid
           where session_key = %(session)s and p.session_key = %(session)s and d.hidden_as is null""",
        {"session": session_key},
    ).fetchall()
    if not players:
        return {}
    who = {"guids": [row["guid"] for row in players], "played_as": [row["played_as"] for row in players]}
    nights = _numbers(conn, who, _latest(conn, who, players[0]["started_at"]))
    return {guid: _usual(list(own)) for guid, own in groupby(nights, key=lambda night: night.guid)}


def _latest(conn: Connection[DictRow], who: Mapping[str, list[str]], before: datetime) -> list[DictRow]:
    """The latest nights of each player, without their numbers: for that the index is enough. Regulars have all of
    theirs within some months, and of them nobody looks further back."""
    late = _latest_between(conn, who, before - _SOME_MONTHS, before)
    nights = Counter(row["guid"] for row in late)
    rest = [at for at, guid in enumerate(who["guids"]) if nights[guid] < USUAL_OF]
    others = {name: [values[at] for at in rest] for name, values in who.items()}
    early = _latest_between(conn, others, None, before) if rest else []
    return [*(row for row in late if nights[row["guid"]] >= USUAL_OF), *early]


def _latest_between(
    conn: Connection[DictRow], who: Mapping[str, list[str]], since: datetime | None, before: datetime
) -> list[DictRow]:
    return conn.execute(
        """select guid, scope
           from (
               select own.guid, f.scope,
                      row_number() over (partition by own.guid order by max(f.last_played_at) desc, f.scope desc)
                          as place
               from player_session_fact f
               join unnest(%(guids)s::text[], %(played_as)s::text[]) own (guid, played_as) on own.played_as = f.guid
               where f.guid = any(%(played_as)s) and f.last_played_at < %(before)s
                 and f.last_played_at >= coalesce(%(since)s::timestamptz, '-infinity')
               group by own.guid, f.scope
           ) night
           where place <= %(most)s""",
        {**who, "since": since, "before": before, "most": USUAL_OF},
    ).fetchall()


def _numbers(conn: Connection[DictRow], who: Mapping[str, list[str]], nights: Sequence[DictRow]) -> list[_Night]:
    """These nights with their numbers, by player, the latest first."""
    with conn.cursor(row_factory=rows_of(_Night)) as cursor:
        return cursor.execute(
            """select guid, metric_kd(kills, deaths) as kd, metric_dpm(damage_given, seconds_played) as dpm,
                      metric_accuracy(hits, shots) as accuracy,
                      metric_headshot_percent(headshots, hits) as headshot_percent
               from (
                   select night.guid, night.scope, max(last_played_at) as ended_at,
                          case when count(kills) = count(*) then sum(kills)::bigint end as kills,
                          case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
                          case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
                          case when count(seconds_played) = count(*) then sum(seconds_played)::bigint
                          end as seconds_played,
                          case when count(hits) = count(*) then sum(hits)::bigint end as hits,
                          case when count(shots) = count(*) then sum(shots)::bigint end as shots,
                          case when count(headshots) = count(*) then sum(headshots)::bigint end as headshots
                   from player_session_fact f
                   join unnest(%(guids)s::text[], %(played_as)s::text[]) own (guid, played_as) on own.played_as = f.guid
                   join unnest(%(of)s::text[], %(scopes)s::text[]) night (guid, scope)
                        on night.guid = own.guid and night.scope = f.scope
                   where f.guid = any(%(played_as)s) and f.scope = any(%(scopes)s)
                   group by night.guid, night.scope
               ) summed
               order by guid, ended_at desc, scope desc""",
            {**who, "of": [row["guid"] for row in nights], "scopes": [row["scope"] for row in nights]},
        ).fetchall()


def _usual(nights: Sequence[_Night]) -> OwnUsual:
    return OwnUsual(
        median_of_known([night.kd for night in nights]),
        median_of_known([night.dpm for night in nights]),
        median_of_known([night.accuracy for night in nights]),
        median_of_known([night.headshot_percent for night in nights]),
    )
