"""Learns what players usually do in a minute, and what was to be expected of them in every round by what was known
before its session.

Belongs here: that it is done again only where history is another one, and kept. Does not belong here: the fit
(``rules.expectation``), when it is done (``sensors.insight``), what is told of it. numpy is loaded when something has
to be fitted.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from slomix_pipeline.rules.expected import VERSION, Metric, PlayedRound, as_json, usual_rates
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Fitted, Model
from slomix_pipeline.warehouse.played_history import RoundExpected, played_rounds, store_expected
from slomix_pipeline.warehouse.usual_rates import UsualRate, store_rates

MODELS = {Metric.DAMAGE: Model.USUAL_DAMAGE, Metric.KILLS: Model.USUAL_KILLS}


class Learned(NamedTuple):
    """Whether it had to be fitted, to how many rounds, and how many rows of what was expected are others now."""

    anew: bool
    rounds: int
    changed: int


def learn_usual(database: Database) -> Learned:
    """Fits what is usual to all rounds, unless that has been done."""
    with database.snapshot() as conn:
        state, rounds = fitted.history_state(conn), played_rounds(conn)
        kept = [fitted.load(conn, model) for model in MODELS.values()]
    made_of = fitted.fingerprint(rounds)
    if all(own is not None and (own.fingerprint, own.version) == (made_of, VERSION) for own in kept):
        with database.transaction() as conn:
            for model in MODELS.values():
                fitted.still_right(conn, model, state)
        return Learned(anew=False, rounds=len(rounds), changed=0)
    from slomix_pipeline.rules.expectation import fit

    now, until = datetime.now(UTC), max((played.played_at for played in rounds), default=None)
    models = {MODELS[metric]: fit(rounds, metric) for metric in Metric}
    damage = models[Model.USUAL_DAMAGE]
    rates = (
        []
        if damage is None
        else [UsualRate(guid, rate, damage.rounds[guid]) for guid, rate in usual_rates(damage).items()]
    )
    expected = _expected(rounds)
    with database.transaction() as conn:
        for model, own in models.items():
            fitted.store(conn, Fitted(model, VERSION, made_of, until, {} if own is None else as_json(own), state, now))
        changed = store_expected(conn, expected)
        store_rates(conn, rates)
    return Learned(anew=True, rounds=len(rounds), changed=changed)


def _expected(rounds: Sequence[PlayedRound]) -> list[RoundExpected]:
    """Of everybody in every round, where both numbers could be expected."""
    from slomix_pipeline.rules.expectation import walk

    kills = {
        (own.round_key, own.guid): own.expected for night in walk(rounds, Metric.KILLS) for own in night.expectations
    }
    return [
        RoundExpected(own.round_key, own.guid, own.expected, kills[own.round_key, own.guid], own.earlier_rounds)
        for night in walk(rounds, Metric.DAMAGE)
        for own in night.expectations
        if (own.round_key, own.guid) in kills
    ]
