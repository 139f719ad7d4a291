"""The asset of a timing record. Which round it belongs to is decided by ``round_timing``."""

from slomix_pipeline import partitions
from slomix_pipeline.assets.common import FETCH_AGAIN, stage_asset
from slomix_pipeline.stages.timing_record import timing_record

TIMINGS = [
    stage_asset(
        timing_record,
        tag="timing-record",
        kinds={"postgres", "file", "lua"},
        partitions_def=partitions.timings,
        description="What the game server's script says about one round's time: start, end, pauses, length, rosters. "
        "Which round it belongs to is decided by round_timing.",
        retry_policy=FETCH_AGAIN,
    ),
]
