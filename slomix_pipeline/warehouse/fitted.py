"""What is fitted to history, as it is kept: the parameters of models, and whether history is another one since.

Belongs here: the tables ``fitted``, ``learned`` and ``strength``. Does not belong here: fitting (``rules``), the
history itself (``rated_history``), what is foretold (``predictions``), how good that is (``forecast_reports``).
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

from slomix_pipeline.rules import attack_model, expected
from slomix_pipeline.rules.attack_model import Strength
from slomix_pipeline.rules.expected import Metric
from slomix_pipeline.warehouse.rows import rows_of


class Model(StrEnum):
    """What is fitted."""

    MAP_TIMES = "map_times"  # how long attacks take on each map
    PLAYER_TIMES = "player_times"  # the same by who plays, too
    USUAL_DAMAGE = "usual_damage"  # what damage players do in a minute
    USUAL_KILLS = "usual_kills"


class Step(StrEnum):
    """What is made anew when history is another one."""

    ATTACK_TIMES = "attack_times"  # the models of them
    USUAL = "usual"  # the models of what players do, and what was expected
    FORECASTS = "forecasts"  # how good they were
    PAIRS = "pairs"


# By which rules each step is done: by others it has to be done again.
VERSIONS = {
    Step.ATTACK_TIMES: attack_model.VERSION,
    Step.USUAL: expected.VERSION,
    Step.FORECASTS: attack_model.VERSION,
    Step.PAIRS: attack_model.VERSION,
}
ONE_AT_A_TIME = "insight"  # the lock that each step holds

USUAL = {Metric.DAMAGE: Model.USUAL_DAMAGE, Metric.KILLS: Model.USUAL_KILLS}


@dataclass(frozen=True)
class Fitted:
    """A model as it is kept. ``version``: of the rule that fitted it; ``fingerprint``: of the history that it was
    fitted to, which ends at ``known_until``."""

    model: Model
    version: str
    fingerprint: str
    known_until: datetime | None
    parameters: Mapping[str, Any]
    fitted_at: datetime


@dataclass(frozen=True)
class Learning:
    """How far all steps are behind. ``state``: of history, see the view ``history_state``; ``fitted_of``: the one that
    all of them have seen by the rules of today, None: there is no such; ``fitted_at``: when one of them was done last;
    ``played_at``: when the last round ended."""

    state: str
    fitted_of: str | None
    fitted_at: datetime | None
    played_at: datetime | None


def learning(conn: Connection[DictRow]) -> Learning:
    """How far what is learned is behind history."""
    with conn.cursor(row_factory=rows_of(Learning)) as cursor:
        row = cursor.execute(
            """select h.state, done.fitted_at, (select max(ended_at) from session) as played_at,
                      case when done.steps = %s and done.states = 1 then done.state end as fitted_of
               from history_state h,
                    (select count(*) filter (where l.version = now.version) as steps, count(distinct l.state) as states,
                            min(l.state) as state, max(l.learned_at) as fitted_at
                     from learned l
                     left join unnest(%s::text[], %s::text[]) now (step, version) using (step)) done""",
            [len(VERSIONS), list(VERSIONS), list(VERSIONS.values())],
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


def load(conn: Connection[DictRow], model: Model, version: str) -> Fitted | None:
    """A model as it was fitted last; None where rules of another version did that."""
    with conn.cursor(row_factory=rows_of(Fitted)) as cursor:
        return cursor.execute("select * from fitted where model = %s and version = %s", [model, version]).fetchone()


def store(conn: Connection[DictRow], fitted: Fitted) -> None:
    """Keeps a model in place of what was fitted before."""
    conn.execute(
        """insert into fitted (model, version, fingerprint, known_until, parameters, fitted_at)
           values (%s, %s, %s, %s, %s, %s)
           on conflict (model) do update
           set (version, fingerprint, known_until, parameters, fitted_at)
               = (excluded.version, excluded.fingerprint, excluded.known_until, excluded.parameters,
                  excluded.fitted_at)""",
        [
            fitted.model,
            fitted.version,
            fitted.fingerprint,
            fitted.known_until,
            Jsonb(dict(fitted.parameters)),
            fitted.fitted_at,
        ],
    )


def is_learned(conn: Connection[DictRow], step: Step, state: str) -> None:
    """Notes that a step was done of history in this state: the last thing it does."""
    conn.execute(
        """insert into learned (step, version, state) values (%s, %s, %s)
           on conflict (step) do update
           set (version, state, learned_at) = (excluded.version, excluded.state, excluded.learned_at)""",
        [step, VERSIONS[step], state],
    )


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
