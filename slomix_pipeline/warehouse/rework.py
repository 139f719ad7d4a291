"""Which rounds have inputs newer than their result, or rules; and why.

Belongs here: asking for all causes at once. Does not belong here: what each of them is (``rework_causes``), when it is
asked (``sensors.rework``, and commands that bring something new).
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.linking import CANDIDATE_WINDOW, LINK_WINDOW
from slomix_pipeline.rules.rounds import RULES_VERSION
from slomix_pipeline.rules.stamps import WITNESS_WITHIN
from slomix_pipeline.settings import Settings
from slomix_pipeline.warehouse.rework_causes import BY_INPUT, QUERIES, Cause
from slomix_pipeline.warehouse.server_zones import zones

# A record mostly comes before its own round does: only one that stays alone for so long is asked about.
_UNLINKED_PATIENCE = timedelta(minutes=5)

# What is asked for lies in memory, so an index costs little; and workers take longer to start than the question takes.
_PLANNED_FOR_FEW = """select set_config('random_page_cost', '1.1', true),
                             set_config('max_parallel_workers_per_gather', '0', true)"""


class Stale(NamedTuple):
    """A round to work out again. ``causes``: in the order of ``Cause``; ``inputs_at``: the time of its newest input."""

    round_key: str
    causes: tuple[Cause, ...]
    inputs_at: datetime


def rules_in_force(settings: Settings) -> str:
    """What a round is worked out by: the version of the rules, and the settings that they take."""
    window, gap = settings.pairing_window.total_seconds(), settings.session_gap.total_seconds()
    return (
        f"{RULES_VERSION}; pairing {window:g} s; session {gap:g} s; filler maps {' '.join(settings.filler_maps)}; "
        f"score {settings.scoring_policy}"
    )


def stale_rounds(
    conn: Connection[DictRow],
    settings: Settings,
    *,
    among: Collection[str] | None = None,
    causes: Collection[Cause] = tuple(Cause),
    newest: int | None = None,
    stored_since: datetime | None = None,
) -> list[Stale]:
    """The rounds that are stale by any of ``causes``, in order of play.

    ``among``: only those of these rounds, and those that these timing records, endstats files or rounds decided about
    make stale. ``newest``: only so many, the last played. ``stored_since``: of what timing records brought, only by
    those that were stored since then.
    """
    asked = [cause for cause in Cause if cause in causes]
    found = " union all ".join(
        f"select round_key, {number} as cause, inputs_at from ({QUERIES[cause]}) found where {condition}"
        for number, cause in enumerate(asked)
        for condition in _conditions(cause, among)
    )
    with conn.transaction():
        conn.execute(_PLANNED_FOR_FEW)
        rows = conn.execute(
            f"""select round_key, array_agg(distinct cause order by cause) as causes, max(inputs_at) as inputs_at
                from ({found}) found left join parsed_round p using (round_key)
                group by round_key, p.stamp order by p.stamp desc, round_key desc limit %(newest)s""",
            {
                "among": None if among is None else list(among),
                "newest": newest,
                "window": LINK_WINDOW,
                "candidates": CANDIDATE_WINDOW,
                "patience": _UNLINKED_PATIENCE,
                "witness": WITNESS_WITHIN,
                "zone": settings.timezone,
                "zones": Jsonb(zones(conn, settings)),
                "rules": rules_in_force(settings),
                "tells": Jsonb(settings.tells_results()),
                "stored_since": stored_since or datetime.min.replace(tzinfo=UTC),
            },
        ).fetchall()
    return [
        Stale(row["round_key"], tuple(asked[number] for number in row["causes"]), row["inputs_at"])
        for row in reversed(rows)
    ]


def _conditions(cause: Cause, among: Collection[str] | None) -> list[str]:
    """What a cause is asked for: each condition on its own, as each has an index."""
    if among is None:
        return ["true"]
    return [f"{key} = any(%(among)s)" for key in ("round_key", *(["input_key"] if cause in BY_INPUT else []))]
