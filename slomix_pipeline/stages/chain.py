"""The stages in their order, and running them one after the other over partitions: what a job does, without Dagster.

Belongs here: the order. Its picture in Dagster is in ``assets``; a test holds the two together.
"""

from collections.abc import Callable, Sequence

from slomix_pipeline.stages.common import Stage, Tools, perform
from slomix_pipeline.stages.gaming_session import gaming_session
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline.stages.match_score import match_score
from slomix_pipeline.stages.parsed_round import parsed_round
from slomix_pipeline.stages.raw_stats_file import raw_stats_file
from slomix_pipeline.stages.round_awards import round_awards
from slomix_pipeline.stages.round_stats import round_stats
from slomix_pipeline.stages.round_timing import round_timing
from slomix_pipeline.stages.session_pictures import session_pictures
from slomix_pipeline.stages.session_post import session_post
from slomix_pipeline.stages.session_report import session_report
from slomix_pipeline.stages.session_teams import session_teams
from slomix_pipeline.stages.timing_comparison import timing_comparison
from slomix_pipeline.stages.timing_record import timing_record
from slomix_pipeline.warehouse import catalogue
from slomix_pipeline.warehouse.catalogue import Partitions

OF_A_ROUND: tuple[Stage, ...] = (
    raw_stats_file,
    parsed_round,
    round_stats,
    round_timing,
    gaming_session,
    session_teams,
    match_score,
    match_post,
    round_awards,
    timing_comparison,
)
TELLING_OF_A_ROUND: tuple[Stage, ...] = (match_post, timing_comparison)
NUMBERS_OF_A_ROUND = tuple(stage for stage in OF_A_ROUND if stage not in TELLING_OF_A_ROUND)
OF_A_TIMING: tuple[Stage, ...] = (timing_record,)
OF_A_SESSION: tuple[Stage, ...] = (session_report, session_post, session_pictures)

Progress = Callable[[str, int, int], None]
"""Told what is being done, how far it is, and of how much."""


def nobody_watches(_what: str, _done: int, _of: int) -> None:
    """Progress of something short."""


def _partitions_of(stages: Sequence[Stage]) -> Partitions:
    """What the keys of stages are of."""
    of_all = {OF_A_ROUND: Partitions.ROUNDS, OF_A_TIMING: Partitions.TIMINGS, OF_A_SESSION: Partitions.SESSIONS}
    return next(kind for chain, kind in of_all.items() if set(stages) <= set(chain))


def run_stages(stages: Sequence[Stage], keys: Sequence[str], tools: Tools, progress: Progress = nobody_watches) -> None:
    """Runs stages over partitions, without a run of Dagster's, and notes that it is to be told of that. Raises what a
    stage raises; what is bad in one file stops none of the others."""
    if not keys:
        return
    for number, stage in enumerate(stages):
        progress(f"{stage.__name__} of {len(keys)}", number, len(stages))
        perform(stage, keys, tools)
    with tools.database.transaction() as conn:
        catalogue.note(conn, _partitions_of(stages), keys)
    progress(f"{stages[-1].__name__} of {len(keys)}", len(stages), len(stages))
