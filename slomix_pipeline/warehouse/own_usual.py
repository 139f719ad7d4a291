"""What is usual for each player of a session: the medians of his own nights before it.

Belongs here: reading these nights. Does not belong here: what is usual, and from how many nights on (``rules.form``),
the form of one player as his page has it (``careers``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.form import USUAL_OF, usual
from slomix_pipeline.warehouse.rows import rows_of


@dataclass(frozen=True)
class OwnUsual:
    """A player's own medians; a number is None where too few of his ``nights`` know it."""

    nights: int
    kd: float | None
    dpm: float | None
    accuracy: float | None
    headshot_percent: float | None


@dataclass(frozen=True)
class _Night:
    guid: str
    kd: float | None
    dpm: float | None
    accuracy: float | None
    headshot_percent: float | None


def own_usual(conn: Connection[DictRow], session_key: str) -> dict[str, OwnUsual]:
    """What was usual for the players of a session when it began, by GUID: later sessions change nothing of it. Of who
    has played under several GUIDs the nights of all."""
    with conn.cursor(row_factory=rows_of(_Night)) as cursor:
        nights = cursor.execute(
            """select own.guid, metric_kd(kills, deaths) as kd, metric_dpm(damage_given, seconds_played) as dpm,
                      metric_accuracy(hits, shots) as accuracy,
                      metric_headshot_percent(headshots, hits) as headshot_percent
               from (select p.guid, s.started_at, coalesce(d.guids, array[p.guid]) as guids
                     from session_player p join session s using (session_key)
                     left join person_decided d on d.guid = p.guid
                     where p.session_key = %(session)s) own
               cross join lateral (
                   select scope, max(last_played_at) as ended_at,
                          case when count(kills) = count(*) then sum(kills)::bigint end as kills,
                          case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
                          case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
                          case when count(seconds_played) = count(*) then sum(seconds_played)::bigint
                          end as seconds_played,
                          case when count(hits) = count(*) then sum(hits)::bigint end as hits,
                          case when count(shots) = count(*) then sum(shots)::bigint end as shots,
                          case when count(headshots) = count(*) then sum(headshots)::bigint end as headshots
                   from player_session_fact f
                   where f.guid = any(own.guids) and f.last_played_at < own.started_at
                   group by scope order by 2 desc, scope desc limit %(most)s
               ) night
               order by own.guid, ended_at desc, scope desc""",
            {"session": session_key, "most": USUAL_OF},
        ).fetchall()
    return {guid: _usual(list(own)) for guid, own in groupby(nights, key=lambda night: night.guid)}


def _usual(nights: Sequence[_Night]) -> OwnUsual:
    kd, dpm, accuracy, headshots = (
        usual([getattr(night, number) for night in nights]) for number in ("kd", "dpm", "accuracy", "headshot_percent")
    )
    return OwnUsual(len(nights), kd, dpm, accuracy, headshots)
