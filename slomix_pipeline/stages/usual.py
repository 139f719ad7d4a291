"""Learns what players usually do in a minute, and what was to be expected of them in every round by what was known
before its session.

Belongs here: that it is done again only where history is another one, and kept. Does not belong here: the fit
(``rules.expectation``), when it is done (``sensors.insight``), what is told of it. numpy is loaded when something has
to be fitted.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from slomix_pipeline.rules.expected import VERSION, Metric, PlayedRound, Sum, as_json, summed, usual_rates, with_own_sd
from slomix_pipeline.warehouse import fitted
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import USUAL, Fitted, Step
from slomix_pipeline.warehouse.played_history import (
    NightExpected,
    RoundExpected,
    played_rounds,
    store_expected,
    store_expected_nights,
)
from slomix_pipeline.warehouse.usual_rates import UsualRate, store_rates


class Learned(NamedTuple):
    """Whether it had to be fitted, to how many rounds, and how many rows of what was expected are others now."""

    anew: bool
    rounds: int
    changed: int


def learn_usual(database: Database) -> Learned:
    """Fits what is usual to all rounds, unless that has been done."""
    with database.hold(fitted.ONE_AT_A_TIME):
        with database.snapshot() as conn:
            state, rounds = fitted.history_state(conn), played_rounds(conn)
            kept = [fitted.load(conn, model, VERSION) for model in USUAL.values()]
        made_of = fitted.fingerprint(rounds)
        anew = any(own is None or own.fingerprint != made_of for own in kept)
        changed = _fit(database, rounds, made_of) if anew else 0
        with database.transaction() as conn:
            fitted.is_learned(conn, Step.USUAL, state)
    return Learned(anew, len(rounds), changed)


def _fit(database: Database, rounds: Sequence[PlayedRound], made_of: str) -> int:
    """Returns how many rows of what was expected are others now."""
    from slomix_pipeline.rules.expectation import fit

    now, until = datetime.now(UTC), max((played.played_at for played in rounds), default=None)
    models = {USUAL[metric]: fit(rounds, metric) for metric in Metric}
    damage = models[USUAL[Metric.DAMAGE]]
    rates = (
        []
        if damage is None
        else [UsualRate(guid, rate, damage.rounds[guid]) for guid, rate in usual_rates(damage).items()]
    )
    expected, nights = _expected(rounds)
    with database.transaction() as conn:
        for model, own in models.items():
            fitted.store(conn, Fitted(model, VERSION, made_of, until, {} if own is None else as_json(own), now))
        changed = store_expected(conn, expected)
        store_expected_nights(conn, nights)
        store_rates(conn, rates)
    return changed


def _expected(rounds: Sequence[PlayedRound]) -> tuple[list[RoundExpected], list[NightExpected]]:
    """Of everybody in every round where both numbers could be expected; and the sums of each night."""
    from slomix_pipeline.rules.expectation import walk

    of_rounds: list[RoundExpected] = []
    of_nights: list[tuple[str, list[Sum]]] = []
    for damage, kills in zip(walk(rounds, Metric.DAMAGE), walk(rounds, Metric.KILLS), strict=True):
        own = {(one.round_key, one.guid): one for one in kills.expectations}
        both = [(one, own[place]) for one in damage.expectations if (place := (one.round_key, one.guid)) in own]
        of_rounds += [
            RoundExpected(one.round_key, one.guid, one.expected, other.expected, one.earlier_rounds)
            for one, other in both
        ]
        of_nights.append((damage.night, summed(one for pair in both for one in pair)))
    judged = with_own_sd(sums for _, sums in of_nights)
    nights = [
        NightExpected(night, own, sd) for (night, _), sums in zip(of_nights, judged, strict=True) for own, sd in sums
    ]
    return of_rounds, nights
