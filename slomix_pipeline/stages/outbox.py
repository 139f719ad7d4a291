"""What is due and did not arrive is told by the stage that would have told it in the first place.

Belongs here: which stage that is, and that what can't be told stops none of the others. Does not belong here: what
waits and for how long (``warehouse.due``), when it is tried (``sensors.outbox``).
"""

from collections.abc import Callable, Sequence
from itertools import groupby

from slomix_pipeline.rules.things import ThingKind
from slomix_pipeline.stages.asked_posts import tell_asked
from slomix_pipeline.stages.chain import run_stages
from slomix_pipeline.stages.common import Stage, Tools
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline.stages.pipeline_report import tell_report
from slomix_pipeline.stages.session_post import session_post
from slomix_pipeline.stages.timing_comparison import timing_comparison
from slomix_pipeline.warehouse import due
from slomix_pipeline.warehouse.due import Waiting

_Teller = Callable[[Sequence[str], Tools], object]


def _by(stage: Stage) -> _Teller:
    return lambda keys, tools: run_stages([stage], keys, tools)


_MATCHES = _by(match_post)
TELLERS: dict[ThingKind, _Teller] = {
    ThingKind.ROUND1: _MATCHES,
    ThingKind.RESULT: _MATCHES,
    ThingKind.SESSION: _by(session_post),
    ThingKind.TIMING: _by(timing_comparison),
    ThingKind.ASKED: tell_asked,
    ThingKind.REPORT: tell_report,
}
"""Who tells what; alarms are told by who raises them, of what is wrong by then."""


def deliver(tools: Tools, waiting: Sequence[Waiting]) -> list[str]:
    """Tells what waits, in its order, until the patience of ``tools`` is over. Returns the names of what was tried."""
    tried: list[str] = []
    for (_, teller), group in groupby(waiting, key=lambda one: (one.session_key, TELLERS[one.kind])):
        if tools.patience.is_over:
            break
        own = list(group)
        things = [one.thing for one in own]
        with tools.database.transaction() as conn:  # first: what kills its teller is not tried again at once
            due.note_tried(conn, things)
        keys = {one.session_key if one.kind is ThingKind.SESSION else one.partition_key for one in own}
        try:
            teller(sorted(keys), tools)
        except Exception:  # whatever it is: the others are told all the same
            tools.log.exception(f"{', '.join(things)} could not be told")
        tried += things
    return tried
