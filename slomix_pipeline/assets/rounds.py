"""The assets of a round, from its stats file to what is told of it, in the order of the chain.

Does not belong here: any work (``stages``), the order in which commands run them (``stages.chain``).
"""

import dagster as dg

from slomix_pipeline.assets.common import FETCH_AGAIN, NOBODY_WAITS, stage_asset
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.stages.gaming_session import gaming_session
from slomix_pipeline.stages.match_post import match_post
from slomix_pipeline.stages.match_score import match_score
from slomix_pipeline.stages.parsed_round import parsed_round
from slomix_pipeline.stages.raw_stats_file import raw_stats_file
from slomix_pipeline.stages.round_awards import round_awards
from slomix_pipeline.stages.round_stats import round_stats
from slomix_pipeline.stages.round_timing import round_timing
from slomix_pipeline.stages.session_teams import session_teams
from slomix_pipeline.stages.timing_comparison import timing_comparison

CHAIN = [
    stage_asset(
        raw_stats_file,
        tag="raw-file",
        kinds={"postgres", "file"},
        description="The stats file of a round as the game server wrote it: bytes and sha256, kept for ever. "
        "A file that is gone from the game server, or came by import, is taken from the database.",
        retry_policy=FETCH_AGAIN,
    ),
    stage_asset(
        parsed_round,
        tag="parsed-round",
        kinds={"postgres", "python"},
        deps=["raw_stats_file"],
        description="The round as its file has it: header, players, weapons. Numbers of a round-2 file are still the "
        "sums of both rounds. A file that can't be read whole is quarantined with the reason, and its neighbours go "
        "on.",
    ),
    stage_asset(
        round_stats,
        tag="differential",
        kinds={"postgres", "python"},
        deps=["parsed_round"],
        description="Round 2 minus round 1, field by field, for every round of the sessions these rounds belong to; "
        "with pairing, status and validity. Numbers that can't be known are null.",
    ),
    stage_asset(
        round_timing,
        tag="timing",
        kinds={"postgres", "python"},
        deps=["round_stats", dg.AssetDep("timing_record", partition_mapping=dg.AllPartitionMapping())],
        description="The length of each round with its source, the timing record that belongs to it, who gave up, and "
        "whether header and record agree. A record that is not here yet is looked for in its folder once; where one "
        "came since the rounds were placed, they are placed anew. Player minutes are never touched: they are true "
        "already.",
    ),
    stage_asset(
        gaming_session,
        tag="gaming-session",
        kinds={"postgres", "python"},
        deps=["round_timing"],
        description="The gaming sessions of these rounds, by their stamps and what people decided: the same for any "
        "order of arrival. A file that falls into a hole merges two sessions.",
    ),
    stage_asset(
        session_teams,
        tag="teams",
        kinds={"postgres", "python"},
        deps=["gaming_session"],
        description="Who played for team A and who for B in each session, what the teams are called, and how sure it "
        "is. A is who stood on the Axis side in the earliest valid round 1. A player who can't be told stays open.",
    ),
    stage_asset(
        match_score,
        tag="stopwatch-score",
        kinds={"postgres", "python"},
        deps=["session_teams"],
        description="Who won every match (the faster attack; by the headers, else by the times) and the points it "
        f"gives under the policy in force, one of {', '.join(POLICIES)}. What can't be decided is not counted, which "
        "is another thing than a draw.",
    ),
    stage_asset(
        match_post,
        tag="Discord-post",
        kinds={"discord", "postgres"},
        deps=["match_score"],
        description="The messages of a match. What is due (a fresh round that a sensor asked for) is announced; "
        "backfills, reruns and imports only correct what was said before. The ledger sees to it that nothing is said "
        "twice.",
    ),
]

BESIDE_THE_CHAIN = [
    stage_asset(
        round_awards,
        tag="awards",
        kinds={"postgres", "file"},
        deps=["round_stats"],
        description="The awards of each round and who killed whom, from the endstats file within 30 s of its stats "
        "file. What the engine counted covers both rounds in a file of round 2, and is marked so.",
        op_tags=NOBODY_WAITS,
    ),
    stage_asset(
        timing_comparison,
        tag="timing-comparison",
        kinds={"discord", "postgres"},
        deps=["round_timing"],
        description="Stopwatch, timing record and the length that counts, side by side, with every player's damage "
        "per minute by the stopwatch and by the time he was there. A fresh round that is not aligned is told to the "
        "dev channel, if there is one, in one message; it is edited when the record comes late.",
        op_tags=NOBODY_WAITS,
    ),
]
