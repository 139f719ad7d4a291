"""Rounds and attacks that can hold records: played, and looked at by the checks that the book of records goes by."""

from typing import Any

from slomix_pipeline.rules import laws
from slomix_pipeline.rules.records import LEAST_SECONDS
from slomix_pipeline.warehouse.check_results import CheckName, Outcome, store_outcomes
from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline_tests.warehouse.played_rounds import ADA, Played

CHECKED = (CheckName.CONSERVATION_LAWS, CheckName.PLAUSIBILITY)
COUNTS = (
    "kills",
    "damage_given",
    "gibs",
    "killing_spree",
    "useful_kills",
    "denied_playtime",
    "revives_given",
    "headshots",
    "multikills_2",
    "multikills_3",
    "multikills_4",
    "multikills_5",
    "multikills_6",
)
ADDS_UP = {laws.KILLS: "9 = 9", laws.DAMAGE: "900 = 900"}


def checked(
    played: Played,
    *players: dict[str, Any],
    failed: CheckName | None = None,
    unknown: str | None = None,
    **place: Any,
) -> str:
    """A round that both checks looked at; one of them may have failed, or a law that needs a number nobody knows."""
    key = played.round(*({"seconds_played": LEAST_SECONDS - 1} | player for player in players), **place)
    facts = ADDS_UP | ({unknown: laws.UNKNOWN} if unknown else {})
    for check in CHECKED:
        store_outcomes(played.conn, check, {key: Outcome(check is not failed, facts)})
    rewrite_facts(played.conn, [f"main:s{place.get('session', 1)}"])
    return key


def attacked(
    played: Played, seconds: int, *, failed: CheckName | None = None, session: int = 1, name: str = "someone"
) -> str:
    """A match whose first attack, Ada's by whatever name, was completed in so many seconds, and its second was not."""
    first = checked(played, {"guid": ADA, "name": name}, failed=failed, session=session)
    second = checked(played, {"guid": ADA, "name": name}, number=2, session=session)
    played.conn.execute(
        """insert into match (match_key, session_key, position, map, status, winner, reason, policy, r1_key, r2_key,
                              attackers_first, r1_seconds, r2_seconds, r1_completed, r2_completed)
           select %(r1)s, %(session)s, 1 + (select count(*) from match), 'supply', 'complete', 'A', '', 'map-wins/1',
                  %(r1)s, %(r2)s, 'A', %(time)s, %(time)s, true, false""",
        {"r1": first, "r2": second, "time": seconds, "session": f"main:s{session}"},
    )
    rewrite_facts(played.conn, [f"main:s{session}"])
    return first
