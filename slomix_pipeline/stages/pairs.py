"""Looks through all of history for what pairs won together and who is whose nemesis.

Belongs here: gathering it, and keeping what is found. Does not belong here: what a pair or a nemesis is
(``rules.pairs``), when it is done (``sensors.insight``).
"""

from typing import NamedTuple

from slomix_pipeline.rules.attack_model import VERSION, AttackModel, RatedMatch, from_json
from slomix_pipeline.rules.odds import decided_odds
from slomix_pipeline.rules.pairs import DecidedMatch, duos, nemeses
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.warehouse import fitted, forecast_reports, pair_records
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.fitted import Model, Step
from slomix_pipeline.warehouse.rated_history import rated_matches


class PairsFound(NamedTuple):
    """How many there are, of how many ``players`` in duels, and how many rows are others now."""

    pairs: int
    nemeses: int
    players: int
    changed: int


def find_pairs(database: Database) -> PairsFound:
    """Counts what every pair won, beside what is expected of their teams by strengths as they are known today."""
    with database.hold(fitted.ONE_AT_A_TIME):
        with database.snapshot() as conn:
            state = fitted.history_state(conn)
            kept = fitted.load(conn, Model.PLAYER_TIMES, VERSION)
            matches = rated_matches(conn)
            temperature = forecast_reports.temperature(conn)
            duels = pair_records.all_duels(conn)
        model = None if kept is None else from_json(kept.parameters)
        found = duos(_decided(own, model, temperature) for own in matches if own.winner is not Faster.DRAW)
        enemies = nemeses(duels)
        with database.transaction() as conn:
            changed = pair_records.store(conn, found, enemies)
            fitted.is_learned(conn, Step.PAIRS, state)
    return PairsFound(len(found), len(enemies), len(duels), changed)


def _decided(match: RatedMatch, model: AttackModel | None, temperature: float) -> DecidedMatch:
    return DecidedMatch(
        frozenset(match.first_team.shares),
        frozenset(match.second_team.shares),
        match.winner is Faster.FIRST,
        None if model is None else decided_odds(model, match.first_team, match.second_team, temperature),
    )
