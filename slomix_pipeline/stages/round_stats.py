"""Stage 3: the round-2 differential: what became of each round, and every player's own numbers.

Does not belong here: pairing and the differential themselves (``rules``).
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from slomix_pipeline.checks.outcomes import comparison_outcome, laws_outcome, pairing_outcome, plausibility_outcome
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, sessions_touched
from slomix_pipeline.warehouse import comparisons, results
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.placing import work_out_sessions
from slomix_pipeline.warehouse.rework import rules_in_force

_CHECKS = (
    CheckName.PAIRING,
    CheckName.CONSERVATION_LAWS,
    CheckName.PLAUSIBILITY,
    CheckName.SEVEN_COMPARISONS,
)


def round_stats(keys: Sequence[str], tools: Tools) -> Done:
    """Works out place, status, validity and own numbers of every round of the sessions that these belong to."""
    outcomes: dict[CheckName, dict[str, Outcome]] = {name: {} for name in _CHECKS}
    for server, own in by_server(keys):
        with sessions_touched(tools, server, own, placed=False) as (conn, sessions):
            for name, found in place_sessions(conn, tools.settings, server, sessions, own).items():
                outcomes[name] |= found
    with tools.database.connect() as conn:
        totals = comparisons.totals(conn, keys)
    return Done(outcomes, asdict(totals))


def place_sessions(
    conn: Conn, settings: Settings, server: str, sessions: Sequence[Sequence[Stamped]], own: Collection[str]
) -> dict[CheckName, dict[str, Outcome]]:
    """Works out and stores the rounds of sessions with the timing records that are known by now. Returns what the
    checks find, by check and round.

    ``own``: the rounds that this is done for; what is stored of them and their partners is compared with the files.
    """
    worked_out = work_out_sessions(conn, settings, server, sessions)
    results.store_rounds(conn, [session.found for session in worked_out], rules_in_force(settings))
    outcomes: dict[CheckName, dict[str, Outcome]] = {name: {} for name in _CHECKS}
    compared: dict[str, Sequence[RoundPlayer]] = {}
    for rounds, found in worked_out:
        placed, players = found.placed, found.players
        # One file can change the place of every round of its session, and with it what the checks find.
        for key, entry in rounds.items():
            place = placed[key]
            partner = rounds[place.partner] if place.partner else None
            outcomes[CheckName.PAIRING][key] = pairing_outcome(entry, place, partner)
            outcomes[CheckName.CONSERVATION_LAWS][key] = laws_outcome(
                entry, place, players, partner if place.goes_on else None
            )
            outcomes[CheckName.PLAUSIBILITY][key] = plausibility_outcome(entry, place, players)
        asked = placed.keys() & own
        partners = {other for key in asked if (other := placed[key].partner)}
        compared |= {key: players[key] for key in asked | partners}
    for key, off in comparisons.differences(conn, compared).items():
        outcomes[CheckName.SEVEN_COMPARISONS][key] = comparison_outcome(off)
    return outcomes
