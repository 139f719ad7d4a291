"""Stage 5: the gaming sessions: rounds whose stamps follow each other within the gap.

Does not belong here: what makes a session (``rules.sessions``).
"""

from collections.abc import Sequence

from slomix_pipeline.stages.common import Done, Tools, by_server, sessions_touched
from slomix_pipeline.warehouse import results

_SHOWN = 50  # sessions


def gaming_session(keys: Sequence[str], tools: Tools) -> Done:
    """Stores the sessions of these rounds, by their stamps and what people decided."""
    rounds: dict[str, int] = {}
    for server, own in by_server(keys):
        with sessions_touched(tools, server, own) as (conn, sessions):
            rounds |= zip(results.store_sessions(conn, server, sessions), map(len, sessions), strict=True)
    totals = {
        "sessions": len(rounds),
        "rounds": sum(rounds.values()),
        "session": dict(sorted(rounds.items())[-_SHOWN:]),
    }
    return Done(totals=totals)
