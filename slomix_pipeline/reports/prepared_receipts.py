"""A round's receipt as it was prepared for pages and the API, with what one player's numbers in it are made of.

Belongs here: putting his part beside the prepared document, of what pages may read. Does not belong here: making the
document (``receipts``), wording his numbers (``player_receipts``).
"""

from collections.abc import Mapping
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.reports.player_receipts import Case, Made, player_receipt
from slomix_pipeline.warehouse import receipts, site_reading


def player_part(
    conn: Connection[DictRow], key: str, guid: str, receipt: Mapping[str, Any]
) -> tuple[dict[str, Any], int | None] | None:
    """What a player's numbers of a round are made of, as ``slomix explain`` has it, and the line of the file that he
    has; None: he is not in it. ``receipt``: the round's, as it was prepared."""
    own = next((player for player in receipt.get("players", ()) if player["guid"] == guid), None)
    line = site_reading.player_line(conn, key, guid)
    if line is None or own is None:
        return None
    made = Made(own["made"])
    pairing = receipt.get("pairing") or {}
    first_key = pairing.get("partner") if made in (Made.DIFFERENCE, Made.RESTARTED) else None
    before = site_reading.player_line(conn, first_key, guid) if first_key else None
    stored = receipts.stored_players(conn, key).get(guid)
    case = Case(line, before, made, stored, receipts.stored_weapons(conn, key).get(guid, {}))
    return player_receipt(case), own["line"]
