"""Learns how long attacks take from all of history.

Belongs here: that it is done again only where history is another one, and kept. Does not belong here: the model
(``rules``), when it is done (``sensors.insight``), how good it is (``forecast_reports``). numpy is loaded when
something has to be fitted.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from slomix_pipeline.rules.attack_model import (
    VERSION,
    AttackModel,
    RatedMatch,
    Terms,
    as_json,
    from_json,
    strengths,
)
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Fitted, Model, Step
from slomix_pipeline.warehouse.rated_history import rated_matches

MODELS = {Model.MAP_TIMES: Terms.MAPS, Model.PLAYER_TIMES: Terms.DAMAGE}


class Learned(NamedTuple):
    """The models, whether they had to be fitted, and to how many matches."""

    models: Mapping[Model, AttackModel]
    anew: bool
    matches: int


def learn(database: Database) -> Learned:
    """Fits the models of attack times to all matches, unless that has been done."""
    with database.hold(fitted.ONE_AT_A_TIME):
        with database.snapshot() as conn:
            state, matches = fitted.history_state(conn), rated_matches(conn)
            kept = {model: fitted.load(conn, model, VERSION) for model in MODELS}
        made_of = fitted.fingerprint(matches)
        models = {
            model: from_json(own.parameters)
            for model, own in kept.items()
            if own is not None and own.fingerprint == made_of
        }
        anew = len(models) < len(MODELS)
        if anew:
            models = _fit(database, matches, made_of)
        with database.transaction() as conn:
            fitted.is_learned(conn, Step.ATTACK_TIMES, state)
    return Learned(models, anew, len(matches))


def _fit(database: Database, matches: Sequence[RatedMatch], made_of: str) -> dict[Model, AttackModel]:
    from slomix_pipeline.rules.attack_times import fit

    models = {model: fit(matches, terms) for model, terms in MODELS.items()}
    until = max((match.stamp for match in matches), default=None)
    now = datetime.now(UTC)
    with database.transaction() as conn:
        for model, own in models.items():
            fitted.store(conn, Fitted(model, VERSION, made_of, until, as_json(own), now))
        players = models[Model.PLAYER_TIMES]
        fitted.store_strengths(conn, strengths(players), players.sigma)
    return models
