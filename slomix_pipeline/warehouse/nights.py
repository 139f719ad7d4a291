"""The nights of a player: what he did in each of his latest sessions.

Does not belong here: what is usual for him (``rules.form``), how his matches in it ended (``standings``), his whole
career (``careers``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.form import USUAL_OF
from slomix_pipeline.warehouse.rows import rows_of

NIGHTS_OF_LATELY = 10
NIGHTS_OF_FORM = 15


@dataclass(frozen=True)
class Night:
    """Numbers of a session as far as they count in careers, or of several: then ``session_key`` is None. A number is
    None where one of the rounds does not know it."""

    session_key: str | None
    ended_at: datetime
    rounds: int
    kills: int | None
    kd: float | None
    dpm: float | None
    accuracy: float | None
    aimed_accuracy: float | None
    headshot_percent: float | None
    revives_given_per_round: float | None
    survival_percent: float | None
    survival_disputed: bool | None


@dataclass(frozen=True)
class Lately:
    """The latest nights, oldest first, those that the latest of them are held against among them; and the last
    ``NIGHTS_OF_LATELY`` of them together."""

    nights: tuple[Night, ...]
    together: Night

    @property
    def latest(self) -> tuple[Night, ...]:
        return self.nights[-NIGHTS_OF_LATELY:]


# A night of each session, and one of the latest few together.
_NIGHTS = """
    with latest as (
        select scope, row_number() over (order by max(last_played_at) desc, scope desc) as place
        from player_session_fact where guid = any(%(guids)s)
        group by scope order by max(last_played_at) desc, scope desc limit %(nights)s
    ),
    seen as materialized (
        select latest.place, f.* from player_session_fact f join latest using (scope) where f.guid = any(%(guids)s)
    ),
    counted as (
        select scope as session_key, * from seen
        union all
        select null::text, * from seen where place <= %(lately)s
    )
    select session_key, ended_at, rounds, kills, metric_kd(kills, deaths) as kd,
           metric_dpm(damage_given, seconds_played) as dpm, metric_accuracy(hits, shots) as accuracy,
           metric_aimed_accuracy(aimed_hits, aimed_shots) as aimed_accuracy,
           metric_headshot_percent(headshots, hits) as headshot_percent,
           metric_per_round(revives_given, rounds) as revives_given_per_round,
           metric_survival_percent(engine_alive_seconds, seconds_dead, seconds_played) as survival_percent,
           metric_survival_disputed(engine_alive_seconds, seconds_dead, seconds_played) as survival_disputed
    from (
        select session_key, max(last_played_at) as ended_at, sum(rounds)::bigint as rounds,
               case when count(kills) = count(*) then sum(kills)::bigint end as kills,
               case when count(deaths) = count(*) then sum(deaths)::bigint end as deaths,
               case when count(damage_given) = count(*) then sum(damage_given)::bigint end as damage_given,
               case when count(seconds_played) = count(*) then sum(seconds_played)::bigint end as seconds_played,
               case when count(hits) = count(*) then sum(hits)::bigint end as hits,
               case when count(shots) = count(*) then sum(shots)::bigint end as shots,
               case when count(aimed_hits) = count(*) then sum(aimed_hits)::bigint end as aimed_hits,
               case when count(aimed_shots) = count(*) then sum(aimed_shots)::bigint end as aimed_shots,
               case when count(headshots) = count(*) then sum(headshots)::bigint end as headshots,
               case when count(revives_given) = count(*) then sum(revives_given)::bigint end as revives_given,
               case when count(seconds_dead) = count(*) then sum(seconds_dead)::bigint end as seconds_dead,
               case when count(engine_alive_seconds) = count(*) then sum(engine_alive_seconds)
               end as engine_alive_seconds
        from counted group by session_key
    ) summed
    order by session_key is null, ended_at, session_key"""


def lately(conn: Connection[DictRow], guids: Sequence[str], most: int | None = NIGHTS_OF_FORM + USUAL_OF) -> Lately:
    """The latest nights of a player; so many, or all."""
    with conn.cursor(row_factory=rows_of(Night)) as cursor:
        *nights, together = cursor.execute(
            _NIGHTS,
            {"guids": list(guids), "nights": most, "lately": NIGHTS_OF_LATELY},
        ).fetchall()
    return Lately(tuple(nights), together)
