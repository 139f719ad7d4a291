"""What is fitted to history, as it is kept: the parameters of models, and whether history is another one since.

Belongs here: the tables ``fitted`` and ``strength``. Does not belong here: fitting (``rules``), the history itself
(``rated_history``), what is foretold (``predictions``), how good that is (``forecast_reports``).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.attack_model import Strength
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.warehouse.rows import rows_of


class Model(StrEnum):
    """What is fitted."""

    MAP_TIMES = "map_times"  # how long attacks take on each map
    PLAYER_TIMES = "player_times"  # the same by who plays, too
    USUAL_DAMAGE = "usual_damage"  # what damage players do in a minute
    USUAL_KILLS = "usual_kills"


USUAL = {Metric.DAMAGE: Model.USUAL_DAMAGE, Metric.KILLS: Model.USUAL_KILLS}


@dataclass(frozen=True)
class Fitted:
    """A model as it is kept. ``version``: of the rule that fitted it; ``fingerprint``: of the history that it was
    fitted to, which ends at ``known_until``; ``state``: of the database when that history was looked at last."""

    model: Model
    version: str
    fingerprint: str
    known_until: datetime | None
    parameters: Mapping[str, Any]
    state: str
    fitted_at: datetime


@dataclass(frozen=True)
class Learning:
    """How far models are behind. ``state``: of history, see the view ``history_state``; ``fitted_of``: the one that all
    models have seen, None: they have seen none, or not the same; ``played_at``: when the last round ended."""

    state: str
    fitted_of: str | None
    fitted_at: datetime | None
    played_at: datetime | None


def learning(conn: Connection[DictRow]) -> Learning:
    """How far the models are behind history."""
    with conn.cursor(row_factory=rows_of(Learning)) as cursor:
        row = cursor.execute(
            """select h.state, f.fitted_at, (select max(ended_at) from session) as played_at,
                      case when f.models = %s and f.states = 1 then f.state end as fitted_of
               from history_state h,
                    (select count(*) as models, count(distinct state) as states, min(state) as state,
                            max(fitted_at) as fitted_at
                     from fitted) f""",
            [len(Model)],
        ).fetchone()
    assert row is not None
    return row


def history_state(conn: Connection[DictRow]) -> str:
    """A text that stays as long as no session is scored anew, no endstats come and nobody decides who is who."""
    row = conn.execute("select state from history_state").fetchone()
    assert row is not None
    return str(row["state"])


def fingerprint(rows: Iterable[object]) -> str:
    """Of rows in their order: another one for any other history."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()


def load(conn: Connection[DictRow], model: Model) -> Fitted | None:
    """A model as it was fitted last."""
    with conn.cursor(row_factory=rows_of(Fitted)) as cursor:
        return cursor.execute("select * from fitted where model = %s", [model]).fetchone()


def store(conn: Connection[DictRow], fitted: Fitted) -> None:
    """Keeps a model in place of what was fitted before."""
    conn.execute(
        """insert into fitted (model, version, fingerprint, known_until, parameters, state, fitted_at)
           values (%s, %s, %s, %s, %s, %s, %s)
           on conflict (model) do update
           set (version, fingerprint, known_until, parameters, state, fitted_at)
               = (excluded.version, excluded.fingerprint, excluded.known_until, excluded.parameters, excluded.state,
                  excluded.fitted_at)""",
        [
            fitted.model,
            fitted.version,
            fitted.fingerprint,
            fitted.known_until,
            Jsonb(dict(fitted.parameters)),
            fitted.state,
            fitted.fitted_at,
        ],
    )


def still_right(conn: Connection[DictRow], model: Model, state: str) -> None:
    """History was looked at in this state, and is what the model was fitted to."""
    conn.execute("update fitted set state = %s where model = %s", [state, model])


def store_strengths(conn: Connection[DictRow], strengths: Iterable[Strength], sigma: float) -> None:
    """Keeps everybody's strength in place of those before. ``sigma``: of the model that they are from."""
    rows = [(own.guid, own.value, own.sd, own.matches) for own in strengths]
    guids, values, deviations, matches = ([row[at] for row in rows] for at in range(4))
    conn.execute("delete from strength where guid <> all(%s)", [guids])
    conn.execute(
        """insert into strength
           select *, %s from unnest(%s::text[], %s::double precision[], %s::double precision[], %s::integer[])
           on conflict (guid) do update
           set (strength, deviation, matches, sigma)
               = (excluded.strength, excluded.deviation, excluded.matches, excluded.sigma)
           where (strength.strength, strength.deviation, strength.matches, strength.sigma)
                 is distinct from (excluded.strength, excluded.deviation, excluded.matches, excluded.sigma)""",
        [sigma, guids, values, deviations, matches],
    )
